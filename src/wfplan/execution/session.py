"""Session: what both drivers do, between the progress of a run and its calls."""

from __future__ import annotations

import asyncio
import logging
import time
from concurrent.futures import CancelledError
from typing import Callable

from wfplan.execution.backend import tell_close_failure
from wfplan.execution.calls import Calls, Outcome
from wfplan.execution.events import Event, guarded
from wfplan.execution.interface import StepCall
from wfplan.execution.journal import Journal
from wfplan.execution.logs import log_event
from wfplan.execution.loop_thread import LoopThread
from wfplan.execution.opening import Opening
from wfplan.execution.progress import CANCEL_GRACE_SECONDS, Progress
from wfplan.execution.report import ExecutionReport, Reason
from wfplan.execution.signals import StopSignal
from wfplan.names import quote
from wfplan.problems import ProblemList

__all__ = ["LINGER_SECONDS", "Interrupt", "Session", "open_session"]

LINGER_SECONDS = 1.0
"""How long cancelled calls are waited for after an interrupt, and at the end of a run."""

_LONGEST_WAIT = 86_400.0
_logger = logging.getLogger("wfplan")


class Interrupt:
    """A message to a session: the caller wants to be gone."""

    __slots__ = ("error",)

    def __init__(self, error: BaseException) -> None:
        self.error: BaseException = error


class Session:
    """Starts what may start, cancels what has to end, and tells the progress what came of it. Used by one thread."""

    interrupt: BaseException | None = None
    """What is to be raised when the run has ended: an interrupt of the caller's, or one that a step raised."""

    def __init__(
        self,
        opening: Opening,
        progress: Progress,
        calls: Calls,
        stop: StopSignal | None,
        wake: Callable[[], object],
    ) -> None:
        """`wake` brings the driver, from any thread, to call `pump`."""
        self._progress = progress
        self._calls = calls
        self._stop = stop
        self._heeded = (False, False)
        self._due: list[StepCall] = []
        self._made_before: set[str] = set()
        self._problems = ProblemList(opening.warnings)
        self._journal = opening.open_journal()
        progress.wake_with(wake)
        self._interrupts: list[BaseException] = []  # of observers, which may be called in the middle of anything
        self._observers = [guarded(observer, self._interrupts.append) for observer in opening.observers]
        if _logger.isEnabledFor(logging.INFO):
            self._observers.append(log_event)
        for observer in self._observers:
            progress.subscribe(observer)
        # Wall clock at the start, monotonic from then on: a clock that is set back changes nothing.
        self._epoch = max(time.time(), progress.now) - time.monotonic()

    def begin(self) -> None:
        """Tell that the run starts; calls that somebody else had started and nobody knows of are made again."""
        steps = len(self._progress.plan.workflow.steps)
        self._tell(kind="run-started", steps=steps, ended_steps=steps - self._progress.remaining)
        again = self._progress.start_again(self._now())
        self._made_before = {call.step.name for call in again}
        self._due.extend(again)

    @property
    def is_active(self) -> bool:
        """Whether any step has not ended."""
        return self._progress.is_active()

    @property
    def patience(self) -> float | None:
        """Seconds until `pump` has something to do even if nothing comes in."""
        wake_at = self._progress.wake_at
        return None if wake_at is None else min(max(wake_at - self._now(), 0.0), _LONGEST_WAIT)

    # What is due is looked for, written down, and only then done: `pump`, `unsaved`, `save`, `release`.

    def pump(self) -> None:
        """Look for what may start and what has to end."""
        self._heed_signal()
        self._due.extend(self._progress.get_ready(self._now()))
        while self._interrupts:
            self._heed(self._interrupts.pop(0))
            self._due.extend(self._progress.get_ready(self._now()))

    def unsaved(self) -> bytes:
        """What the journal is to hold before anything that is due is done."""
        return b"" if self._journal is None else self._journal.take()

    def save(self, data: bytes) -> OSError | None:
        """Have it on disk, or tell why that cannot be. May be called by any thread."""
        try:
            if data and self._journal is not None:
                self._journal.write(data)
        except OSError as error:
            return error
        return None

    def release(self, error: OSError | None = None) -> None:
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
        self._halt(cancel=False, grace_seconds=CANCEL_GRACE_SECONDS)
        due, self._due = self._due, []
        for call in due:
            # What a process before this one had started may have happened, so that its effect is not known.
            reason: Reason | None = None if call.step.name in self._made_before else "journal-failed"
            self._progress.cancelled(call.step.name, now=self._now(), reason=reason)

    def _keep_journal_failure(self, error: OSError) -> None:
        told = f"the journal could not be written: {error.strerror or error}"
        _logger.error("run %s: %s", self._progress.run_id, told)
        advice = "the report has what the journal has not: resume it"
        self._problems.add("journal-failed", told, suggestion=advice)
        assert self._journal is not None  # noqa: S101 - for type checkers
        self._journal.close()
        self._journal = None

    def take(self, message: Outcome | Interrupt | None) -> None:
        """Note what came in: the outcome of a call, an interrupt, or None, which only wakes."""
        self._heed_signal()  # first: what fails after it is not rolled back
        if isinstance(message, Interrupt):
            self._heed(message.error)
        elif message is not None and self._calls.settle(message):
            name, now = message.attempt.call.step.name, self._now()
            if message.error is None:
                self._progress.done(name, message.output, now=now)
            elif issubclass(type(message.error), (asyncio.CancelledError, CancelledError)):
                self._progress.cancelled(name, now=now)
            else:
                self._progress.failed(name, message.error, now=now)
                if not issubclass(type(message.error), Exception):  # by its real class, whatever it says of itself
                    self._heed(message.error)

    @property
    def lingers(self) -> bool:
        """Whether a call that was cancelled is still on its way to its end."""
        return any(attempt.on_loop for attempt in self._calls.open)

    def keep_close_failure(self, error: BaseException | None) -> None:
        """Note that the executor could not be closed, if so."""
        if error is not None:
            self._problems.add("close-failed", tell_close_failure(error))
        if not isinstance(error, (Exception, type(None))):
            self.interrupt = self.interrupt or error

    def keep_loop_leftover(self) -> None:
        """Note that the event loop of the run has not ended."""
        if not self.lingers:
            told = f"the thread {quote(LoopThread.name)} still runs something that a step has left there"
            self._problems.add("leftover", told)

    def end(self) -> ExecutionReport:
        """The report of the run, which has ended."""
        for attempt in self._calls.open:
            name = attempt.call.step.name
            where = f"the thread {quote(attempt.thread)}" if attempt.thread else "the event loop"
            where = "the pool" if attempt.future is not None else where
            self._problems.add("leftover", f"{where} still runs step {quote(name)}, whose time is up", steps=(name,))
        report = self._progress.report(self._problems.listed())
        if self._journal is not None:
            report = self._write_end(self._journal, report)
        self._tell(kind="run-ended", phase=report.phase)
        self.interrupt = next(iter([*filter(None, [self.interrupt]), *self._interrupts]), None)
        return report

    def _write_end(self, journal: Journal, report: ExecutionReport) -> ExecutionReport:
        """Write the end of the journal; the report, which tells if that cannot be."""
        journal.note_end(self._now(), report)
        error = self.save(journal.take())
        if error is None:
            journal.close()
            return report
        self._keep_journal_failure(error)
        return self._progress.report(self._problems.listed())

    def abandon(self) -> None:
        """The driver itself has failed: let the journal go."""
        if self._journal is not None:
            self._journal.close()

    def _heed_signal(self) -> None:
        if self._stop is not None and (self._stop.is_set, self._stop.cancels) != self._heeded:
            self._heeded = (self._stop.is_set, self._stop.cancels)
            self._halt(cancel=self._stop.cancels, grace_seconds=CANCEL_GRACE_SECONDS)

    def _heed(self, error: BaseException) -> None:
        """An orderly end, with a short wait for what was cancelled; at the second interrupt without any."""
        grace = LINGER_SECONDS if self.interrupt is None else 0.0
        self.interrupt = self.interrupt or error
        self._halt(cancel=True, grace_seconds=grace)

    def _halt(self, *, cancel: bool, grace_seconds: float) -> None:
        """Stop the run from outside."""
        now = self._now()
        if self._journal is not None:
            self._journal.note_stop(now, cancel=cancel)  # first: what follows from it is no failure
        self._progress.stop(cancel=cancel, grace_seconds=grace_seconds, now=now)

    def _now(self) -> float:
        return self._epoch + time.monotonic()

    def _tell(self, **facts: object) -> None:
        if self._observers:
            event = Event.model_validate({"at": self._now(), "run_id": self._progress.run_id, **facts})
            for observer in self._observers:
                observer(event)


def open_session(
    opening: Opening, progress: Progress, calls: Calls, stop: StopSignal | None, wake: Callable[[], object]
) -> Session:
    """A session; if there cannot be one, the journal is let go."""
    try:
        return Session(opening, progress, calls, stop, wake)
    except BaseException:
        opening.discard()
        raise
