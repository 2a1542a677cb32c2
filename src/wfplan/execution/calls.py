"""The calls in flight: in threads, on an event loop or in a future."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from contextlib import suppress
from functools import partial
from inspect import isawaitable
from typing import Any, Callable, NamedTuple

from wfplan.execution.executor_adapter import ExecutorAdapter
from wfplan.execution.interface import PendingOutput, StepCall
from wfplan.execution.workers import Workers

__all__ = ["Attempt", "Calls", "Outcome"]

_JOIN_SECONDS = 5.0
_CANCEL_SECONDS = 0.2


class Attempt:
    """One call that was handed over, and what has become of it so far."""

    __slots__ = ("awaitable", "call", "cancelled", "future", "on_loop", "task", "thread")

    def __init__(self, call: StepCall) -> None:
        self.call: StepCall = call
        self.cancelled: bool = False
        self.on_loop: bool = False
        self.thread: str | None = None
        self.awaitable: Any = None
        self.task: asyncio.Task[Any] | None = None
        self.future: Any = None


class Outcome(NamedTuple):
    """What an attempt gave, or raised."""

    attempt: Attempt
    output: Any
    error: BaseException | None


class Calls:
    """Starts attempts, cancels them, and has exactly one outcome of each delivered, whatever thread it comes from."""

    def __init__(
        self,
        backend: ExecutorAdapter,
        deliver: Callable[[Outcome], object],
        on_loop: Callable[..., object],
        on_loop_from_thread: Callable[..., object],
        *,
        help_with: Callable[[Outcome], object] | None = None,
    ) -> None:
        """`on_loop(function, *arguments)` calls a function on the event loop: from the driver, from any thread.

        `help_with` delivers an outcome on a worker's thread, which has nothing else to do; default: `deliver`.
        """
        self._backend = backend
        self._deliver = deliver
        self._on_loop = on_loop
        self._on_loop_from_thread = on_loop_from_thread
        self._context = contextvars.copy_context()
        self._open: dict[str, Attempt] = {}
        self._workers = Workers("wfplan-worker", help_with or deliver)
        self._cancellers = Workers("wfplan-cancel", deliver)  # apart, since the cancel of a future may hang

    def start(self, call: StepCall) -> None:
        """Hand a call to the executor."""
        attempt = self._open[call.step.name] = Attempt(call)
        try:
            if self._backend.is_async(call):
                attempt.on_loop = True
                self._on_loop(self._begin, attempt)
            else:
                self._workers.submit(partial(self._perform, attempt))
        except (RuntimeError, OSError) as error:  # the system has no more threads, or files for a loop
            self._deliver(Outcome(attempt, None, error))

    def cancel(self, name: str) -> None:
        """Ask the attempt at this step to end, if there is a way to; its outcome is delivered all the same."""
        attempt = self._open[name]
        attempt.cancelled = True
        if attempt.on_loop:
            self._on_loop(_cancel_task, attempt)
        if attempt.future is not None:
            with suppress(RuntimeError):  # the system has no more threads: its outcome is waited for
                self._cancellers.submit(partial(_cancel_future, attempt.future))

    def accept(self, outcome: Outcome) -> bool:
        """Return whether this is the first outcome of an attempt that is open; from now on it is not."""
        name = outcome.attempt.call.step.name
        if self._open.get(name) is not outcome.attempt:
            return False
        del self._open[name]
        return True

    def close(self) -> None:
        """End the threads that have nothing to do; those that have are left to end later."""
        busy = {attempt.thread for attempt in self._open.values() if attempt.thread is not None}
        self._workers.close(_JOIN_SECONDS, busy)
        self._cancellers.close(_CANCEL_SECONDS)

    @property
    def open(self) -> tuple[Attempt, ...]:
        """The attempts that have not come back."""
        return tuple(self._open.values())

    # In a thread.

    def _perform(self, attempt: Attempt) -> Outcome | None:
        attempt.thread = threading.current_thread().name
        try:
            output = self._context.copy().run(self._backend.execute, attempt.call)
            if isinstance(output, PendingOutput):
                attempt.thread = None
                self._wait_for(attempt, output.future)
                return None
            if isawaitable(output):
                self._await_later(attempt, output)
                return None
        except BaseException as error:  # noqa: BLE001 - an exception is an outcome, whatever it is
            self._come_to_nothing(attempt)
            return Outcome(attempt, None, error)
        return Outcome(attempt, output, None)

    def _await_later(self, attempt: Attempt, awaitable: Any) -> None:
        attempt.thread, attempt.future, attempt.awaitable, attempt.on_loop = None, None, awaitable, True
        self._on_loop_from_thread(self._begin, attempt)

    # On the event loop.

    def _begin(self, attempt: Attempt) -> None:
        if attempt.cancelled:
            self._come_to_nothing(attempt)
            self._deliver(Outcome(attempt, None, asyncio.CancelledError()))
            return
        task = attempt.task = self._context.copy().run(asyncio.ensure_future, self._follow(attempt))
        task.add_done_callback(partial(self._task_ended, attempt))

    async def _follow(self, attempt: Attempt) -> Any:
        try:
            output = self._backend.execute(attempt.call) if attempt.awaitable is None else attempt.awaitable
            return await output if isawaitable(output) else output
        except (KeyboardInterrupt, SystemExit) as error:  # in a task, they would tear down the loop
            return _Raised(error)

    def _task_ended(self, attempt: Attempt, task: asyncio.Task[Any]) -> None:
        self._come_to_nothing(attempt)
        error = asyncio.CancelledError() if task.cancelled() else task.exception()
        output: Any = None if error is not None else task.result()
        # By its real class: what an output says of its class may be anything, even an exception.
        if issubclass(type(output), _Raised):
            error, output = output.error, None
        if not issubclass(type(output), PendingOutput):
            self._deliver(Outcome(attempt, output, error))
            return
        attempt.on_loop = False
        try:
            future = output.future
        except Exception as raised:  # noqa: BLE001 - of a class of the executor's own, which may lack it
            self._deliver(Outcome(attempt, None, raised))
        else:
            self._wait_for(attempt, future)

    @staticmethod
    def _come_to_nothing(attempt: Attempt) -> None:
        """Close a coroutine that was never awaited, so that Python does not warn about it."""
        if asyncio.iscoroutine(attempt.awaitable):
            with suppress(Exception):  # of a class of the executor's own
                attempt.awaitable.close()

    # In a future.

    def _wait_for(self, attempt: Attempt, future: Any) -> None:
        attempt.future = future
        try:
            future.add_done_callback(partial(self._future_done, attempt))
        except BaseException as error:  # noqa: BLE001 - it is not a future, or it is broken
            self._deliver(Outcome(attempt, None, error))
        if attempt.cancelled:
            _cancel_future(future)

    def _future_done(self, attempt: Attempt, future: Any) -> None:
        try:
            output = future.result()
            if isawaitable(output):
                self._await_later(attempt, output)
                return
        except BaseException as error:  # noqa: BLE001 - an exception is an outcome, whatever it is
            self._come_to_nothing(attempt)
            self._deliver(Outcome(attempt, None, error))
        else:
            self._deliver(Outcome(attempt, output, None))


class _Raised(NamedTuple):
    error: BaseException


def _cancel_task(attempt: Attempt) -> None:
    if attempt.task is not None:
        attempt.task.cancel()


def _cancel_future(future: Any) -> None:
    """Its outcome is waited for, whether it can be cancelled or not."""
    with suppress(Exception):
        future.cancel()
