"""Building many values at once without the garbage collector looking at each of them again and again."""

from __future__ import annotations

import gc
from contextlib import contextmanager
from typing import Generator

__all__ = ["without_collection"]


@contextmanager
def without_collection() -> Generator[None, None, None]:
    """Pause the cyclic garbage collector, if it is on, while values are built that are all kept.

    It would find nothing, and take half of the time: with every quarter more objects it goes through all of them.
    The pause is for the whole process, so it is for pure building only, never around a caller's code.
    """
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
