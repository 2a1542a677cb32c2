"""The measure of growth itself, with a clock that only moves when it is told to."""

from __future__ import annotations

import gc
import time
from typing import Callable, List

import growth
import pytest
from growth import assert_grows_at_most

SMALL, LARGE = 1000, 2000


class Clock:
    """Moves by what a run costs, in seconds for each thing in it."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(time, "process_time", made)
    monkeypatch.setattr(gc, "collect", int)  # which takes its time, with all that other tests have left
    return made


def costs(clock: Clock, seconds: Callable[[int], float]) -> Callable[[List[int]], None]:
    def run(given: List[int]) -> None:
        clock.now += seconds(len(given))

    return run


def make(size: int) -> List[int]:
    return [0] * size


def test_what_is_in_proportion_passes(clock: Clock) -> None:
    assert_grows_at_most(make, costs(clock, lambda size: size / 1000), SMALL, LARGE, 2.0)


def test_what_grows_with_its_square_fails_and_says_by_how_much(clock: Clock) -> None:
    with pytest.raises(AssertionError, match=r"2,000 take 4.000 s, 4.0 times as long as 1,000 with 1.000 s"):
        assert_grows_at_most(make, costs(clock, lambda size: (size / 1000) ** 2), SMALL, LARGE, 2.6)


def test_what_is_too_fast_to_be_measured_passes(clock: Clock) -> None:
    assert_grows_at_most(make, costs(clock, lambda size: size**2 / 1e10), SMALL, LARGE, 2.6)


def test_what_is_disturbed_is_judged_at_the_third_try(clock: Clock) -> None:
    """Twice all five runs of the large one are disturbed; at the third try one is not, and that one counts."""
    large_runs: List[int] = []

    def seconds(size: int) -> float:
        if size == LARGE:
            large_runs.append(size)
        is_disturbed = size == LARGE and len(large_runs) <= 2 * growth.TIMES + 1
        return size / 1000 * (10 if is_disturbed else 1)

    assert_grows_at_most(make, costs(clock, seconds), SMALL, LARGE, 2.6)
    assert len(large_runs) == 3 * growth.TIMES


@pytest.mark.scale
def test_the_real_clock_finds_a_quadratic_one_out() -> None:
    def quadratic(given: List[int]) -> None:
        for one in given:
            given.count(one + 1)

    with pytest.raises(AssertionError, match="times as long"):
        assert_grows_at_most(make, quadratic, SMALL, 4 * SMALL, 6)  # 16 times; 12 beside the floor
