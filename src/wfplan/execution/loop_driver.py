"""arun: drives a plan on the event loop of its caller."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections import deque
from contextlib import suppress
from inspect import isawaitable, iscoroutinefunction
from os import PathLike
from typing import Any, Callable, Deque, Iterable, Mapping

from wfplan.execution.backend import Backend, tell_close_failure
from wfplan.execution.calls import Calls, Outcome
from wfplan.execution.events import Observer
from wfplan.execution.functions import FunctionExecutor
from wfplan.execution.interface import Executor
from wfplan.execution.opening import Opening, default_limit
from wfplan.execution.progress import Progress
from wfplan.execution.report import ExecutionReport
from wfplan.execution.session import LINGER_SECONDS, Interrupt, Session, open_session
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
    stop: StopSignal | None = None,
    observers: Iterable[Observer] = (),
) -> ExecutionReport:
    """Run a plan to its end on this event loop, and tell what happened; otherwise like `wfplan.run`.

    Async functions and executors run as tasks, and plain ones in threads, so that the loop is never blocked (but for a
    moment by a journal, which is read before the first step, and whose last lines are written, on its thread). If there
    is no `max_parallel`, as many steps are in flight as may be, unless a step needs a thread: then it is the
    min(32, CPUs + 4) of `run`. Cancelling the task cancels what runs, and is raised again after an orderly end.
    """
    opening = Opening(
        plan,
        executor,
        schedule=schedule,
        max_parallel=max_parallel,
        on_failure=on_failure,
        dry_run=dry_run,
        journal=journal,
        resume=resume,
        run_id=run_id,
        stop=stop,
        observers=observers,
    )
    return await _Run(opening, stop).wait()


class _Run:
    """A run on the loop of its caller; tasks and threads wake it by a message."""

    def __init__(self, opening: Opening, stop: StopSignal | None) -> None:
        self._opening = opening
        self._stop = stop
        self._loop = asyncio.get_running_loop()
        self._home = threading.get_ident()
        self._inbox: Deque[Any] = deque()
        self._waiter: asyncio.Future[None] | None = None
        self._waking = False

    async def wait(self) -> ExecutionReport:
        """The report at the end; raises what there is to raise."""
        opening = self._opening
        try:
            if opening.finished is not None and opening.is_finished:
                await self._give_up(opening)
                return opening.finished
            if opening.backend is not None and opening.backend.validate is not None:
                await self._validate(opening.backend)
            progress, backend = opening.settle()
        except BaseException:
            await self._give_up(opening)
            raise
        if progress.max_parallel is None and backend.needs_threads(progress.plan):
            progress.limit(default_limit())
        calls = Calls(backend, self._deliver, _call, self._loop.call_soon_threadsafe)
        session = open_session(opening, progress, calls, self._stop, self._wake_from_anywhere)
        if self._stop is not None:
            self._stop.connect(self._wake_from_anywhere)
        try:
            session.begin()
            await self._drive(session)
            await self._linger(session)
            session.keep_close_failure(await self._close(backend))
        except BaseException:
            session.abandon()
            raise
        finally:
            if self._stop is not None:
                self._stop.disconnect(self._wake_from_anywhere)
            self._take_all(session)
            calls.close()
        report = session.end()
        if session.interrupt is not None:
            session.interrupt.report = report  # type: ignore[attr-defined]
            raise session.interrupt
        return report

    async def _give_up(self, opening: Opening) -> None:
        """There is nothing to run."""
        opening.discard()
        error = await self._close(opening.backend)
        if error is not None:
            tell_close_failure(error)

    async def _validate(self, backend: Backend) -> None:
        validate = backend.validate
        assert validate is not None  # noqa: S101 - for type checkers

        def ask() -> Any:
            found = validate(self._opening.plan_to_validate)
            if isawaitable(found):
                return found
            self._opening.keep_findings(found)  # here, since a generator may take its time, too
            return ()

        try:
            self._opening.keep_findings(await _apart(validate, ask))
        except Exception as error:  # noqa: BLE001 - an executor that fails is refused
            self._opening.keep_failure(error)

    async def _close(self, backend: Backend | None) -> BaseException | None:
        """Close the executor; what it raised."""
        try:
            if backend is not None and backend.close is not None:
                await _apart(backend.close, backend.close)
        except BaseException as error:  # noqa: BLE001 - the run has ended all the same
            return error
        return None

    async def _drive(self, session: Session) -> None:
        while True:
            self._take_all(session)
            session.pump()
            session.release(await self._save(session))
            if not session.is_active:
                return
            try:
                await self._pause(session.patience)
            except asyncio.CancelledError as error:
                session.take(Interrupt(error))

    async def _save(self, session: Session) -> OSError | None:
        """Write the journal, in a thread; what interrupts that is taken when it is done."""
        data = session.unsaved()
        if not data:
            return None
        saving: asyncio.Future[OSError | None] = asyncio.ensure_future(_in_thread(lambda: session.save(data)))
        while not saving.done():
            try:
                await asyncio.wait([saving])
            except asyncio.CancelledError as error:
                self._inbox.append(Interrupt(error))
        try:
            return saving.result()
        except RuntimeError:  # the system has no more threads
            return session.save(data)

    async def _linger(self, session: Session) -> None:
        """Wait for what was cancelled and is on its way to its end, but not for long."""
        until = self._loop.time() + LINGER_SECONDS
        while session.lingers and self._loop.time() < until:
            try:
                await self._pause(until - self._loop.time())
            except asyncio.CancelledError as error:
                session.take(Interrupt(error))
                return
            self._take_all(session)

    async def _pause(self, seconds: float | None) -> None:
        """Wait for a message, but no longer than this; give way to others in any case."""
        if self._inbox:
            await asyncio.sleep(0)
            return
        self._waiter = self._loop.create_future()
        timer = None if seconds is None else self._loop.call_later(seconds, self._wake_here)
        try:
            await self._waiter
        finally:
            self._waiter = None
            if timer is not None:
                timer.cancel()

    def _take_all(self, session: Session) -> None:
        while self._inbox:
            session.take(self._inbox.popleft())

    def _deliver(self, message: Outcome) -> None:
        self._inbox.append(message)
        self._wake()

    def _wake(self) -> None:
        """May be called by any thread."""
        if threading.get_ident() == self._home:
            self._wake_here()
        elif not self._waking:
            self._waking = True
            self._wake_from_anywhere()

    def _wake_from_anywhere(self) -> None:
        """May be called by a signal handler, too, while this thread sleeps in the loop's own wait."""
        with suppress(RuntimeError):  # the loop is closed: what a thread that was left behind tells is for nobody
            self._loop.call_soon_threadsafe(self._wake_here)

    def _wake_here(self) -> None:
        self._waking = False
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


def _call(function: Callable[..., object], *arguments: Any) -> None:
    function(*arguments)


async def _apart(member: Callable[..., Any], call: Callable[[], Any]) -> Any:
    """What `call`, which calls this member of an executor, gives: in a thread if it may take its time."""
    quick = iscoroutinefunction(member) or isinstance(getattr(member, "__self__", None), FunctionExecutor)
    made = call() if quick else await _in_thread(call)
    return await made if isawaitable(made) else made


async def _in_thread(function: Callable[[], Any]) -> Any:
    """What a plain function gives, called in a thread of its own."""
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
            loop.call_soon_threadsafe(settle, made)

    def settle(made: tuple[Any, BaseException | None]) -> None:
        if not answer.cancelled():
            answer.set_result(made)

    thread = threading.Thread(target=work, name="wfplan-call", daemon=True)
    thread.start()
    made, error = await answer
    thread.join()
    if error is not None:
        raise error
    return made
