"""The journal of a run: its file, what is written, and what is read back."""
