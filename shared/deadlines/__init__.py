"""Deadlines: until when a limit runs, and why. Pure functions of the city's calendar and limit policy (ADR 0015)."""
