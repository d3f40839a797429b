"""What each act does to a report: one file a kind of act. Every function is pure and comes after `decide` let it in."""
