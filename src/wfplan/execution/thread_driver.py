"""run: drives a plan with threads."""

from __future__ import annotations

import contextvars
import sys
import threading
import time
from contextlib import suppress
from os import PathLike
from queue import Empty, SimpleQueue
from typing import Any, Callable, Iterable, Mapping

from wfplan.execution.backend import Backend, tell_close_failure
from wfplan.execution.calls import Calls
from wfplan.execution.events import Observer
from wfplan.execution.interface import Executor
from wfplan.execution.loop_thread import LoopThread
from wfplan.execution.opening import Opening, default_limit
from wfplan.execution.progress import Progress
from wfplan.execution.report import ExecutionReport
from wfplan.execution.session import LINGER_SECONDS, Interrupt, Session, open_session
from wfplan.execution.signals import StopSignal
from wfplan.models import OnFailure, Schedule
from wfplan.plans import ExecutionPlan

__all__ = ["run"]

_GLANCE = 0.1 if sys.platform == "win32" else None  # there, a wait without an end cannot be interrupted
_PATIENCE_WITH_INTERRUPTS = 2


def run(
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
    """Run a plan to its end, and tell what happened.

    `executor` is an `Executor`, or a mapping from actions to functions. A keyword that is not given comes from the
    plan; the lower `max_parallel` wins, and if there is none, it is min(32, CPUs + 4). With a `Progress` in place of
    the plan, the run goes on from there, and it can be watched.

    Raises RefusedError, with every problem, if something is wrong that can be known before the first step; after
    that, a report is always returned, whatever steps do. KeyboardInterrupt, SystemExit and other interrupts, of the
    caller or of a step, are raised again after an orderly end, with the report as their attribute `report`.

    >>> import wfplan
    >>> report = run(wfplan.plan({"greet": [], "ask": ["greet"]}), {"greet": lambda: "hello", "ask": lambda: 1 / 0})
    >>> report.statuses, report.steps["ask"].error.type
    ({'greet': 'succeeded', 'ask': 'failed'}, 'ZeroDivisionError')
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
    return _Run(opening, stop).wait()


class _Run:
    """A run in a thread of its own: an interrupt of the caller's cannot hit it in the middle of a line."""

    def __init__(self, opening: Opening, stop: StopSignal | None) -> None:
        self._opening = opening
        self._stop = stop
        self._inbox: SimpleQueue[Any] = SimpleQueue()
        self._loop = LoopThread()
        self._ended = threading.Event()
        self._abandoned = False
        self._report: ExecutionReport | None = None
        self._error: BaseException | None = None

    def wait(self) -> ExecutionReport:
        """Start, wait for the end, and give the report or raise what there is to raise."""
        interrupts: list[BaseException] = []
        context = contextvars.copy_context()
        driver = threading.Thread(target=context.run, args=(self._main,), name="wfplan-run", daemon=True)
        while True:
            try:
                if driver.ident is None:
                    driver.start()
                if self._ended.wait(_GLANCE):  # pragma: no branch - where it waits without an end
                    break
            except BaseException as error:  # raised again when the run has ended
                interrupts.append(error)
                self._inbox.put(Interrupt(error))
                if driver.ident is None or len(interrupts) > _PATIENCE_WITH_INTERRUPTS:
                    self._abandoned = True
                    if driver.ident is None:
                        self._opening.discard()
                    raise
        driver.join()
        raised = interrupts[0] if interrupts else self._error
        if raised is not None:
            if self._report is not None:
                raised.report = self._report  # type: ignore[attr-defined]
            raise raised
        assert self._report is not None  # noqa: S101 - for type checkers
        return self._report

    def _main(self) -> None:
        if self._abandoned:  # pragma: no cover - an interrupt came while this thread was being started
            return
        try:
            self._report = self._run()
        except BaseException as error:  # noqa: BLE001 - raised again in the thread of the caller
            self._error = error
        finally:
            self._ended.set()

    def _run(self) -> ExecutionReport:
        opening = self._opening
        try:
            if opening.finished is not None and opening.is_finished:
                self._give_up(opening)
                return opening.finished
            if opening.backend is not None and opening.backend.validate is not None:
                self._validate(opening.backend.validate)
            progress, backend = opening.settle()
        except BaseException:
            self._give_up(opening)
            raise
        if progress.max_parallel is None:
            progress.limit(default_limit())
        calls = Calls(backend, self._inbox.put, self._loop.submit, self._loop.submit)
        session = open_session(opening, progress, calls, self._stop, self._wake)
        if self._stop is not None:
            self._stop.connect(self._wake)
        try:
            session.begin()
            self._drive(session)
        except BaseException:
            session.abandon()
            raise
        finally:
            if self._stop is not None:
                self._stop.disconnect(self._wake)
        self._linger(session)
        session.keep_close_failure(self._close(backend))
        if not self._loop.close(LINGER_SECONDS / 2):
            session.keep_loop_leftover()
        self._take_all(session)
        calls.close()
        report = session.end()
        self._error = session.interrupt
        return report

    def _give_up(self, opening: Opening) -> None:
        """There is nothing to run."""
        opening.discard()
        error = self._close(opening.backend)
        if error is not None:
            tell_close_failure(error)
        self._loop.close(LINGER_SECONDS / 2)

    def _validate(self, validate: Callable[[ExecutionPlan], Any]) -> None:
        try:
            self._opening.keep_findings(self._loop.resolve(validate(self._opening.plan_to_validate)))
        except Exception as error:  # noqa: BLE001 - an executor that fails is refused
            self._opening.keep_failure(error)

    def _close(self, backend: Backend | None) -> BaseException | None:
        """Close the executor; what it raised."""
        try:
            if backend is not None and backend.close is not None:
                self._loop.resolve(backend.close())
        except BaseException as error:  # noqa: BLE001 - the run has ended all the same
            return error
        return None

    def _drive(self, session: Session) -> None:
        self._step(session)
        while session.is_active:
            with suppress(Empty):
                session.take(self._inbox.get(timeout=session.patience))
            self._step(session)

    def _step(self, session: Session) -> None:
        self._take_all(session)
        session.pump()
        session.release(session.save(session.unsaved()))

    def _take_all(self, session: Session) -> None:
        while not self._inbox.empty():
            session.take(self._inbox.get_nowait())

    def _linger(self, session: Session) -> None:
        """Wait for what was cancelled and is on its way to its end, but not for long."""
        until = time.monotonic() + LINGER_SECONDS
        while session.lingers and time.monotonic() < until:
            try:
                session.take(self._inbox.get(timeout=max(until - time.monotonic(), 0.0)))
            except Empty:
                return

    def _wake(self) -> None:
        self._inbox.put(None)
