"""Progress: the pure state machine between a plan and whatever runs its steps."""

from __future__ import annotations

import os
from typing import Any, Iterable, Mapping, Sequence

from wfplan.collector import without_collection
from wfplan.execution.events import Event, EventKind, Observer
from wfplan.execution.interface import StepCall
from wfplan.execution.layout import Layout
from wfplan.execution.ledger import TIMED_OUT, Ledger
from wfplan.execution.ready import ReadyQueue
from wfplan.execution.report import ExecutionReport, Phase, Reason, Status, StepError, StepReport
from wfplan.execution.settings import RunSettings, settle
from wfplan.execution.state import check_state, counts_as_done
from wfplan.execution.timetable import Timetable
from wfplan.models import OnFailure, RetryPolicy, Schedule
from wfplan.names import quote
from wfplan.plans import ExecutionPlan
from wfplan.problems import PermanentError, Problem, ProblemList, RefusedError
from wfplan.values import trusted

__all__ = ["CANCEL_GRACE_SECONDS", "Progress"]

CANCEL_GRACE_SECONDS = 10.0
"""How long what was asked to end is waited for."""

_LONGEST_DELAY = 1e9  # thirty years: what is beyond is never, and stays a finite number


class Progress:
    """What has happened in a run, and what may happen next; in the spirit of graphlib's TopologicalSorter.

    It starts nothing, waits for nothing and reads no clock: `now` is an argument, in seconds, and never goes back
    (an earlier one counts as the latest one known). Ask `get_ready` what to start, tell `done`, `failed` or
    `cancelled` what came of it, and come back at `wake_at` at the latest. Not for several threads at once.

    >>> import wfplan
    >>> progress = Progress(wfplan.plan({"shirt": [], "tie": ["shirt"]}), run_id="monday")
    >>> [call.step.name for call in progress.get_ready(now=0)]
    ['shirt']
    >>> progress.done("shirt", now=2)
    >>> [call.step.name for call in progress.get_ready(now=2)]
    ['tie']
    >>> progress.failed("tie", "torn", now=3)
    >>> progress.is_active(), progress.report().phase
    (False, 'failed')
    """

    plan: ExecutionPlan
    run_id: str
    settings: RunSettings
    """How the plan is walked: its own settings, with what was given in their place."""

    def __init__(
        self,
        plan: ExecutionPlan,
        state: Iterable[StepReport] | ExecutionReport = (),
        *,
        schedule: Schedule | None = None,
        max_parallel: int | None = None,
        on_failure: OnFailure | None = None,
        run_id: str | None = None,
    ) -> None:
        """The progress of a new run, or of one that got as far as `state` tells.

        `state` is any consistent mix of step reports, those that are missing being pending; or a whole report, which
        also tells the run id and whether the run was stopped. A keyword that is not given comes from the plan, the
        lower `max_parallel` wins, and the run id is random. Raises RefusedError, with every problem, for a keyword or a
        state that cannot be.
        """
        problems = ProblemList()
        settings = settle(plan, schedule, max_parallel, on_failure, run_id, problems)
        report = state if isinstance(state, ExecutionReport) else None
        reports = check_state(plan, report.steps.values() if report else state, problems)  # type: ignore[arg-type]
        if problems.has_errors:
            raise RefusedError(problems.listed())
        self.plan = plan
        self.settings = settings
        self.run_id = run_id or (report.run_id if report else os.urandom(16).hex())
        self._observers: list[Observer] = []
        with without_collection():
            self._layout = layout = Layout(plan, settings.schedule)
        self._steps = plan.workflow.steps
        self._queue = ReadyQueue(layout.rank, layout.locks, layout.alone, settings.max_parallel)
        self._times = Timetable()
        self._ledger = Ledger(self._steps, layout)
        self._waits_for = list(map(len, layout.needs))
        self._in_flight: dict[int, None] = {}
        self._leftovers: dict[int, None] = {}  # of those in flight, the ones whose time is up
        self._cancel_by: dict[int, float] = {}
        self._to_cancel: list[int] = []
        self._asked_to_end: set[int] = set()
        self._stopped = False
        self._stopper: int | None = None
        self._unended = len(self._steps)
        self._open_batches = 0 if settings.schedule == "batch" else len(layout.batches)
        self._left_in_batch = list(map(len, layout.batches))
        self._now = 0.0
        self._restore(reports, stopped=bool(report and report.stopped))

    def get_ready(self, now: float) -> tuple[StepCall, ...]:
        """The calls to start now, in this order. They count as running from this moment on."""
        self._now = max(self._now, now)
        for due, number, at in self._times.pop_until(self._now):
            if due == "retry":
                self._queue.push(number)
            elif due == "attempt":
                self._time_is_up(number, at)
            else:
                self._lose(number)
        calls: list[StepCall] = []
        while True:
            started, in_vain = self._queue.take()
            calls.extend(map(self._start, started))
            for number, culprit in in_vain:
                if self._ledger.status[number] == "pending":  # the end of one may have stopped the run
                    self._block(number, culprit)
            if not in_vain:
                return tuple(calls)

    def get_cancellations(self) -> tuple[str, ...]:
        """The steps whose calls are to be cancelled, each told once: their time is up, or the run is to end."""
        told = tuple(self._layout.names[number] for number in self._to_cancel if number in self._in_flight)
        self._to_cancel.clear()
        return told

    def done(self, name: str, output: Any = None, *, now: float) -> None:
        """The call of this step came back with its output. Raises KeyError or ValueError if it was not in flight.

        After its time was up, as `get_ready` has noticed, the output is ignored.
        """
        number = self._land(name, now)
        if number is not None:
            self._ledger.outputs[number] = output
            self._ledger.errors.pop(number, None)
            self._end_attempt(number, "succeeded")

    def failed(self, name: str, error: BaseException | str, *, now: float, reason: Reason | None = None) -> None:
        """The call of this step failed. Raises KeyError or ValueError if it was not in flight.

        It is tried again if its retry policy and the state of the run allow it; never after a PermanentError, after
        what is no Exception, or where a `reason` says why not.
        """
        number = self._land(name, now)
        if number is not None:
            self._ledger.errors[number] = StepError.of(error)
            if reason is not None:
                self._ledger.reasons[number] = reason
            final = issubclass(type(error), PermanentError) or not issubclass(type(error), (Exception, str))
            self._end_attempt(number, "failed", final=final or reason is not None)

    def cancelled(self, name: str, *, now: float) -> None:
        """The call of this step was cancelled, by this run or by somebody else: it is not tried again.

        Raises KeyError or ValueError if it was not in flight.
        """
        number = self._land(name, now)
        if number is not None:
            self._ledger.errors.pop(number, None)
            self._end_attempt(number, "cancelled", final=True)

    def stop(
        self, *, cancel: bool = False, grace_seconds: float = CANCEL_GRACE_SECONDS, now: float | None = None
    ) -> None:
        """Start nothing new and retry nothing; with `cancel`, ask what runs to end, and wait so long for it."""
        self._now = max(self._now, self._now if now is None else now)
        self._stop(None)
        if cancel:
            self._cancel_all(grace_seconds)

    def limit(self, max_parallel: int) -> None:
        """From now on start a step only while fewer than this are in flight, if more were allowed."""
        if self._queue.limit is None or max_parallel < self._queue.limit:
            self._queue.limit = max_parallel

    @property
    def max_parallel(self) -> int | None:
        """How many steps may be in flight; None if as many as there are."""
        return self._queue.limit

    def start_again(self, now: float) -> tuple[StepCall, ...]:
        """The calls in flight, to be made again by somebody who cannot know what became of them.

        They are the same attempts, under the same idempotency keys, and their time starts anew. A step with
        `idempotent=False` fails instead, with reason `outcome-unknown`, and what was only left behind is let go.
        """
        again: list[StepCall] = []
        for number in tuple(self._in_flight):
            name, step = self._layout.names[number], self._steps[number]
            if number in self._leftovers:
                self.cancelled(name, now=now)
            elif step.idempotent is False:
                self.failed(name, "nobody knows what became of it", now=now, reason="outcome-unknown")
            elif number in self._cancel_by:
                self.cancelled(name, now=now)
            else:
                self._now = max(self._now, now)
                self._ledger.attempt_started[number] = self._now
                if step.timeout_seconds is not None:
                    self._times.set("attempt", number, self._now + step.timeout_seconds)
                again.append(self._call(number))
        return tuple(again)

    def is_active(self) -> bool:
        """Whether any step has not ended."""
        return self._unended > 0

    @property
    def remaining(self) -> int:
        """How many steps have not ended."""
        return self._unended

    @property
    def wake_at(self) -> float | None:
        """When to call `get_ready` again if nothing happens before: a retry, a timeout. None if nothing is due."""
        return self._times.next()

    @property
    def now(self) -> float:
        """The latest time that is known."""
        return self._now

    @property
    def in_flight(self) -> tuple[StepCall, ...]:
        """The calls that have started and not come back, those included whose time is up."""
        return tuple(map(self._call, tuple(self._in_flight)))

    @property
    def leftovers(self) -> tuple[str, ...]:
        """The steps whose time is up and whose calls have not come back."""
        return tuple(self._layout.names[number] for number in tuple(self._leftovers))

    def subscribe(self, observer: Observer) -> None:
        """Tell `observer` of everything that happens from now on, at once and in order. It must not raise."""
        self._observers.append(observer)

    def report(self, problems: Sequence[Problem] = ()) -> ExecutionReport:
        """What has happened so far."""
        with without_collection():
            ancestors = self._ledger.failed_ancestors()
            steps = {
                name: self._ledger.report(
                    number,
                    ancestors,
                    self._stopper,
                    retry_at=self._times.get("retry", number),
                    cancel_by=self._cancel_by.get(number),
                    leftover=number in self._leftovers,
                )
                for number, name in enumerate(self._layout.names)
            }
        return trusted(
            ExecutionReport,
            {
                "schema_version": 1,
                "plan": self.plan,
                "run_id": self.run_id,
                "phase": self.phase,
                "stopped": self._stopped,
                "steps": steps,
                "problems": tuple(problems),
            },
        )

    @property
    def phase(self) -> Phase:
        """`executing` while a step has not ended; then `completed` if every step is done, else `failed`."""
        if self.is_active():
            return "executing"
        return "completed" if all(map(counts_as_done, self._steps, self._ledger.status)) else "failed"

    # One attempt: it starts, comes back, or its time is up.

    def _start(self, number: int) -> StepCall:
        self._ledger.start(number, self._now)
        self._in_flight[number] = None
        step = self._steps[number]
        if step.timeout_seconds is not None:
            self._times.set("attempt", number, self._now + step.timeout_seconds)
        if self._observers:
            self._tell("attempt-started", number, attempt=self._ledger.attempts[number], dependencies=step.dependencies)
        return self._call(number)

    def _call(self, number: int) -> StepCall:
        step = self._steps[number]
        attempt, outputs = self._ledger.attempts[number], self._ledger.outputs_for(number)
        note = self._ledger.note_external_id
        return StepCall(step, "execute", attempt, self.run_id, step.timeout_seconds, outputs, note)

    def _land(self, name: str, now: float) -> int | None:
        """The step whose call has come back; None if that came too late to count."""
        number = self._layout.numbers[name]
        if number not in self._in_flight:
            raise ValueError(f"step {quote(name)} is not in flight")
        self._now = max(self._now, now)
        self._times.drop("attempt", number)
        self._queue.release(number)
        self._cancel_by.pop(number, None)
        self._asked_to_end.discard(number)
        del self._in_flight[number]
        if number not in self._leftovers:
            return number
        del self._leftovers[number]
        self._times.drop("leftover", number)
        if self._observers:
            self._tell("leftover-returned", number, attempt=self._ledger.attempts[number])
        if self._ledger.status[number] == "running":
            self._schedule_retry(number)
        return None

    def _end_attempt(self, number: int, status: Status, *, final: bool = False) -> None:
        retry = status == "failed" and not final and self._may_retry(number)
        if retry:
            self._schedule_retry(number)
        self._tell_attempt_ended(number, status)
        if not retry:
            self._end(number, status)

    def _time_is_up(self, number: int, at: float) -> None:
        """The attempt is given up; until its call comes back, it keeps its place and its locks."""
        self._leftovers[number] = None
        if self._cancel_by.pop(number, None) == at:
            self._queue.lose(number)
            self._tell_attempt_ended(number, "cancelled")
            self._end(number, "cancelled")
            return
        timeout = self._steps[number].timeout_seconds or 0.0
        self._ledger.errors[number] = StepError(type=TIMED_OUT, message=f"no result within {timeout:g} seconds")
        self._times.set("leftover", number, at + timeout)
        self._ask_to_end(number)
        self._tell_attempt_ended(number, "timed_out")
        if not self._may_retry(number):
            self._end(number, "timed_out")

    def _lose(self, number: int) -> None:
        """What was left behind has been waited for as long again."""
        self._queue.lose(number)
        if self._ledger.status[number] == "running":
            self._end(number, "timed_out", reason="blocked-by-leftover")

    def _may_retry(self, number: int) -> bool:
        policy = self._steps[number].retry
        return policy is not None and self._ledger.attempts[number] < policy.max_attempts and not self._stopped

    def _schedule_retry(self, number: int) -> None:
        self._ledger.status[number] = "pending"
        delay = _delay_before(self._steps[number].retry, self._ledger.attempts[number])
        if delay > 0:
            self._times.set("retry", number, self._now + delay)
        else:
            self._queue.push(number)

    # The end of a step, and what follows from it.

    def _end(self, number: int, status: Status, *, reason: Reason | None = None) -> None:
        self._finish(number, status, reason=reason)
        step = self._steps[number]
        if counts_as_done(step, status):
            for other in self._layout.dependents[number]:
                self._waits_for[other] -= 1
            self._push_ready(self._layout.dependents[number])
        elif self.settings.on_failure == "skip-dependents":
            self._skip_dependents(number, number)
        else:
            self._stop(number)
            if self.settings.on_failure == "cancel":
                self._cancel_all(CANCEL_GRACE_SECONDS)
        self._open_next_batches()

    def _finish(
        self, number: int, status: Status, *, reason: Reason | None = None, root_cause: int | None = None
    ) -> None:
        if reason is not None:
            self._ledger.reasons[number] = reason
        self._ledger.end(number, status, self._now)
        self._unended -= 1
        self._left_in_batch[self._layout.batch_of[number]] -= 1
        if self._observers:
            blamed = None if root_cause is None else self._layout.names[root_cause]
            self._tell(
                "step-ended",
                number,
                attempt=self._ledger.attempts[number],
                status=status,
                error=self._ledger.errors.get(number),
                reason=self._ledger.reasons.get(number),
                root_cause=blamed,
                external_id=self._ledger.external_ids.get(number),
            )

    def _block(self, number: int, culprit: int) -> None:
        """The step waits for nothing but what `culprit`, which timed out, has left behind, and that is lost."""
        if self._ledger.attempts[number]:
            self._end(number, "timed_out", reason="blocked-by-leftover")
            return
        self._ledger.blocked_by[number] = culprit
        self._finish(number, "skipped", reason="blocked-by-leftover", root_cause=culprit)
        self._skip_dependents(number, culprit)
        self._open_next_batches()

    def _skip_dependents(self, number: int, root_cause: int) -> None:
        """All that needs this step, directly or not, is skipped, if it has not been yet."""
        pending = [number]
        while pending:
            for other in self._layout.dependents[pending.pop()]:
                if self._ledger.status[other] == "pending":
                    self._finish(other, "skipped", reason="dependency-failed", root_cause=root_cause)
                    pending.append(other)

    def _stop(self, stopper: int | None) -> None:
        """Nothing new starts, nothing is tried again; `stopper` is the step that failed, if that is why."""
        if self._stopped:
            return
        self._stopped = True
        self._stopper = stopper
        self._queue.clear()
        if stopper is not None:
            self._skip_dependents(stopper, stopper)
        for number, status in enumerate(self._ledger.status):
            if status == "pending" and not self._ledger.attempts[number]:
                self._finish(number, "skipped", reason="run-stopped", root_cause=stopper)
            elif status == "pending" or (status == "running" and number in self._leftovers):
                self._times.drop("retry", number)
                self._finish(number, self._ledger.last_attempt(number), reason="run-stopped")

    def _cancel_all(self, grace_seconds: float) -> None:
        """Everything in flight is asked to end, and waited for so long."""
        for number in self._in_flight:
            if number not in self._leftovers:
                by = self._now + grace_seconds
                due = self._times.get("attempt", number)
                if self._cancel_by.get(number, by + 1) > by:
                    self._cancel_by[number] = by
                if due is None or by < due:
                    self._times.set("attempt", number, by)
                self._ask_to_end(number)

    def _ask_to_end(self, number: int) -> None:
        """Once for each attempt: a second time would hit the step while it cleans up."""
        if number not in self._asked_to_end:
            self._asked_to_end.add(number)
            self._to_cancel.append(number)

    def _open_next_batches(self) -> None:
        """A batch opens when all before it have ended."""
        while self._open_batches < len(self._left_in_batch) and not (
            self._open_batches and self._left_in_batch[self._open_batches - 1]
        ):
            self._open_batches += 1
            self._push_ready(self._layout.batches[self._open_batches - 1])

    def _push_ready(self, numbers: Iterable[int]) -> None:
        """Those of these steps that were waiting for their dependencies and their batch only may start now."""
        for number in numbers:
            if (
                not self._waits_for[number]
                and self._ledger.status[number] == "pending"
                and self._layout.batch_of[number] < self._open_batches
                and not (self._ledger.attempts[number] and self._times.get("retry", number) is not None)
            ):
                self._queue.push(number)

    # Where a run goes on, and what it tells.

    def _restore(self, reports: Mapping[str, StepReport], *, stopped: bool) -> None:
        """Take over what `reports` tell, then draw the conclusions that nobody has drawn yet."""
        self._now = max((at for report in reports.values() for at in _times_of(report)), default=0.0)
        stoppers: list[int | None] = []
        for name, report in reports.items():
            number = self._layout.numbers[name]
            self._take_over(number, report)
            if report.status == "skipped" and report.reason == "run-stopped":
                stoppers.append(self._layout.numbers.get(report.root_cause or ""))
        for number in sorted(self._in_flight, key=lambda number: (self._ledger.attempt_started[number] or 0.0, number)):
            self._in_flight[number] = self._in_flight.pop(number)
        if stopped or stoppers:
            self._stop(stoppers[0] if stoppers else None)
        failed = [number for number in range(len(self._steps)) if self._ledger.is_to_blame(number)]
        if failed and self.settings.on_failure != "skip-dependents":
            self._stop(min(failed, key=lambda number: (self._ledger.ended[number] or 0.0, number)))
            if self.settings.on_failure == "cancel":
                self._cancel_all(CANCEL_GRACE_SECONDS)
        for number, status in enumerate(self._ledger.status):
            if status == "skipped" or self._ledger.is_to_blame(number):
                self._skip_dependents(number, number)
        for batch in self._layout.batches[: self._open_batches]:
            self._push_ready(batch)
        self._open_next_batches()

    def _take_over(self, number: int, report: StepReport) -> None:
        self._ledger.take_over(number, report)
        if report.status == "pending" and report.retry_at is not None:
            self._times.set("retry", number, report.retry_at)
        if report.status == "running" or report.leftover:
            self._take_off(number, report)
        if report.status not in ("pending", "running"):
            self._unended -= 1
            self._left_in_batch[self._layout.batch_of[number]] -= 1
        if counts_as_done(self._steps[number], report.status):
            for other in self._layout.dependents[number]:
                self._waits_for[other] -= 1

    def _take_off(self, number: int, report: StepReport) -> None:
        """What was in flight is in flight."""
        self._in_flight[number] = None
        self._queue.hold(number)
        started, timeout = report.attempt_started_at, self._steps[number].timeout_seconds
        due = None if started is None or timeout is None else started + timeout
        if report.leftover:
            self._leftovers[number] = None
            self._ask_to_end(number)
            if report.status == "cancelled":
                self._queue.lose(number)
            else:
                self._times.set("leftover", number, self._now if due is None or timeout is None else due + timeout)
            return
        if report.cancel_by is not None:
            self._cancel_by[number] = report.cancel_by
            self._ask_to_end(number)
            due = report.cancel_by if due is None else min(due, report.cancel_by)
        if due is not None:
            self._times.set("attempt", number, due)

    def _tell_attempt_ended(self, number: int, status: Status) -> None:
        if self._observers:
            retry_at = self._times.get("retry", number)
            if retry_at is None and self._ledger.status[number] == "pending":
                retry_at = self._now
            self._tell(
                "attempt-ended",
                number,
                attempt=self._ledger.attempts[number],
                status=status,
                error=self._ledger.errors.get(number),
                retry_at=retry_at,
                external_id=self._ledger.external_ids.get(number),
            )

    def _tell(self, kind: EventKind, number: int, **facts: Any) -> None:
        step = self._layout.names[number]
        event = trusted(
            Event, {**_NOTHING, "kind": kind, "at": self._now, "run_id": self.run_id, "step": step, **facts}
        )
        for observer in self._observers:
            observer(event)


_NOTHING = {name: field.default for name, field in Event.model_fields.items()}


def _times_of(report: StepReport) -> Iterable[float]:
    return (at for at in (report.started_at, report.attempt_started_at, report.ended_at) if at is not None)


def _delay_before(policy: RetryPolicy | None, attempts: int) -> float:
    """Seconds to wait after so many attempts: the delay, grown by its factor each time, at most its limit."""
    if policy is None or not policy.delay_seconds:
        return 0.0
    longest = _LONGEST_DELAY if policy.max_delay_seconds is None else min(policy.max_delay_seconds, _LONGEST_DELAY)
    try:
        return min(policy.delay_seconds * policy.factor ** (attempts - 1), longest)
    except OverflowError:
        return longest
