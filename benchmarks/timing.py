"""Contenders, timed in turn: A B C A B C ..., so that a change of the machine's speed hits all of them."""

from __future__ import annotations

import gc
import statistics
import time
from typing import Any, Callable, Dict, List

Contenders = Dict[str, Callable[[], Any]]


def race(contenders: Contenders, rounds: int) -> Dict[str, List[float]]:
    """Seconds of every run of each contender, after one run of each that does not count."""
    seconds: Dict[str, List[float]] = {label: [] for label in contenders}
    for round_ in range(rounds + 1):
        for label, run in contenders.items():
            gc.collect()
            start = time.perf_counter()
            result = run()
            elapsed = time.perf_counter() - start
            del result
            if round_:
                seconds[label].append(elapsed)
    return seconds


def median(values: List[float]) -> float:
    """The median of a contender's runs."""
    return statistics.median(values)


def ratio(one: List[float], other: List[float]) -> float:
    """How many times as long `one` takes as `other`: the median of the ratios, round by round."""
    return statistics.median(a / b for a, b in zip(one, other))


def milliseconds(values: List[float]) -> str:
    """The median, for a table."""
    return f"{1000 * median(values):,.0f} ms"
