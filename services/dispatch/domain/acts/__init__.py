"""What each act does to a case: one file a kind of act. Every function is pure and comes after `permit`."""
