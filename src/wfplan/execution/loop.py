"""arun: run a plan on the caller's event loop."""

from __future__ import annotations

import asyncio
import contextvars
import sys
import threading
import time
from contextlib import suppress
from inspect import isawaitable, iscoroutinefunction
from os import PathLike
from typing import Any, Awaitable, Callable, Iterable, Mapping

from wfplan.execution.calls import Calls, Outcome
from wfplan.execution.events import Observer
from wfplan.execution.executor_adapter import ExecutorAdapter
from wfplan.execution.functions import FunctionExecutor
from wfplan.execution.interface import Executor
from wfplan.execution.preparation import PreparedRun, RunArguments
from wfplan.execution.progress import Progress
from wfplan.execution.report import ExecutionReport
from wfplan.execution.session import Close, Closed, Interrupt, Save, Session, Validate, Wait
from wfplan.execution.signals import StopSignal
from wfplan.models import OnFailure, Schedule
from wfplan.plans import ExecutionPlan

__all__ = ["arun"]


async def arun(
    plan: ExecutionPlan | Progress,
    executor: Executor | Mapping[str, Callable[..., Any]],
    *,
    schedule: Schedule | None = None,
    max_parallel: int | None = None,
    on_failure: OnFailure | None = None,
    dry_run: bool | None = None,
    journal: str | PathLike[str] | None = None,
    resume: ExecutionReport | None = None,
    run_id: str | None = None,
    hold: Iterable[str] | None = None,
    stop: StopSignal | None = None,
    tracebacks: bool = True,
    observers: Iterable[Observer] = (),
) -> ExecutionReport:
    """Run a plan to its end on this event loop and return its report; otherwise like `wfplan.run`.

    Async functions and executors run as tasks, plain ones in threads, so the loop is never blocked, except briefly by
    a journal, which is read before the first step and whose last lines are written on the loop's thread. Cancelling
    the task suspends the run, which ends in order; the cancellation is then raised again.

    Args:
        plan: As for `run`.
        executor: As for `run`.
        schedule: As for `run`.
        max_parallel: As for `run`, but if neither this nor the plan sets a limit there is none, unless a step needs a
            thread: then it is min(32, CPUs + 4).
        on_failure: As for `run`.
        dry_run: As for `run`.
        journal: As for `run`.
        resume: As for `run`.
        run_id: As for `run`.
        hold: As for `run`.
        stop: As for `run`.
        tracebacks: As for `run`.
        observers: As for `run`.

    Raises:
        RefusedError: With every problem, before the first step; nothing has run.
    """
    given = RunArguments(
        schedule, max_parallel, on_failure, dry_run, journal, resume, run_id, hold, stop, tracebacks, observers
    )
    return await _Run(PreparedRun(plan, executor, given), stop).wait()


class _Run:
    """A run on the loop of its caller; tasks and threads wake it by a message."""

    def __init__(self, prepared: PreparedRun, stop: StopSignal | None) -> None:
        self._session = Session(prepared, stop, self._nudge, self._make_calls, always_threads=False)
        self._loop = asyncio.get_running_loop()
        self._home = threading.get_ident()
        self._waiter: asyncio.Future[None] | None = None
        self._waking = False

    async def wait(self) -> ExecutionReport:
        """Return the report at the end; raises what there is to raise."""
        report = await self._live()
        error = self._session.interrupt
        if error is not None:
            error.report = report  # type: ignore[attr-defined]
            # Until Python 3.10, asyncio.run cancels its task while it handles the interrupt that it will raise.
            handled = sys.exc_info()[1]
            if isinstance(handled, (KeyboardInterrupt, SystemExit)):
                handled.report = report  # type: ignore[union-attr]
            raise error
        return report

    async def _live(self) -> ExecutionReport:
        life = self._session.live()
        answer: object = None
        while True:
            try:
                task = life.send(answer)
            except StopIteration as end:
                return end.value  # type: ignore[no-any-return]
            if isinstance(task, Wait):
                await self._wait(task.until)
                answer = None
            elif isinstance(task, Save):
                answer = await self._save(task.write)
            elif isinstance(task, Close):
                answer = Closed(await _raised_by(_close(task.close)))
            else:
                answer = await _raised_by(_validate(task))

    async def _wait(self, until: float | None) -> None:
        """Wait for a message, but no longer than this; give way to others in any case."""
        try:
            if self._session.has_mail:
                await asyncio.sleep(0)
                return
            self._waiter = self._loop.create_future()
            seconds = None if until is None else max(until - time.monotonic(), 0.0)
            timer = None if seconds is None else self._loop.call_later(seconds, self._wake_here)
            try:
                await self._waiter
            finally:
                self._waiter = None
                if timer is not None:
                    timer.cancel()
        except asyncio.CancelledError as error:
            self._session.post(Interrupt(error))

    async def _save(self, write: Callable[[], OSError | None]) -> OSError | None:
        """Write the journal, in a thread; what interrupts that is taken when it is done."""
        saving: asyncio.Future[OSError | None] = asyncio.ensure_future(_in_thread(write))
        while not saving.done():
            try:
                await asyncio.wait([saving])
            except asyncio.CancelledError as error:
                self._session.post(Interrupt(error))
        try:
            return saving.result()
        except RuntimeError:  # the system has no more threads
            return write()

    def _make_calls(self, backend: ExecutorAdapter) -> Calls:
        return Calls(backend, self._deliver, _call, self._loop.call_soon_threadsafe)

    def _deliver(self, message: Outcome) -> None:
        """May be called by any thread."""
        self._session.post(message)
        if threading.get_ident() == self._home:
            self._wake_here()
        elif not self._waking:
            self._waking = True
            self._wake_from_anywhere()

    def _nudge(self) -> None:
        """Have the session look around. May be called by any thread, and by a signal handler."""
        self._session.post(None)  # it may be busy with something else than waiting
        self._wake_from_anywhere()

    def _wake_from_anywhere(self) -> None:
        """By a signal handler while this thread sleeps in the loop's own wait, for instance."""
        with suppress(RuntimeError):  # the loop is closed: nobody waits for the result of an abandoned thread
            self._loop.call_soon_threadsafe(self._wake_here)

    def _wake_here(self) -> None:
        self._waking = False
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


async def _raised_by(made: Awaitable[None]) -> BaseException | None:
    try:
        await made
    except GeneratorExit:  # the task is thrown away
        raise
    except BaseException as error:  # noqa: BLE001 - the session knows what to do with it
        return error
    return None


async def _validate(task: Validate) -> None:
    def ask() -> Any:
        found = task.validate(task.plan)
        if isawaitable(found):
            return found
        task.keep(found)  # here, since a generator may take its time, too
        return ()

    task.keep(await _apart(task.validate, ask))


async def _close(close: Callable[[], Any] | None) -> None:
    if close is not None:
        await _apart(close, close)


def _call(function: Callable[..., object], *arguments: Any) -> None:
    function(*arguments)


async def _apart(member: Callable[..., Any], call: Callable[[], Any]) -> Any:
    """Return what `call`, which calls this member of an executor, gives: in a thread if it may take its time."""
    quick = iscoroutinefunction(member) or isinstance(getattr(member, "__self__", None), FunctionExecutor)
    made = call() if quick else await _in_thread(call)
    return await made if isawaitable(made) else made


async def _in_thread(function: Callable[[], Any]) -> Any:
    """Return what a plain function gives, called in a thread of its own."""
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[tuple[Any, BaseException | None]] = loop.create_future()
    context = contextvars.copy_context()

    def work() -> None:
        made: tuple[Any, BaseException | None]
        try:
            made = (context.run(function), None)
        except BaseException as raised:  # noqa: BLE001 - raised again on the loop
            made = (None, raised)
        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(accept, made)

    def accept(made: tuple[Any, BaseException | None]) -> None:
        if not answer.cancelled():
            answer.set_result(made)

    thread = threading.Thread(target=work, name="wfplan-call", daemon=True)
    thread.start()
    made, error = await answer
    thread.join()
    if error is not None:
        raise error
    return made
