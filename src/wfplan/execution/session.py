"""Session: what both drivers do, between the progress of a run and its calls."""

from __future__ import annotations

import asyncio
import logging
import time
from concurrent.futures import CancelledError

from wfplan.execution.backend import tell_close_failure
from wfplan.execution.calls import Calls, Outcome
from wfplan.execution.events import Event, guarded
from wfplan.execution.logs import log_event
from wfplan.execution.loop_thread import LoopThread
from wfplan.execution.opening import Opening
from wfplan.execution.progress import Progress
from wfplan.execution.report import ExecutionReport
from wfplan.execution.signals import StopSignal
from wfplan.names import quote
from wfplan.problems import ProblemList

__all__ = ["LINGER_SECONDS", "Interrupt", "Session"]

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

    def __init__(self, opening: Opening, progress: Progress, calls: Calls, stop: StopSignal | None) -> None:
        self._progress = progress
        self._calls = calls
        self._stop = stop
        self._heeded = (False, False)
        self._problems = ProblemList(opening.warnings)
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
        for call in self._progress.start_again(self._now()):
            self._calls.start(call)

    @property
    def is_active(self) -> bool:
        """Whether any step has not ended."""
        return self._progress.is_active()

    @property
    def patience(self) -> float | None:
        """Seconds until `pump` has something to do even if nothing comes in."""
        wake_at = self._progress.wake_at
        return None if wake_at is None else min(max(wake_at - self._now(), 0.0), _LONGEST_WAIT)

    def pump(self) -> None:
        """Start what may start, cancel what has to end."""
        if self._stop is not None and (self._stop.is_set, self._stop.cancels) != self._heeded:
            self._heeded = (self._stop.is_set, self._stop.cancels)
            self._progress.stop(cancel=self._stop.cancels, now=self._now())
        self._start_and_cancel()
        while self._interrupts:
            self._heed(self._interrupts.pop(0))
            self._start_and_cancel()

    def _start_and_cancel(self) -> None:
        for call in self._progress.get_ready(self._now()):
            self._calls.start(call)
        for name in self._progress.get_cancellations():
            self._calls.cancel(name)

    def take(self, message: Outcome | Interrupt | None) -> None:
        """Note what came in: the outcome of a call, an interrupt, or None, which only wakes."""
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
        self._tell(kind="run-ended", phase=report.phase)
        self.interrupt = next(iter([*filter(None, [self.interrupt]), *self._interrupts]), None)
        return report

    def _heed(self, error: BaseException) -> None:
        """An orderly end, with a short wait for what was cancelled; at the second interrupt without any."""
        grace = LINGER_SECONDS if self.interrupt is None else 0.0
        self.interrupt = self.interrupt or error
        self._progress.stop(cancel=True, grace_seconds=grace, now=self._now())

    def _now(self) -> float:
        return self._epoch + time.monotonic()

    def _tell(self, **facts: object) -> None:
        if self._observers:
            event = Event.model_validate({"at": self._now(), "run_id": self._progress.run_id, **facts})
            for observer in self._observers:
                observer(event)
