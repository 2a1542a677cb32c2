"""LoopThread: an event loop in a thread of its own, for async functions under a caller that has none."""

from __future__ import annotations

import asyncio
import threading
from inspect import isawaitable
from typing import Any, Callable

__all__ = ["LoopThread"]

_ANSWER_SECONDS = 0.5


class LoopThread:
    """An event loop that runs from the first `submit` until `close`, and on until its last task has ended."""

    name = "wfplan-loop"

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._closing: asyncio.Event | None = None
        self._thread: threading.Thread | None = None
        self._closed = False
        self._lock = threading.Lock()

    def submit(self, function: Callable[..., object], *arguments: Any) -> None:
        """Have this called on the loop's thread, soon. May be called by any thread; RuntimeError after `close`."""
        with self._lock:
            if self._closed:
                raise RuntimeError("the run is over, and its event loop with it")
            if self._loop is None:
                self._start()
            assert self._loop is not None  # noqa: S101 - for type checkers
            self._loop.call_soon_threadsafe(function, *arguments)

    def resolve(self, value: Any) -> Any:
        """`value`, or what it gives when it is awaited on the loop, if it can be.

        Raises what it raises, and TimeoutError if a step blocks the loop.
        """
        if not isawaitable(value):
            return value

        async def wait() -> Any:
            return await value

        answered = threading.Event()
        self.submit(answered.set)
        if not answered.wait(_ANSWER_SECONDS):
            getattr(value, "close", int)()  # a coroutine that is never awaited would be warned of
            raise TimeoutError("a step blocks the event loop")
        assert self._loop is not None  # noqa: S101 - for type checkers
        return asyncio.run_coroutine_threadsafe(wait(), self._loop).result()

    def close(self, seconds: float) -> bool:
        """Cancel what is left, wait so long for it, and tell whether all has ended; what has not goes on."""
        with self._lock:
            self._closed = True
            if self._thread is None or self._loop is None or self._closing is None:
                return True
            self._loop.call_soon_threadsafe(self._closing.set)
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def _start(self) -> None:
        loop = asyncio.new_event_loop()  # here, so that the caller gets the error if there cannot be one
        started = threading.Event()
        thread = threading.Thread(target=self._run, args=(loop, started), name=self.name, daemon=True)
        try:
            thread.start()
        except RuntimeError:
            loop.close()
            raise
        self._thread = thread
        started.wait()

    def _run(self, loop: asyncio.AbstractEventLoop, started: threading.Event) -> None:
        asyncio.set_event_loop(loop)
        self._loop, self._closing = loop, asyncio.Event()
        started.set()
        served = loop.create_task(self._serve(self._closing))
        while not served.done():
            try:
                loop.run_until_complete(served)
            except BaseException:  # noqa: BLE001, S112 - a step stopped the loop, or a task of its own raised SystemExit
                continue
        loop.run_until_complete(loop.shutdown_asyncgens())
        if hasattr(loop, "shutdown_default_executor"):  # pragma: no branch - from Python 3.9 on
            loop.run_until_complete(loop.shutdown_default_executor())
        asyncio.set_event_loop(None)
        loop.close()

    @staticmethod
    async def _serve(closing: asyncio.Event) -> None:
        await closing.wait()
        me = asyncio.current_task()
        others = [task for task in asyncio.all_tasks() if task is not me]
        for task in others:
            task.cancel()
        while others:
            await asyncio.wait(others)
            others = [task for task in asyncio.all_tasks() if task is not me]
