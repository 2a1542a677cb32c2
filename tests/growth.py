"""How the time of something grows with its size: processor time, the least of five, judged at the third try.

What else the machine does can only add to a measured time, so the least is the closest to the truth, and what looks
too slow is measured again before it counts. No limit is in seconds: sizes are compared with each other.
"""

from __future__ import annotations

import gc
import time
from typing import Any, Callable, TypeVar

T = TypeVar("T")

TIMES = 5
TRIES = 3
FLOOR_SECONDS = 0.004
"""What is faster than this counts as this: below it a clock tells nothing."""


def processor_seconds(run: Callable[[T], object], given: T) -> float:
    """Return the processor time of one call; the collector's share in what was there before is left out."""
    gc.collect()
    gc.freeze()
    try:
        start = time.process_time()
        run(given)
        return time.process_time() - start
    finally:
        gc.unfreeze()


def assert_grows_at_most(
    make_input: Callable[[int], Any], run: Callable[[Any], object], small: int, large: int, factor: float
) -> None:
    """Assert that `run` takes at most `factor` times as long for the large input as for the small one.

    Args:
        make_input: Makes the input of a size; its time does not count, and every run gets an input of its own.
        run: What is measured.
        small: The size that the other is compared with; large enough to take some milliseconds.
        large: The other size.
        factor: The most that the time may grow by, from `small` to `large`.

    Raises:
        AssertionError: The least time of the large input is too long, in the last try as in those before.
    """
    least = {small: float("inf"), large: float("inf")}
    for _ in range(TRIES):
        for _ in range(TIMES):  # in turn, so that a change of the machine's speed hits both
            for size in (small, large):
                least[size] = min(least[size], processor_seconds(run, make_input(size)))
        if least[large] <= factor * max(least[small], FLOOR_SECONDS):
            return
    raise AssertionError(
        f"{large:,} take {least[large]:.3f} s, {least[large] / max(least[small], FLOOR_SECONDS):.1f} times as long as "
        f"{small:,} with {least[small]:.3f} s; at most {factor} times is allowed"
    )
