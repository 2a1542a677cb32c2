"""PhaseRun: the state machine that takes a plan from its first step to its last, for one purpose."""

from __future__ import annotations

from collections import deque
from typing import Any, Callable, Deque, Iterable, Mapping, Sequence

from wfplan._internal.json import to_plain
from wfplan._internal.messages import quote
from wfplan._internal.model import construct_unchecked
from wfplan._internal.plan_index import PlanIndex
from wfplan.errors import require_names
from wfplan.execution.deadlines import Deadlines, delay_before
from wfplan.execution.events import Event, EventKind, Subscribers
from wfplan.execution.interface import Purpose, StepCall
from wfplan.execution.options import RunOptions
from wfplan.execution.outputs import COPIED, own_copy
from wfplan.execution.report import Reason, Status, StepReport
from wfplan.execution.scheduler import ReadyQueue
from wfplan.execution.state_validation import STOP_REASONS, counts_as_done
from wfplan.execution.step_errors import StepError, is_permanent
from wfplan.execution.step_table import TIMED_OUT, StepTable
from wfplan.models import Step
from wfplan.plans import ExecutionPlan
from wfplan.problems import refusal

__all__ = ["CANCEL_GRACE_SECONDS", "GRACE_SECONDS", "PhaseRun"]

CANCEL_GRACE_SECONDS = 10.0
"""How long what was asked to end is waited for where a run is to end."""
GRACE_SECONDS = 1.0
"""How long, at least, a call whose time is up is waited for before what needs its place is given up."""


class PhaseRun:
    """What has happened to the steps of a plan, and what may happen next; `Progress` documents each method."""

    def __init__(
        self,
        plan: ExecutionPlan,
        purpose: Purpose,
        settings: RunOptions,
        run_id: str,
        audience: Subscribers,
        *,
        limit: int | None = None,
        outputs_for: Callable[[str], dict[str, Any]] | None = None,
        held: Iterable[str] = (),
        grace_seconds: float = GRACE_SECONDS,
        tracebacks: bool = True,
    ) -> None:
        """Prepare a phase that has not begun; the steps in `held` do not start.

        What was asked to end is waited for at least for `grace_seconds` before something that needs its place is given
        up.

        `outputs_for` returns the outputs for a call, by the name of its step, where they are not those of the step's
        dependencies in this phase.
        """
        self.plan = plan
        self.purpose: Purpose = purpose
        self._settings = settings
        self._run_id = run_id
        self._audience = audience
        self._index = index = PlanIndex(plan, settings.schedule)
        self._steps = plan.workflow.steps
        self._queue = ReadyQueue(index.rank, index.locks, index.alone, limit)
        self._times = Deadlines()
        self._table = StepTable(self._steps, index)
        self._outputs_for = outputs_for
        self._noted: Deque[int] = deque()  # steps whose external ids were set, by any thread
        self._waits_for = list(map(len, index.needs))
        self._in_flight: dict[int, None] = {}
        self._abandoned: dict[int, float | None] = {}  # of those in flight, whose time is up, and until when they count
        self._cancel_deadlines: dict[int, float] = {}
        self._to_cancel: list[int] = []
        self._asked_to_end: set[int] = set()
        self._grace = grace_seconds
        self._tracebacks = tracebacks
        self._held = frozenset(map(index.numbers.__getitem__, held))
        self._suspended = False
        self._suspend_by: float | None = None
        self._given_back: set[int] = set()  # of those in flight, the ones that a run which goes on makes again
        self._stopped = False
        self._stopper: int | None = None
        self._stop_reason: Reason = "run-stopped"
        self._unended = len(self._steps)
        self._open_batches = 0 if settings.schedule == "batch" else len(index.batches)
        self._left_in_batch = list(map(len, index.batches))
        self._now = 0.0

    def begin(self, reports: Mapping[str, StepReport], *, stopped: bool = False) -> None:
        """Take over what `reports` tell, then draw the conclusions that nobody has drawn yet."""
        self._now = max((at for report in reports.values() for at in _times_of(report)), default=0.0)
        stops: list[tuple[int | None, Reason]] = []
        for name, report in reports.items():
            number = self._index.numbers[name]
            self._restore(number, report)
            if report.status == "skipped" and report.reason in STOP_REASONS:
                stops.append((self._index.numbers.get(report.root_cause or ""), report.reason))
        for number in sorted(self._in_flight, key=lambda number: (self._table.attempt_started[number] or 0.0, number)):
            self._in_flight[number] = self._in_flight.pop(number)
        if stopped or stops:
            self._stop(*stops[0] if stops else (None, "run-stopped"))
        failed = [number for number in range(len(self._steps)) if self._table.is_unexcused_failure(number)]
        if failed and self._settings.on_failure != "skip-dependents":
            self._stop(min(failed, key=lambda number: (self._table.ended[number] or 0.0, number)))
            if self._settings.on_failure == "cancel":
                self._cancel_all(CANCEL_GRACE_SECONDS)
        for number, status in enumerate(self._table.status):
            if not self._unblocks_dependents(number) and (
                status == "skipped" or self._table.is_unexcused_failure(number)
            ):
                self._skip_dependents(number, number)
        for batch in self._index.batches[: self._open_batches]:
            self._push_ready(batch)
        self._open_next_batches()

    def hold(self, abandoned: Iterable[Step]) -> None:
        """These steps of another phase still hold their places and locks, and are not expected back."""
        for step in abandoned:
            number = self._index.add_foreign(step)
            self._queue.hold(number)
            self._queue.lose(number)

    def unreserve(self, name: str) -> None:
        """Free what an abandoned call of another phase has kept: it returned after all."""
        self._queue.release(self._index.foreign.pop(name))

    def get_ready(self, now: float) -> tuple[StepCall, ...]:
        """Return the calls to start now."""
        self._now = max(self._now, now)
        while self._noted:
            self._emit_noted(self._noted.popleft())
        self._look_at_the_clock()
        if self._suspended:
            return ()
        calls: list[StepCall] = []
        while True:
            started, in_vain = self._queue.take()
            calls.extend(map(self._start, started))
            for number, culprit in in_vain:
                if self._table.status[number] == "pending":  # the end of one may have stopped the run
                    self._skip_blocked(number, culprit)
            if not in_vain:
                return tuple(calls)

    def _look_at_the_clock(self) -> None:
        for due, number, at in self._times.pop_until(self._now):
            if due == "retry":
                self._push_ready([number])  # in a state that was made up, its batch may not have opened yet
            elif due == "attempt":
                self._time_is_up(number, at)
            else:
                self._abandon(number)
        if self._suspend_by is not None and self._suspend_by <= self._now:
            for number in self._in_flight:
                self._give_back(number)

    def get_cancellations(self) -> tuple[str, ...]:
        """Return the steps whose calls are to be cancelled, each given once."""
        names = tuple(self._index.names[number] for number in self._to_cancel if number in self._in_flight)
        self._to_cancel.clear()
        return names

    def done(self, name: str, output: Any = None, *, now: float) -> None:
        """Record that a call returned its output."""
        number = self._call_returned(name, now)
        if number is not None:
            self._table.outputs[number] = output
            self._table.errors.pop(number, None)
            self._end_attempt(number, "succeeded")

    def failed(self, name: str, error: BaseException | str, *, now: float, reason: Reason | None = None) -> None:
        """Record that a call failed."""
        number = self._call_returned(name, now)
        if number is not None:
            self._table.errors[number] = StepError.of(error, traceback=self._tracebacks)
            if reason is not None:
                self._table.reasons[number] = reason
            final = is_permanent(error) or not issubclass(type(error), (Exception, str))
            self._end_attempt(number, "failed", final=final or reason is not None)

    def cancelled(self, name: str, *, now: float, reason: Reason | None = None) -> None:
        """Record that a call was cancelled, by this run or from outside."""
        asked = self._index.numbers[name] in self._asked_to_end
        if self.purpose == "compensate" and not asked and reason is None:
            # Of a compensation that is cancelled by somebody else, the others must not suffer: it has failed.
            self.failed(name, "it was cancelled, and not by this run", now=now)
            return
        number = self._index.numbers[name]
        if self._suspended and asked and reason is None and number not in self._abandoned:
            self._now = max(self._now, now)
            self._give_back(number)
            return
        landed = self._call_returned(name, now)
        if landed is not None:
            self._table.errors.pop(landed, None)
            if reason is not None:
                self._table.reasons[landed] = reason
            self._end_attempt(landed, "cancelled", final=True)

    def stop(self, *, cancel: bool, grace_seconds: float, now: float | None) -> None:
        """Start nothing new, retry nothing; with `cancel`, ask what runs to end."""
        self._now = max(self._now, self._now if now is None else now)
        self._stop(None)
        if cancel:
            self._cancel_all(grace_seconds)

    def suspend(self, *, cancel: bool, grace_seconds: float, now: float | None) -> None:
        """Start nothing new and conclude nothing; with `cancel`, ask what runs to end, and wait so long for it."""
        self._now = max(self._now, self._now if now is None else now)
        self._suspended = True
        if cancel:
            by = self._now + grace_seconds
            self._suspend_by = by if self._suspend_by is None else min(by, self._suspend_by)
            for number in self._in_flight:
                if number not in self._abandoned:
                    self._ask_to_end(number)

    def _give_back(self, number: int) -> None:
        """Count as in flight at a crash."""
        if number not in self._abandoned:
            self._given_back.add(number)
            self._times.drop("attempt", number)

    def skip_all(self, reason: Reason, culprit: str | None, now: float) -> None:
        """Skip every step; `culprit` is the step that is the reason, if any."""
        self._now = max(self._now, now)
        self._stop(None if culprit is None else self._index.numbers[culprit], reason)

    def lower_max_parallel(self, max_parallel: int) -> None:
        """Have no more than this in flight, if more were allowed."""
        if self._queue.limit is None or max_parallel < self._queue.limit:
            self._queue.limit = max_parallel

    def restart_in_flight(self, now: float) -> tuple[StepCall, ...]:
        """Return the calls in flight, to be made again."""
        again: list[StepCall] = []
        for number in tuple(self._in_flight):
            name, step = self._index.names[number], self._steps[number]
            if number in self._abandoned:
                self.cancelled(name, now=now)
            elif step.idempotent is False and self.purpose == "execute":
                self.failed(name, "its outcome is unknown", now=now, reason="outcome-unknown")
            elif number in self._cancel_deadlines:
                self.cancelled(name, now=now)
            else:
                self._now = max(self._now, now)
                self._table.attempt_started[number] = self._now
                again.append(self._make_call(number))
        return tuple(again)

    def is_active(self) -> bool:
        """Return whether any step has not ended, and may do so by itself."""
        return self._unended > 0 and not ((self._suspended or self._held) and self._rests())

    def _rests(self) -> bool:
        """Return whether nothing happens any more: what could is suspended, or waits for a step that is held."""
        if self._suspended:
            return len(self._in_flight) == len(self._abandoned) + len(self._given_back)
        waits = any(self._table.status[number] == "running" for number in self._in_flight)
        return not waits and self._queue.is_empty and not self._times.has_any("retry")

    @property
    def has_ended(self) -> bool:
        """Whether every step has ended."""
        return not self._unended

    @property
    def only_abandoned_in_flight(self) -> bool:
        """Whether nothing is in flight but what is not expected back."""
        return self._queue.all_are_lost

    @property
    def remaining(self) -> int:
        """How many steps have not ended."""
        return self._unended

    @property
    def stopped(self) -> bool:
        """Whether nothing new starts any more."""
        return self._stopped

    @property
    def next_deadline(self) -> float | None:
        """When something is due."""
        due = self._times.next()
        if self._suspend_by is None:
            return due
        return self._suspend_by if due is None else min(due, self._suspend_by)

    @property
    def now(self) -> float:
        """The latest time that is known."""
        return self._now

    @property
    def in_flight(self) -> tuple[StepCall, ...]:
        """The calls that have started and not come back."""
        return tuple(map(self._call, tuple(self._in_flight)))

    @property
    def abandoned(self) -> tuple[str, ...]:
        """The steps whose time is up and whose calls have not come back."""
        return tuple(self._index.names[number] for number in tuple(self._abandoned))

    def has_in_flight(self, name: str) -> bool:
        """Return whether the call of this step has started and not come back."""
        return self._index.numbers.get(name) in self._in_flight

    @property
    def statuses(self) -> Sequence[Status]:
        """The status of each step, in declared order."""
        return self._table.status

    def outputs_around(self, name: str) -> dict[str, Any]:
        """Return the outputs of what a step depends on, and its own; what was lost is not there."""
        number = self._index.numbers[name]
        own = {name: self._table.outputs[number]} if number in self._table.outputs else {}
        return {**self._table.outputs_for(number), **own}

    def report(self) -> dict[str, StepReport]:
        """Return what has happened to each step so far, by name, in declared order."""
        causes = self._table.failed_ancestors()
        return {step.name: self._report(number, causes) for number, step in enumerate(self._steps)}

    def report_by_batch(self) -> dict[str, StepReport]:
        """Return the same, in the order of the batches."""
        reports = self.report()
        return {name: reports[name] for batch in self.plan.batches for name in batch.steps}

    def _report(self, number: int, causes: Mapping[int, int]) -> StepReport:
        return self._table.report(
            number,
            causes,
            self._stopper,
            self._stop_reason,
            retry_at=self._times.get("retry", number),
            cancel_deadline=self._cancel_deadlines.get(number, self._abandoned.get(number)),
            abandoned=number in self._abandoned,
        )

    # One attempt: it starts, comes back, or its time is up.

    def _start(self, number: int) -> StepCall:
        self._table.start(number, self._now)
        self._in_flight[number] = None
        return self._make_call(number)

    def _make_call(self, number: int) -> StepCall:
        """Return the call for an attempt that starts now."""
        step = self._steps[number]
        if step.timeout_seconds is not None:
            self._times.set("attempt", number, self._now + step.timeout_seconds)
        if self._audience.observers:
            self._emit("attempt-started", number, attempt=self._table.attempts[number], dependencies=step.dependencies)
        return self._call(number)

    def _call(self, number: int) -> StepCall:
        step, table = self._steps[number], self._table
        outputs = table.outputs_for(number) if self._outputs_for is None else self._outputs_for(step.name)
        for name, output in outputs.items():
            if type(output) in COPIED:
                outputs[name] = own_copy(output)
        planned = step.parameters
        if planned:  # what is called may do with them what it likes
            step = step.model_copy(update={"parameters": to_plain(planned)})
        run_id = table.run_ids.get(number, self._run_id)
        return StepCall(
            step, self.purpose, table.attempts[number], run_id, step.timeout_seconds, outputs, self._note, planned
        )

    def _note(self, call: StepCall, external_id: str) -> None:
        """May be called by any thread."""
        number = self._table.note_external_id(call, external_id)
        if number is not None and self._audience.observers:
            self._noted.append(number)
            if self._audience.wake is not None:
                self._audience.wake()

    def _call_returned(self, name: str, now: float) -> int | None:
        """Return the step whose call has come back; None if that came too late to count."""
        number = self._index.numbers.get(name, -1)
        if number not in self._in_flight:
            require_names("step", [name], self._index.numbers)
            raise refusal(f"step {quote(name)} is not in flight")
        self._now = max(self._now, now)
        if number in self._given_back:
            return None
        self._times.drop("attempt", number)
        self._queue.release(number)
        self._cancel_deadlines.pop(number, None)
        self._asked_to_end.discard(number)
        del self._in_flight[number]
        if number not in self._abandoned:
            return number
        del self._abandoned[number]
        self._times.drop("abandoned", number)
        if self._table.status[number] == "running":
            self._schedule_retry(number)
        if self._audience.observers:
            self._emit("abandoned-call-returned", number, attempt=self._table.attempts[number])
        return None

    def _end_attempt(self, number: int, status: Status, *, final: bool = False) -> None:
        retry = status == "failed" and not final and self._may_retry(number)
        if retry:
            self._schedule_retry(number)
        self._emit_attempt_ended(number, status)
        if not retry:
            self._end(number, status)

    def _time_is_up(self, number: int, at: float) -> None:
        """Time out an attempt; until its call returns, it keeps its place and its locks."""
        self._abandoned[number] = None
        if self._cancel_deadlines.pop(number, None) == at:
            self._queue.lose(number)
            self._emit_attempt_ended(number, "cancelled")
            self._end(number, "cancelled")
            return
        timeout = self._steps[number].timeout_seconds or 0.0
        self._table.errors[number] = StepError(type=TIMED_OUT, message=f"no result within {timeout:g} seconds")
        # From now on, not from when that was due: a driver that slept has asked nobody to end before.
        self._wait_for_abandoned(number, self._now + max(timeout, self._grace))
        self._ask_to_end(number)
        self._emit_attempt_ended(number, "timed_out")
        policy = self._steps[number].retry
        if policy is None or not policy.retry_timeouts or not self._may_retry(number):
            self._end(number, "timed_out")

    def _wait_for_abandoned(self, number: int, until: float) -> None:
        self._abandoned[number] = until
        self._times.set("abandoned", number, until)

    def _abandon(self, number: int) -> None:
        """Give up an abandoned call, which has been waited for as long again."""
        self._queue.lose(number)
        if not self._suspended and self._table.status[number] == "running":
            self._end(number, "timed_out", reason="blocked-by-abandoned-call")

    def _may_retry(self, number: int) -> bool:
        policy = self._steps[number].retry
        return policy is not None and self._table.attempts[number] < policy.max_attempts and not self._stopped

    def _schedule_retry(self, number: int) -> None:
        self._table.status[number] = "pending"
        delay = delay_before(
            self._steps[number].retry, self._table.attempts[number], lambda: self._idempotency_key(number)
        )
        if delay > 0:
            self._times.set("retry", number, self._now + delay)
        else:
            self._queue.push(number)

    def _idempotency_key(self, number: int) -> str:
        run_id = self._table.run_ids.get(number, self._run_id)
        return StepCall(self._steps[number], self.purpose, run_id=run_id).idempotency_key

    # The end of a step, and what follows from it.

    def _end(self, number: int, status: Status, *, reason: Reason | None = None) -> None:
        self._finish(number, status, reason=reason)
        if self._suspended:
            return
        if self._unblocks_dependents(number):
            self._unblock_dependents(number)
        elif self._settings.on_failure == "skip-dependents":
            self._skip_dependents(number, number)
        else:
            self._stop(number)
            if self._settings.on_failure == "cancel":
                self._cancel_all(CANCEL_GRACE_SECONDS)
        self._open_next_batches()

    def _finish(
        self, number: int, status: Status, *, reason: Reason | None = None, root_cause: int | None = None
    ) -> None:
        if reason is not None:
            self._table.reasons[number] = reason
        self._table.end(number, status, self._now)
        self._unended -= 1
        self._left_in_batch[self._index.batch_of[number]] -= 1
        if self._audience.observers:
            blamed = None if root_cause is None else self._index.names[root_cause]
            self._emit(
                "step-ended",
                number,
                attempt=self._table.attempts[number],
                status=status,
                error=self._table.errors.get(number),
                reason=self._table.reasons.get(number),
                root_cause=blamed,
                external_id=self._table.external_ids.get(number),
            )

    def _skip_blocked(self, number: int, culprit: int) -> None:
        """Skip a step that waits only for the abandoned call of `culprit`, which was given up."""
        if self._table.attempts[number]:
            self._end(number, "timed_out", reason="blocked-by-abandoned-call")
            return
        self._table.blocked_by[number] = culprit
        self._finish(number, "skipped", reason="blocked-by-abandoned-call", root_cause=culprit)
        if self._unblocks_dependents(number):
            self._unblock_dependents(number)
        else:
            self._skip_dependents(number, culprit)
        self._open_next_batches()

    def _unblocks_dependents(self, number: int) -> bool:
        """Return whether this step has ended and holds up none of those that depend on it."""
        if counts_as_done(self._steps[number], self._table.status[number]):
            return True
        return self.purpose == "compensate" and number in self._table.blocked_by  # it stops no other

    def _unblock_dependents(self, number: int) -> None:
        for other in self._index.dependents[number]:
            self._waits_for[other] -= 1
        self._push_ready(self._index.dependents[number])

    def _skip_dependents(self, number: int, root_cause: int) -> None:
        """Skip all that needs this step, directly or not, unless it has been skipped already."""
        pending = [number]
        while pending:
            for other in self._index.dependents[pending.pop()]:
                if self._table.status[other] == "pending":
                    self._finish(other, "skipped", reason="dependency-failed", root_cause=root_cause)
                    pending.append(other)

    def _stop(self, stopper: int | None, reason: Reason = "run-stopped") -> None:
        """Start nothing new, retry nothing; `stopper` is the step that failed, if that is why."""
        if self._stopped:
            return
        self._stopped = True
        self._stopper, self._stop_reason = stopper, reason
        self._queue.clear()
        if stopper is not None and reason == "run-stopped":
            self._skip_dependents(stopper, stopper)
        for number, status in enumerate(self._table.status):
            if status == "pending" and not self._table.attempts[number]:
                self._finish(number, "skipped", reason=reason, root_cause=stopper)
            elif status == "pending" or (status == "running" and number in self._abandoned):
                self._times.drop("retry", number)
                self._finish(number, self._table.last_attempt(number), reason="run-stopped")

    def _cancel_all(self, grace_seconds: float) -> None:
        """Ask everything in flight to end, and wait so long for it."""
        for number in self._in_flight:
            if number not in self._abandoned:
                by = self._now + grace_seconds
                due = self._times.get("attempt", number)
                if self._cancel_deadlines.get(number, by + 1) > by:
                    self._cancel_deadlines[number] = by
                if due is None or by < due:
                    self._times.set("attempt", number, by)
                self._ask_to_end(number)

    def _ask_to_end(self, number: int) -> None:
        """Ask an attempt to end, once: a second time would hit the step while it cleans up."""
        if number not in self._asked_to_end:
            self._asked_to_end.add(number)
            self._to_cancel.append(number)

    def _open_next_batches(self) -> None:
        """Open each batch before which all have ended."""
        while self._open_batches < len(self._left_in_batch) and not (
            self._open_batches and self._left_in_batch[self._open_batches - 1]
        ):
            self._open_batches += 1
            self._push_ready(self._index.batches[self._open_batches - 1])

    def _push_ready(self, numbers: Iterable[int]) -> None:
        """Queue those of these steps that waited only for their dependencies and their batch."""
        for number in numbers:
            if (
                number not in self._held
                and not self._waits_for[number]
                and self._table.status[number] == "pending"
                and self._index.batch_of[number] < self._open_batches
                and not (self._table.attempts[number] and self._times.get("retry", number) is not None)
            ):
                self._queue.push(number)

    # Where a phase goes on, and what it emits.

    def _restore(self, number: int, report: StepReport) -> None:
        self._table.take_over(number, report)
        if report.status == "pending" and report.retry_at is not None:
            self._times.set("retry", number, report.retry_at)
        if report.status == "running" or report.abandoned:
            self._restore_in_flight(number, report)
        if report.status not in ("pending", "running"):
            self._unended -= 1
            self._left_in_batch[self._index.batch_of[number]] -= 1
        if self._unblocks_dependents(number):
            for other in self._index.dependents[number]:
                self._waits_for[other] -= 1

    def _restore_in_flight(self, number: int, report: StepReport) -> None:
        """Restore a call that was in flight."""
        self._in_flight[number] = None
        self._queue.hold(number)
        started, timeout = report.attempt_started_at, self._steps[number].timeout_seconds
        due = None if started is None or timeout is None else started + timeout
        if report.abandoned:
            self._abandoned[number] = None
            self._ask_to_end(number)
            if report.status == "cancelled":
                self._queue.lose(number)
            else:
                fallback = self._now if due is None or timeout is None else due + max(timeout, self._grace)
                self._wait_for_abandoned(number, fallback if report.cancel_deadline is None else report.cancel_deadline)
            return
        if report.cancel_deadline is not None:
            self._cancel_deadlines[number] = report.cancel_deadline
            self._ask_to_end(number)
            due = report.cancel_deadline if due is None else min(due, report.cancel_deadline)
        if due is not None:
            self._times.set("attempt", number, due)

    def _emit_attempt_ended(self, number: int, status: Status) -> None:
        self._table.end_attempt(number, status, self._now)
        if self._audience.observers:
            retry_at = self._times.get("retry", number)
            if retry_at is None and self._table.status[number] == "pending":
                retry_at = self._now
            self._emit(
                "attempt-ended",
                number,
                attempt=self._table.attempts[number],
                status=status,
                error=self._table.errors.get(number),
                retry_at=retry_at,
                external_id=self._table.external_ids.get(number),
            )

    def _emit_noted(self, number: int) -> None:
        self._emit(
            "external-id-set",
            number,
            attempt=self._table.attempts[number],
            external_id=self._table.external_ids.get(number),
        )

    def _emit(self, kind: EventKind, number: int, **facts: Any) -> None:
        held_up = facts.get("status") == "skipped" and facts["reason"] not in STOP_REASONS
        cause = self._index.number_of(facts.get("root_cause")) if held_up else None
        common = {
            "kind": kind,
            "at": self._now,
            "run_id": self._run_id,
            "purpose": self.purpose,
            "step": self._index.names[number],
            "step_report": self._report(number, {} if cause is None else {number: cause}),
        }
        event = construct_unchecked(Event, {**_NOTHING, **common, **facts})
        for observer in self._audience.observers:
            observer(event)


_NOTHING = {name: field.default for name, field in Event.model_fields.items()}


def _times_of(report: StepReport) -> Iterable[float]:
    return (at for at in (report.started_at, report.attempt_started_at, report.ended_at) if at is not None)
