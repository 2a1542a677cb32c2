"""Fails unless pyright knows the type of every public name of the package, as it is installed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PIP = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
PYRIGHT = [sys.executable, "-m", "pyright", "--verifytypes", "wfplan", "--ignoreexternal", "--outputjson"]


def main() -> int:
    """Install the package, which must not be in editable form, and run `pyright --verifytypes` on it."""
    with tempfile.TemporaryDirectory() as target:
        subprocess.run([*PIP, "install", "--no-deps", "--target", target, str(ROOT)], check=True)
        found = {**os.environ, "PYTHONPATH": target}
        command = [*PYRIGHT, "--pythonpath", sys.executable]
        done = subprocess.run(command, check=False, capture_output=True, text=True, env=found, cwd=target)
    try:
        report = json.loads(done.stdout)["typeCompleteness"]
    except (ValueError, KeyError):
        print(done.stdout, done.stderr, sep="\n")
        return 1
    for symbol in report["symbols"]:
        if symbol["isExported"] and not symbol["isTypeKnown"]:
            print(symbol["name"], *(diagnostic["message"] for diagnostic in symbol["diagnostics"]), sep="\n  ")
    known = report["exportedSymbolCounts"]["withKnownType"]
    print(f"verified: {known} public names, {100 * report['completenessScore']:.1f} % of their types known")
    return 0 if known and report["completenessScore"] == 1 else 1


if __name__ == "__main__":
    sys.exit(main())
