"""What worker processes run: they import it by its name."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

from wfplan import StepCall


def succeed() -> int:
    return 42


def fail() -> None:
    raise ValueError("on purpose")


def hang() -> None:
    time.sleep(1.5)


def square(number: int) -> int:
    return number * number


def add_up(call: StepCall) -> int:
    return sum(call.outputs.values())


def append(path: str) -> None:
    with Path(path).open("a", encoding="utf-8") as file:
        file.write("done\n")


def die_once(mark: str) -> str:
    """Kill the process that this runs in; another time, return."""
    if Path(mark).exists():
        return "survived"
    Path(mark).write_text("x", encoding="utf-8")
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)
