"""LoopThread: an event loop in a thread of its own, for async functions under a caller that has none."""

from __future__ import annotations

import asyncio
import threading
from inspect import isawaitable
from typing import Any, Callable

__all__ = ["LoopThread"]


class LoopThread:
    """An event loop that runs from the first `submit` until `close`, and on until its last task has ended."""

    name = "wfplan-loop"

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._closing: asyncio.Event | None = None
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()

    def submit(self, function: Callable[..., object], *arguments: Any) -> None:
        """Have this called on the loop's thread, soon. May be called by any thread."""
        with self._lock:
            if self._loop is None:
                self._start()
            assert self._loop is not None  # noqa: S101 - for type checkers
            self._loop.call_soon_threadsafe(function, *arguments)

    def resolve(self, value: Any) -> Any:
        """`value`, or what it gives when it is awaited on the loop, if it can be. Raises what it raises."""
        if not isawaitable(value):
            return value

        async def wait() -> Any:
            return await value

        self.submit(int)  # so that there is a loop
        assert self._loop is not None  # noqa: S101 - for type checkers
        return asyncio.run_coroutine_threadsafe(wait(), self._loop).result()

    def close(self, seconds: float) -> bool:
        """Let it end, and wait so long for that; whether it has. What is still running goes on until it ends."""
        with self._lock:
            thread = self._thread
            if thread is None or self._loop is None or self._closing is None:
                return True
            if not self._loop.is_closed():
                self._loop.call_soon_threadsafe(self._closing.set)
        thread.join(seconds)
        return not thread.is_alive()

    def _start(self) -> None:
        started = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(started,), name=self.name, daemon=True)
        self._thread.start()
        started.wait()

    def _run(self, started: threading.Event) -> None:
        async def serve() -> None:
            self._loop = asyncio.get_running_loop()
            self._closing = asyncio.Event()
            started.set()
            await self._closing.wait()
            me = asyncio.current_task()
            while True:
                others = [task for task in asyncio.all_tasks() if task is not me]
                if not others:
                    return
                await asyncio.wait(others)

        asyncio.run(serve())
