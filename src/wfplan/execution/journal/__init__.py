"""The journal of a run: its file, what is written into it, and what a run goes on from."""
