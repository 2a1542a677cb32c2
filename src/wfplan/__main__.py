"""python -m wfplan."""

from __future__ import annotations

import sys

from wfplan.cli import main

if __name__ == "__main__":
    sys.exit(main())
