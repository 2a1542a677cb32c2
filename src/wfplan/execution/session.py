"""The life of a run as one generator of requests; it does no I/O itself."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from concurrent.futures import CancelledError
from types import AsyncGeneratorType, GeneratorType
from typing import Any, Callable, Deque, Generator, NamedTuple, Union

from typing_extensions import TypeAlias

from wfplan._internal.messages import quote
from wfplan.errors import PermanentError
from wfplan.execution.calls import Calls, Outcome
from wfplan.execution.events import Event, guarded
from wfplan.execution.executor_adapter import ExecutorAdapter, log_close_failure
from wfplan.execution.interface import StepCall
from wfplan.execution.journal.writer import Journal
from wfplan.execution.loop_thread import LoopThread
from wfplan.execution.observers.logging import log_event
from wfplan.execution.preparation import PreparedRun, default_limit
from wfplan.execution.progress import CANCEL_GRACE_SECONDS, Progress
from wfplan.execution.report import ExecutionReport, Reason
from wfplan.execution.signals import StopSignal
from wfplan.plans import ExecutionPlan
from wfplan.problems import ProblemCollector

__all__ = ["LINGER_SECONDS", "Close", "Closed", "Interrupt", "Save", "Session", "Task", "Validate", "Wait"]

LINGER_SECONDS = 1.0
"""How long cancelled calls are waited for after an interrupt, and at the end of a run."""

_LONGEST_WAIT = 86_400.0
_GENERATORS = (GeneratorType, AsyncGeneratorType)
_logger = logging.getLogger("wfplan")


class Interrupt(NamedTuple):
    """A message to a session: the caller wants to be gone."""

    error: BaseException


class Validate(NamedTuple):
    """Ask the executor what is wrong with the plan, and hand that to `keep`; answer with what was raised, or None."""

    validate: Callable[[ExecutionPlan], Any]
    plan: ExecutionPlan
    keep: Callable[[Any], None]


class Save(NamedTuple):
    """Call `write`, which may block for as long as the disk does; answer with what it returns."""

    write: Callable[[], OSError | None]


class Wait(NamedTuple):
    """Come back when there is mail, and no later than at a moment of `time.monotonic`; None: whenever that is."""

    until: float | None


class Close(NamedTuple):
    """Close the executor, if there is something to call, and what the driver itself has opened; answer `Closed`."""

    close: Callable[[], Any] | None


class Closed(NamedTuple):
    """What came of closing."""

    error: BaseException | None
    """What the executor raised."""
    loop_has_ended: bool = True
    """Whether nothing is left on an event loop of the driver's own."""


Task: TypeAlias = Union[Validate, Save, Wait, Close]
"""What a driver does for a session before it sends the answer."""


class Session:
    """One run: a driver does what `live` yields, and brings the messages. For one thread at a time, but for `post`."""

    interrupt: BaseException | None = None
    """What is to be raised when the run has ended: an interrupt of the caller's, or one that a step raised."""

    def __init__(
        self,
        prepared: PreparedRun,
        stop: StopSignal | None,
        wake: Callable[[], object],
        make_calls: Callable[[ExecutorAdapter], Calls],
        *,
        always_threads: bool,
    ) -> None:
        """`wake` brings the driver, from any thread, to go on; `always_threads`: whether each step is one of a thread.

        `make_calls` is asked once it is known that there is something to run.
        """
        self._prepared = prepared
        self._stop = stop
        self._wake = wake
        self._make_calls = make_calls
        self._always_threads = always_threads
        self._inbox: Deque[Outcome | Interrupt | None] = deque()
        self._heeded = (False, False, False)
        self._due: list[StepCall] = []
        self._made_before: set[str] = set()
        self._problems = ProblemCollector()
        self._journal: Journal | None = None
        self._interrupts: list[BaseException] = []  # of observers, which may be called in the middle of anything
        self._observers: list[Callable[[Event], object]] = []

    def post(self, message: Outcome | Interrupt | None) -> None:
        """Leave the outcome of a call, an interrupt, or None, for the next time the session goes on. For any thread."""
        self._inbox.append(message)

    @property
    def has_mail(self) -> bool:
        """Whether a message was left that the session has not looked at."""
        return bool(self._inbox)

    def live(self) -> Generator[Task, Any, ExecutionReport]:
        """Yield what is to be done, from the checks before the first step to the report of the run.

        Raises RefusedError if nothing can run, and what the executor's `validate` raised if that is not an Exception.
        """
        prepared = self._prepared
        refused: BaseException | None = None
        try:
            if not prepared.is_finished:
                refused = yield from self._validate()
            if refused is None and not prepared.is_finished:
                return (yield from self._run(*prepared.start()))
        except Exception as error:  # noqa: BLE001 - raised again when the executor is closed
            refused = error
        finally:
            prepared.discard()
        closed = yield from self._close(prepared.backend)
        if closed.error is not None:
            log_close_failure(closed.error)
        if refused is not None:
            raise refused
        assert prepared.finished is not None  # noqa: S101 - for type checkers
        return prepared.finished

    def _validate(self) -> Generator[Task, Any, BaseException | None]:
        """Ask the executor; an interrupt that came meanwhile."""
        prepared, backend = self._prepared, self._prepared.backend
        if backend is None or backend.validate is None:
            return None
        error = yield Validate(backend.validate, prepared.plan_to_validate, prepared.keep_findings)
        if isinstance(error, Exception):  # an executor that fails is refused
            prepared.keep_failure(error)
            return None
        return error  # type: ignore[no-any-return]

    def _close(self, backend: ExecutorAdapter | None) -> Generator[Task, Any, Closed]:
        return (yield Close(None if backend is None else backend.close))  # type: ignore[no-any-return]

    def _run(self, progress: Progress, backend: ExecutorAdapter) -> Generator[Task, Any, ExecutionReport]:
        if progress.max_parallel is None and (self._always_threads or backend.needs_threads(progress.plan)):
            progress.lower_max_parallel(default_limit())
        self._progress, self._calls = progress, self._make_calls(backend)
        self._problems = ProblemCollector(self._prepared.warnings)
        self._journal = self._prepared.open_journal()
        self._listen()
        if self._stop is not None:
            self._stop.connect(self._wake)
        try:
            self._begin()
            yield from self._drive()
            yield from self._linger()
            self._keep_failures_to_close((yield from self._close(backend)))
        finally:
            if self._stop is not None:
                self._stop.disconnect(self._wake)
        self._take_all()
        self._calls.close()
        return (yield from self._end())

    def _listen(self) -> None:
        self._progress.set_waker(self._wake)
        self._observers = [guarded(observer, self._interrupts.append) for observer in self._prepared.observers]
        if _logger.isEnabledFor(logging.INFO):
            self._observers.append(log_event)
        for observer in self._observers:
            self._progress.subscribe(observer)
        # Wall clock at the start, monotonic from then on: a clock that is set back changes nothing.
        self._epoch = max(time.time(), self._progress.now) - time.monotonic()

    def _begin(self) -> None:
        """Emit that the run starts; calls that another process had in flight are made again."""
        steps = len(self._progress.plan.workflow.steps)
        self._emit(kind="run-started", steps=steps, ended_steps=steps - self._progress.remaining)
        again = self._progress.restart_in_flight(self._now())
        self._made_before = {call.step.name for call in again}
        self._due.extend(again)

    def _drive(self) -> Generator[Task, Any, None]:
        """Look for what may start and what has to end, write it down, only then do it, wait; until all has ended."""
        while True:
            self._take_all()
            self._look()
            data = b"" if self._journal is None else self._journal.take()
            self._release((yield from self._save(data)))
            if not self._progress.is_active():
                return
            yield Wait(self._wake_at())

    def _wake_at(self) -> float | None:
        """Return when there is something to do even if nothing comes in."""
        due = self._progress.next_deadline
        return None if due is None else min(due - self._epoch, time.monotonic() + _LONGEST_WAIT)

    def _look(self) -> None:
        self._heed_signal()
        self._due.extend(self._progress.get_ready(self._now()))
        while self._interrupts:
            self._interrupt(self._interrupts.pop(0))
            self._due.extend(self._progress.get_ready(self._now()))

    def _save(self, data: bytes) -> Generator[Task, Any, OSError | None]:
        """Have this on disk; why that cannot be."""
        journal = self._journal
        if not data or journal is None:
            return None

        def write() -> OSError | None:
            try:
                journal.write(data)
            except OSError as error:
                return error
            return None

        return (yield Save(write))  # type: ignore[no-any-return]

    def _release(self, error: OSError | None) -> None:
        """Start what may start, cancel what has to end; without a journal, nothing starts that was to be in it."""
        if error is not None:
            self._lose_journal(error)
        due, self._due = self._due, []
        for call in due:
            self._calls.start(call)
        for name in self._progress.get_cancellations():
            self._calls.cancel(name)

    def _lose_journal(self, error: OSError) -> None:
        self._keep_journal_failure(error)
        self._halt(cancel=False)
        due, self._due = self._due, []
        for call in due:
            # What a process before this one had started may have happened, so that its effect is not known.
            reason: Reason | None = None if call.step.name in self._made_before else "journal-failed"
            self._progress.cancelled(call.step.name, now=self._now(), reason=reason)

    def _keep_journal_failure(self, error: OSError) -> None:
        message = f"the journal could not be written: {error.strerror or error}"
        _logger.error("run %s: %s", self._progress.run_id, message)
        advice = "the report has what the journal has not: resume it"
        self._problems.add("journal-failed", message, suggestion=advice)
        assert self._journal is not None  # noqa: S101 - for type checkers
        self._journal.close()
        self._journal = None

    # What comes in.

    def _take_all(self) -> None:
        while self._inbox:
            self._take(self._inbox.popleft())

    def _take(self, message: Outcome | Interrupt | None) -> None:
        self._heed_signal()  # first: what fails after it is not rolled back
        if isinstance(message, Interrupt):
            self._interrupt(message.error)
        elif message is not None and self._calls.accept(message):
            name, now = message.attempt.call.step.name, self._now()
            if message.error is None and issubclass(type(message.output), _GENERATORS):
                self._progress.failed(name, PermanentError("it gave a generator, in which nothing has run"), now=now)
            elif message.error is None:
                self._progress.done(name, message.output, now=now)
            elif issubclass(type(message.error), (asyncio.CancelledError, CancelledError)):
                self._progress.cancelled(name, now=now)
            else:
                if not issubclass(type(message.error), Exception):  # by its real class, whatever it says of itself
                    self._interrupt(message.error)  # first: nothing follows from this failure before the run goes on
                self._progress.failed(name, message.error, now=now)

    def _heed_signal(self) -> None:
        stop = self._stop
        if stop is None or not stop.is_set or (stop.ends, stop.suspends, stop.cancels) == self._heeded:
            return
        self._heeded = (stop.ends, stop.suspends, stop.cancels)
        if stop.ends:
            self._halt(cancel=stop.cancels)
        if stop.suspends:
            self._progress.suspend(cancel=stop.cancels, grace_seconds=CANCEL_GRACE_SECONDS, now=self._now())

    def _interrupt(self, error: BaseException) -> None:
        """Suspend, with a short wait for what was cancelled; at the second interrupt without any."""
        grace = LINGER_SECONDS if self.interrupt is None else 0.0
        self.interrupt = self.interrupt or error
        self._progress.suspend(cancel=True, grace_seconds=grace, now=self._now())

    def _halt(self, *, cancel: bool) -> None:
        """End the run from outside."""
        now = self._now()
        if self._journal is not None:
            self._journal.note_stop(now, cancel=cancel)  # first: what follows from it is not a failure
        self._progress.stop(cancel=cancel, grace_seconds=CANCEL_GRACE_SECONDS, now=now)

    # The end.

    def _linger(self) -> Generator[Task, Any, None]:
        """Wait for what was cancelled and is on its way to its end, but not for long."""
        until = time.monotonic() + LINGER_SECONDS
        while self._lingers and time.monotonic() < until:
            yield Wait(until)
            interrupted = any(isinstance(message, Interrupt) for message in self._inbox)
            self._take_all()
            if interrupted:
                return

    def _keep_failures_to_close(self, closed: Closed) -> None:
        if closed.error is not None:
            self._problems.add("close-failed", log_close_failure(closed.error))
        if not isinstance(closed.error, (Exception, type(None))):
            self.interrupt = self.interrupt or closed.error
        if not closed.loop_has_ended and not self._lingers:
            message = f"the thread {quote(LoopThread.name)} still runs something that a step has left there"
            self._problems.add("abandoned", message)

    @property
    def _lingers(self) -> bool:
        """Whether a call that was cancelled is still on its way to its end on an event loop."""
        return any(attempt.on_loop for attempt in self._calls.open)

    def _end(self) -> Generator[Task, Any, ExecutionReport]:
        """Return the report of the run, which has ended or is suspended, after recording that in the journal."""
        for attempt in self._calls.open:
            name = attempt.call.step.name
            where = f"the thread {quote(attempt.thread)}" if attempt.thread else "the event loop"
            where = "the pool" if attempt.future is not None else where
            self._problems.add(
                "abandoned", f"{where} still runs step {quote(name)}, which nobody waits for", steps=(name,)
            )
        report = self._progress.report(self._problems.as_tuple())
        if self._journal is not None:
            self._journal.note_end(self._now(), report)
            error = yield from self._save(self._journal.take())
            if error is not None:
                self._keep_journal_failure(error)
                report = self._progress.report(self._problems.as_tuple())
        kind = "run-suspended" if report.phase == "suspended" else "run-ended"
        self._emit(kind=kind, phase=report.phase, report=report)
        self.interrupt = next(iter([*filter(None, [self.interrupt]), *self._interrupts]), None)
        return report

    def _now(self) -> float:
        return self._epoch + time.monotonic()

    def _emit(self, **facts: Any) -> None:
        if self._observers:
            event = Event(at=self._now(), run_id=self._progress.run_id, **facts)
            for observer in self._observers:
                observer(event)
