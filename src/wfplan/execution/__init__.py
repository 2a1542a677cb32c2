"""Running a plan: the seam to whatever does the work, the progress of a run, two drivers, and what came of it."""
