"""When attempts time out, retries are due, and abandoned calls are given up."""

from __future__ import annotations

import hashlib
from heapq import heappop, heappush
from typing import Callable, Iterator

from typing_extensions import Literal, TypeAlias

from wfplan.models import RetryPolicy

__all__ = ["Deadlines", "Due", "delay_before"]

Due: TypeAlias = Literal["attempt", "abandoned", "retry"]

_LONGEST_DELAY = 1e9  # thirty years: what is beyond is never, and stays a finite number


class Deadlines:
    """For each step, by its number, when its attempt is given up, its abandoned call written off, or its retry due."""

    def __init__(self) -> None:
        self._times: dict[Due, dict[int, float]] = {"attempt": {}, "abandoned": {}, "retry": {}}
        self._heap: list[tuple[float, int, Due]] = []  # may hold entries that no longer count

    def set(self, due: Due, number: int, at: float) -> None:
        """Note a time, in place of one noted before."""
        self._times[due][number] = at
        heappush(self._heap, (at, number, due))

    def get(self, due: Due, number: int) -> float | None:
        """Return the time that is noted, if any."""
        return self._times[due].get(number)

    def has_any(self, due: Due) -> bool:
        """Return whether any time is noted."""
        return bool(self._times[due])

    def drop(self, due: Due, number: int) -> None:
        """Forget a time, if one is noted."""
        self._times[due].pop(number, None)

    def next(self) -> float | None:
        """Return the earliest time noted; None if there is none."""
        heap = self._heap
        while heap and self._times[heap[0][2]].get(heap[0][1]) != heap[0][0]:
            heappop(heap)
        return heap[0][0] if heap else None

    def pop_until(self, now: float) -> Iterator[tuple[Due, int, float]]:
        """Yield what is due by now, the earliest first, forgotten as it is given; what is noted meanwhile included."""
        while True:
            at = self.next()
            if at is None or at > now:
                return
            _, number, due = heappop(self._heap)
            del self._times[due][number]
            yield due, number, at


def delay_before(policy: RetryPolicy | None, attempts: int, get_key: Callable[[], str]) -> float:
    """Return the seconds to wait after so many attempts: the delay, grown by its factor each time, at most its limit.

    Jitter takes a part of it off, which depends on nothing but the idempotency key and the number of attempts.
    """
    if policy is None or not policy.delay_seconds:
        return 0.0
    delay = _full_delay(policy, attempts)
    return delay * (1 - policy.jitter * _fraction(f"{get_key()}:{attempts}")) if policy.jitter else delay


def _full_delay(policy: RetryPolicy, attempts: int) -> float:
    longest = _LONGEST_DELAY if policy.max_delay_seconds is None else min(policy.max_delay_seconds, _LONGEST_DELAY)
    try:
        return min(policy.delay_seconds * policy.factor ** (attempts - 1), longest)
    except OverflowError:
        return longest


def _fraction(text: str) -> float:
    """Return a number from 0 to 1, spread evenly over all strings: the first 52 bits of a hash, which a float holds."""
    return int(hashlib.sha256(text.encode()).hexdigest()[:13], 16) / 16**13
