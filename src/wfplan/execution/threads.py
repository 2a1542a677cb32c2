"""run: run a plan with threads."""

from __future__ import annotations

import contextvars
import sys
import threading
import time
from math import inf
from os import PathLike
from queue import Empty, SimpleQueue
from typing import Any, Callable, Iterable, Mapping

from wfplan.execution.calls import Calls, Outcome
from wfplan.execution.events import Observer
from wfplan.execution.executor_adapter import ExecutorAdapter
from wfplan.execution.interface import Executor
from wfplan.execution.loop_thread import LoopThread
from wfplan.execution.preparation import PreparedRun, RunArguments
from wfplan.execution.progress import Progress
from wfplan.execution.report import ExecutionReport
from wfplan.execution.session import LINGER_SECONDS, Close, Closed, Interrupt, Save, Session, Task, Validate, Wait
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
    hold: Iterable[str] | None = None,
    stop: StopSignal | None = None,
    tracebacks: bool = True,
    observers: Iterable[Observer] = (),
) -> ExecutionReport:
    """Run a plan to its end and return its report.

    Once a step has started, a report is always returned, whatever steps do. KeyboardInterrupt, SystemExit and other
    interrupts, of the caller or of a step, are raised again after an orderly end, with the report as their attribute
    `report`.

    Args:
        plan: The plan. A `Progress` in its place continues from there, and can be watched.
        executor: What runs the steps: an `Executor`, or a mapping from actions to functions.
        schedule: `batch` (one batch after the other) or `eager` (each step as soon as it may). None: the plan's own.
        max_parallel: The most steps in flight, at least 1; the lower of this and the plan's own applies. If neither is
            set, min(32, CPUs + 4).
        on_failure: `stop`, `cancel` or `skip-dependents`. None: the plan's own.
        dry_run: True: a dry run and nothing else. False or None: a dry run first, if the plan asks for one.
        journal: The path of a file that records the run. It is created; or the unfinished run in it is continued; or
            the report of the finished run in it is returned. None: no journal.
        resume: The report of an earlier run, whose succeeded steps are kept. None: start from the beginning.
        run_id: The id of the run, part of every idempotency key. None: that of the run that is continued, else a
            random one.
        hold: Names of steps that must not start; the run is suspended once nothing else can run. None: those already
            held by the run that is continued; `()` releases them.
        stop: A signal that ends or suspends the run from another thread. None: nothing does.
        tracebacks: Whether errors in the report keep their tracebacks.
        observers: Callables that receive each `Event`, one at a time; what they raise is logged.

    Raises:
        RefusedError: With every problem that can be known before the first step; nothing has run.

    >>> import wfplan
    >>> report = run(wfplan.plan({"greet": [], "ask": ["greet"]}), {"greet": lambda: "hello", "ask": lambda: 1 / 0})
    >>> report.statuses, report.steps["ask"].error.type
    ({'greet': 'succeeded', 'ask': 'failed'}, 'ZeroDivisionError')
    """
    given = RunArguments(
        schedule, max_parallel, on_failure, dry_run, journal, resume, run_id, hold, stop, tracebacks, observers
    )
    return _Run(PreparedRun(plan, executor, given), stop).wait()


class _Run:
    """A run in a thread of its own: an interrupt of the caller's cannot hit it in the middle of a line.

    That thread does what may block and keeps the time. But a worker that has an outcome goes on with the run itself, if
    nobody else does at this moment: to hand the outcome to another thread would cost more than all the rest.
    """

    def __init__(self, prepared: PreparedRun, stop: StopSignal | None) -> None:
        self._prepared = prepared
        self._session = Session(prepared, stop, self._wake, self._make_calls, always_threads=True)
        self._life = self._session.live()
        self._task: Task | None = Wait(None)
        self._turn = threading.Lock()
        self._bell: SimpleQueue[None] = SimpleQueue()
        self._sleeps_until = inf
        self._context = contextvars.copy_context()
        self._loop = LoopThread()
        self._ended = threading.Event()
        self._report: ExecutionReport | None = None
        self._error: BaseException | None = None

    def wait(self) -> ExecutionReport:
        """Start, wait for the end, and give the report or raise what there is to raise."""
        interrupts: list[BaseException] = []
        driver = threading.Thread(target=self._main, name="wfplan-run", daemon=True)
        while True:
            try:
                if driver.ident is None:
                    driver.start()
                if self._ended.wait(_GLANCE):  # pragma: no branch - where it waits without an end
                    break
            except BaseException as error:  # raised again when the run has ended
                interrupts.append(error)
                self._post(Interrupt(error))
                if driver.ident is None or len(interrupts) > _PATIENCE_WITH_INTERRUPTS:
                    if driver.ident is None:
                        self._task = None
                        self._prepared.discard()
                    raise
        driver.join()
        raised = next(iter([*interrupts, *filter(None, [self._error, self._session.interrupt])]), None)
        if raised is None:
            assert self._report is not None  # noqa: S101 - for type checkers
            return self._report
        if self._report is not None:
            raised.report = self._report  # type: ignore[attr-defined]
        raise raised

    def _main(self) -> None:
        """Drive the run, in its own thread."""
        answer: object = None
        while self._task is not None:
            with self._turn:
                self._context.run(self._go_on, answer)
            answer = self._do_task()
        self._ended.set()

    def _do_task(self) -> object:
        """Sleep for as long as there is nothing to do; give the answer to what is asked then."""
        while isinstance(self._task, Wait):
            self._sleep()
        return None if self._task is None else self._context.run(self._perform, self._task)

    def _go_on(self, answer: object) -> None:
        """Have the session go on to the next thing that is not to be done on the spot; the turn is this thread's."""
        try:
            task = self._life.send(answer)
            while isinstance(task, Save):
                task = self._life.send(task.write())
        except StopIteration as end:
            self._report, self._task = end.value, None
        except BaseException as error:  # noqa: BLE001 - raised again in the thread of the caller
            self._error, self._task = error, None
        else:
            self._task = task

    def _sleep(self) -> None:
        """Take the turn while there is one to take, then wait for the bell, or until something is due."""
        self._take_turns()
        self._sleeps_until = inf  # before the task is looked at: a worker that changes it from now on rings
        task = self._task
        if not isinstance(task, Wait):
            return
        if task.until is not None:
            self._sleeps_until = task.until
        try:
            self._bell.get(timeout=None if task.until is None else max(task.until - time.monotonic(), 0.0))
        except Empty:
            self._session.post(None)

    def _take_turns(self) -> None:
        """Go on with the run while there is mail, unless another thread does: that one looks again when it is done."""
        while self._session.has_mail and self._waits() and self._turn.acquire(blocking=False):
            try:
                if self._waits():  # pragma: no branch - another thread may have had the turn in between
                    self._context.run(self._go_on, None)
            finally:
                self._turn.release()

    def _waits(self) -> bool:
        return isinstance(self._task, Wait)

    def _help(self, outcome: Outcome) -> None:
        """Continue the run from a worker that has an outcome; leave to the run's thread what only that can do."""
        self._session.post(outcome)
        self._take_turns()
        task = self._task
        if not isinstance(task, Wait) or (task.until is not None and task.until < self._sleeps_until):
            self._bell.put(None)

    def _post(self, message: Outcome | Interrupt | None) -> None:
        """Post a message, from any thread or from a signal handler."""
        self._session.post(message)
        self._bell.put(None)

    def _wake(self) -> None:
        self._post(None)

    def _make_calls(self, backend: ExecutorAdapter) -> Calls:
        return Calls(backend, self._post, self._loop.submit, self._loop.submit, help_with=self._help)

    def _perform(self, task: Task) -> object:
        try:
            if isinstance(task, Validate):
                task.keep(self._loop.resolve(task.validate(task.plan)))
            elif isinstance(task, Close) and task.close is not None:
                self._loop.resolve(task.close())
        except BaseException as error:  # noqa: BLE001 - the session knows what to do with it
            raised: BaseException | None = error
        else:
            raised = None
        if isinstance(task, Close):
            return Closed(raised, self._loop.close(LINGER_SECONDS / 2))
        return raised
