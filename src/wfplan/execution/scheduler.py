"""ReadyQueue: which of the due steps may start now."""

from __future__ import annotations

from heapq import heappop, heappush
from typing import Collection, Mapping, Sequence

__all__ = ["ReadyQueue"]


class ReadyQueue:
    """Steps, by their numbers, that wait for a place, for locks, or for nothing else to run.

    At every moment the answer is what going through all waiting steps by rank would give: a step whose lock is taken is
    passed over; one that has to run alone holds back all behind it until nothing is in flight. Only what a change
    can have changed is looked at, though: a step whose lock is taken waits with that lock, and when the lock is given
    back, the first of those that wait with it returns to the queue.
    """

    limit: int | None
    """How many may be in flight."""

    def __init__(
        self, rank: Sequence[int], locks: Mapping[int, Sequence[object]], alone: Collection[int], limit: int | None
    ) -> None:
        """Make a queue of steps that start in the order of `rank`.

        `locks` has the keys, each once, of the steps that hold any, `alone` those that overlap with nothing.
        """
        self.limit = limit
        self._rank = rank
        self._by_rank = sorted(range(len(rank)), key=rank.__getitem__)
        self._locks = locks
        self._alone = alone
        self._queue: list[int] = []  # a heap of ranks
        self._in_flight: set[int] = set()
        self._lost: set[int] = set()  # of those in flight, the ones that are not expected back
        self._alone_in_flight = 0
        self._holder: dict[object, int] = {}
        self._behind: dict[object, list[int]] = {}  # for each lock a heap of the ranks that wait with it
        self._sent: dict[int, object] = {}  # who was sent back into the queue by which lock

    def push(self, number: int) -> None:
        """This step waits from now on."""
        heappush(self._queue, self._rank[number])

    def clear(self) -> None:
        """Forget all that waits."""
        self._queue.clear()
        self._behind.clear()
        self._sent.clear()

    def hold(self, number: int) -> None:
        """This step is in flight: it takes a place and its locks, which must be free."""
        self._in_flight.add(number)
        self._alone_in_flight += number in self._alone
        for lock in self._locks.get(number, ()):
            self._holder[lock] = number

    def release(self, number: int) -> None:
        """This step is back: its place and its locks are free."""
        self._in_flight.remove(number)
        self._lost.discard(number)
        self._alone_in_flight -= number in self._alone
        for lock in self._locks.get(number, ()):
            del self._holder[lock]
            self._send_next(lock)

    def lose(self, number: int) -> None:
        """This step is in flight and not expected back: what waits for nothing but such steps waits in vain."""
        self._lost.add(number)
        for lock in self._locks.get(number, ()):
            for rank in self._behind.pop(lock, ()):
                heappush(self._queue, rank)

    @property
    def is_empty(self) -> bool:
        """Whether nothing waits."""
        return not self._queue and not any(self._behind.values())

    @property
    def all_are_lost(self) -> bool:
        """Whether nothing is in flight but what is not expected back."""
        return len(self._lost) == len(self._in_flight)

    def take(self) -> tuple[list[int], list[tuple[int, int]]]:
        """Return the steps that start now, in order, and those that wait in vain, each with the lost step it waits for.

        The first are in flight from now on; neither kind waits any longer.
        """
        started: list[int] = []
        in_vain: list[tuple[int, int]] = []
        while self._queue:
            rank = self._queue[0]
            number = self._by_rank[rank]
            taken = self._taken_locks(number)
            blockers = [self._holder[lock] for lock in taken] or self._all_in_the_way(number)
            if not blockers:
                heappop(self._queue)
                self._sent.pop(number, None)
                self.hold(number)
                started.append(number)
            elif self._lost.issuperset(blockers):
                heappop(self._queue)
                self._pass_on(number)
                in_vain.append((number, min(blockers)))
            elif taken:
                heappop(self._queue)
                lock = next(lock for lock in taken if self._holder[lock] not in self._lost)
                heappush(self._behind.setdefault(lock, []), rank)
                self._pass_on(number)
            else:
                break
        return started, in_vain

    def _taken_locks(self, number: int) -> list[object]:
        return [lock for lock in self._locks.get(number, ()) if lock in self._holder]

    def _all_in_the_way(self, number: int) -> Collection[int]:
        """Return what is in flight, if that keeps this step, and all behind it, from starting."""
        full = self.limit is not None and len(self._in_flight) >= self.limit
        return self._in_flight if full or self._alone_in_flight or number in self._alone else ()

    def _pass_on(self, number: int) -> None:
        """Wake the next step that waits for a lock which the one before it did not take."""
        lock = self._sent.pop(number, None)
        if lock is not None and lock not in self._holder:
            self._send_next(lock)

    def _send_next(self, lock: object) -> None:
        behind = self._behind.get(lock)
        if behind:
            rank = heappop(behind)
            self._sent[self._by_rank[rank]] = lock
            heappush(self._queue, rank)
