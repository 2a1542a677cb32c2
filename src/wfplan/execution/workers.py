"""Workers: a pool of daemon threads that grows on demand."""

from __future__ import annotations

import threading
import time
from collections import deque
from queue import SimpleQueue
from typing import Any, Callable, Collection

__all__ = ["Workers"]


class Workers:
    """Threads that are started when no other is free, and end when `close` is called.

    Unlike those of `concurrent.futures` they are daemons: one that never comes back keeps no process alive.
    """

    def __init__(self, name: str, deliver: Callable[[Any], object]) -> None:
        """Workers whose threads are called `name`-1, `name`-2 and so on, and hand what they have made to `deliver`."""
        self._name = name
        self._deliver = deliver
        self._work: SimpleQueue[Callable[[], Any] | None] = SimpleQueue()
        self._free: deque[None] = deque()  # one for each thread that has nothing to do; append and pop are atomic
        self._own = threading.local()  # of a thread that delivers: what it is to do next
        self._threads: list[threading.Thread] = []

    def submit(self, work: Callable[[], Any]) -> None:
        """Have this done at once by a thread; what it returns, if not None, is delivered. It must not raise.

        The first that is submitted while a worker delivers is done by that worker, as soon as it has delivered. If the
        system has no more threads, the next one that is free does it; RuntimeError if there is none at all.
        """
        if getattr(self._own, "next", work) is None:
            self._own.next = work
            return
        try:
            self._free.pop()
        except IndexError:
            self._start_thread()
        self._work.put(work)

    def close(self, seconds: float, left: Collection[str] = ()) -> None:
        """End the threads, and wait so long for all but those of these names; they end when they are done."""
        until = time.monotonic() + seconds
        for _ in self._threads:
            self._work.put(None)
        for thread in self._threads:
            if thread.name not in left:
                thread.join(max(until - time.monotonic(), 0.0))

    def _start_thread(self) -> None:
        thread = threading.Thread(target=self._serve, name=f"{self._name}-{len(self._threads) + 1}", daemon=True)
        try:
            thread.start()
        except RuntimeError:
            if not self._threads:
                raise
            return
        self._threads.append(thread)

    def _serve(self) -> None:
        own = self._own
        while True:
            work = self._work.get()
            if work is None:
                return
            while work is not None:
                made = work()
                own.next = None
                if made is not None:
                    self._deliver(made)
                work, own.next, made = own.next, self._serve, None  # not None: it does not deliver any more
            self._free.append(None)
