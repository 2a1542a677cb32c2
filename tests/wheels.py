"""Build the wheel and run the tests on it: on the oldest Python found with the oldest pydantic, and on the newest.

Interpreters are looked for on the path and among those of pyenv. Where there is none besides the one that runs this,
the wheel is tested on that one, with the oldest pydantic. What is marked slow or scale does not hang on the version
of Python, and is left out. With `--no-skips` a skipped test fails.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Dict, Iterator, List, Tuple

ROOT = Path(__file__).resolve().parents[1]
DIST = ROOT / "dist"
OLDEST_PYDANTIC = "pydantic==2.7.0"
PARALLEL = ["--numprocesses", "logical", "--maxprocesses", "8", "--dist", "loadfile"]
WHAT_IT_IS = (
    "import sys, pydantic, wfplan; print(sys.version.split()[0], 'pydantic', pydantic.VERSION, wfplan.__file__)"
)

Version = Tuple[int, int]


def say(told: str) -> None:
    print(f"\n== {told}", flush=True)


def call(*command: str) -> None:
    """Run a command in the root of the project, where no source is found but that of an environment."""
    clean = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    subprocess.run(command, check=True, cwd=ROOT, env=clean)


def pip(python: str, *arguments: str) -> None:
    call(python, "-m", "pip", "--quiet", "--disable-pip-version-check", *arguments)


def candidates() -> Iterator[str]:
    for folder in map(Path, os.get_exec_path()):
        yield from (str(path) for path in folder.glob("python3.*") if re.search(r"3\.\d+(\.exe)?$", path.name))
    pyenv = shutil.which("pyenv")
    if pyenv:
        root = subprocess.run([pyenv, "root"], check=True, stdout=subprocess.PIPE, encoding="utf-8").stdout.strip()
        yield from map(str, Path(root).glob("versions/3.*/bin/python"))


def other_interpreters() -> Dict[Version, str]:
    """One for each version from 3.8 on, besides the one that runs this."""
    found: Dict[Version, str] = {}
    for candidate in candidates():
        ask = [candidate, "-c", "import ensurepip, sys, venv; print(*sys.version_info[:2])"]
        told = subprocess.run(ask, check=False, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, encoding="utf-8")
        if told.returncode == 0:
            major, minor = map(int, told.stdout.split())
            if (3, 8) <= (major, minor) != sys.version_info[:2]:
                found.setdefault((major, minor), candidate)
    return found


def try_wheel(python: str, name: str, *requirements: str) -> None:
    say(f"the wheel on Python {name}")
    folder = ROOT / ".venv" / f"wheel-{name}"
    call(python, "-m", "venv", "--clear", str(folder))
    own = str(folder / ("Scripts" if os.name == "nt" else "bin") / "python")
    wheels = map(str, DIST.glob("*.whl"))
    pip(own, "install", *wheels, "-r", "requirements/test.txt", *requirements)
    call(own, "-c", WHAT_IT_IS)
    call(own, "-m", "pytest", "-q", "-p", "no:cacheprovider", *PARALLEL, *sys.argv[1:])


def main() -> None:
    say("the wheel")
    shutil.rmtree(DIST, ignore_errors=True)
    pip(sys.executable, "wheel", "--no-deps", "--wheel-dir", str(DIST), ".")
    found = other_interpreters()
    versions: List[Version] = sorted(found)
    if not versions:
        say("no other Python is found: the wheel is tested on this one only")
        try_wheel(sys.executable, "{}.{}-oldest-pydantic".format(*sys.version_info), OLDEST_PYDANTIC)
        return
    oldest, newest = versions[0], versions[-1]
    try_wheel(found[oldest], "{}.{}-oldest-pydantic".format(*oldest), OLDEST_PYDANTIC)
    if newest != oldest:
        try_wheel(found[newest], "{}.{}".format(*newest))


if __name__ == "__main__":
    main()
