"""Observers of runs: callables that receive every event."""
