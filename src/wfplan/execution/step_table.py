"""StepTable: the state of each step of a run."""

from __future__ import annotations

from typing import Any, Mapping, Optional, Sequence, Tuple

from wfplan._internal.model import construct_unchecked
from wfplan._internal.plan_index import PlanIndex
from wfplan.execution.interface import StepCall
from wfplan.execution.report import AttemptReport, Reason, Status, StepReport
from wfplan.execution.state_validation import UNSUCCESSFUL, counts_as_done
from wfplan.execution.step_errors import StepError
from wfplan.models import Step

__all__ = ["MOST_ATTEMPTS", "TIMED_OUT", "StepTable"]

MOST_ATTEMPTS = 20
"""Of a step: how many of its attempts are remembered."""

_Ended = Tuple[int, Optional[float], Optional[float], Optional[StepError]]

TIMED_OUT = "timed_out"
"""The type of the error of an attempt that raised nothing and took too long."""


class StepTable:
    """The facts about each step, by its number; read by whoever wants to, written by one."""

    def __init__(self, steps: Sequence[Step], index: PlanIndex) -> None:
        count = len(steps)
        self.steps: Sequence[Step] = steps
        self._index = index
        self.status: list[Status] = ["pending"] * count
        self.attempts: list[int] = [0] * count
        self.started: list[float | None] = [None] * count
        self.attempt_started: list[float | None] = [None] * count
        self.ended: list[float | None] = [None] * count
        self.outputs: dict[int, Any] = {}
        self.not_kept: dict[int, str] = {}
        """For each output that was lost on the way through JSON: its type."""
        self.errors: dict[int, StepError] = {}
        self._taken_over: set[int] = set()
        self._ended_attempts: dict[int, tuple[_Ended, ...]] = {}
        self.reasons: dict[int, Reason] = {}
        self.external_ids: dict[int, str] = {}
        self.run_ids: dict[int, str] = {}
        """For each step whose attempts were made in another run: that run."""
        self.blocked_by: dict[int, int] = {}
        """For each step that was skipped because it waited for what another had left behind: the other."""

    def take_over(self, number: int, report: StepReport) -> None:
        """Take over a report."""
        if report.status == "succeeded":
            self._taken_over.add(number)
        self.status[number] = report.status
        self.attempts[number] = report.attempts
        self.started[number] = report.started_at
        self.attempt_started[number] = report.attempt_started_at
        self.ended[number] = report.ended_at
        if report.history:
            known = ((each.number, each.started_at, each.ended_at, each.error) for each in report.history)
            self._ended_attempts[number] = tuple(known)
        if report.error is not None:
            self.errors[number] = report.error
        if report.external_id is not None:
            self.external_ids[number] = report.external_id
        if report.run_id is not None:
            self.run_ids[number] = report.run_id
        if report.status == "succeeded" and report.output_not_kept:
            self.not_kept[number] = report.output_not_kept
        elif report.status == "succeeded":
            self.outputs[number] = report.output
        elif report.status == "skipped" and report.reason == "blocked-by-abandoned-call":
            self.blocked_by[number] = self._index.number_of(report.root_cause)
        elif report.reason is not None:
            self.reasons[number] = report.reason

    def start(self, number: int, now: float) -> None:
        """Start an attempt."""
        self.attempts[number] += 1
        self.attempt_started[number] = now
        if self.started[number] is None:
            self.started[number] = now
        self.external_ids.pop(number, None)
        self.status[number] = "running"

    def end_attempt(self, number: int, status: Status, now: float) -> None:
        """End an attempt, with the recorded error, if any."""
        if status == "succeeded" and self.attempts[number] == 1:
            return  # by far the most: what is known of the step says it all
        ended = (self.attempts[number], self.attempt_started[number], now, self.errors.get(number))
        before = self._ended_attempts.get(number)
        self._ended_attempts[number] = (ended,) if before is None else (*before[1 - MOST_ATTEMPTS :], ended)

    def _history(self, number: int) -> tuple[AttemptReport, ...]:
        if self.status[number] == "succeeded" and self.attempts[number] == 1 and number not in self._taken_over:
            at = {"started_at": self.attempt_started[number], "ended_at": self.ended[number]}
            return (construct_unchecked(AttemptReport, {"number": 1, **at, "error": None}),)
        return tuple(
            construct_unchecked(
                AttemptReport, {"number": count, "started_at": started, "ended_at": ended, "error": error}
            )
            for count, started, ended, error in self._ended_attempts.get(number, ())
        )

    def end(self, number: int, status: Status, now: float) -> None:
        """Give a step its final status."""
        self.ended[number] = now
        self.status[number] = status  # last, for whoever looks from another thread

    def note_external_id(self, call: StepCall, external_id: str) -> int | None:
        """May be called by any thread: one assignment, and only while this attempt is the last one.

        The number of the step, if that is so.
        """
        number = self._index.numbers[call.step.name]
        if self.attempts[number] != call.attempt:
            return None
        self.external_ids[number] = external_id
        return number

    def outputs_for(self, number: int) -> dict[str, Any]:
        """Return what the direct dependencies gave that succeeded, by name; what was lost is not there."""
        names = self._index.names
        return {
            names[needed]: self.outputs[needed]
            for needed in self._index.needs[number]
            if self.status[needed] == "succeeded" and needed in self.outputs
        }

    def last_attempt(self, number: int) -> Status:
        """Return how the last attempt ended, of a step that waits for the next one."""
        error = self.errors.get(number)
        timed_out = self.status[number] == "running" or (error is not None and error.type == TIMED_OUT)
        return "timed_out" if timed_out else "failed"

    def is_unexcused_failure(self, number: int) -> bool:
        """Return whether this step failed, and was not allowed to."""
        status = self.status[number]
        return status in UNSUCCESSFUL and not counts_as_done(self.steps[number], status)

    def failed_ancestors(self) -> dict[int, int]:
        """For each skipped step that has one: its first-declared ancestor that failed."""
        found: dict[int, int] = dict(self.blocked_by)
        for batch in self._index.batches:
            for number in batch:
                if self.status[number] == "skipped" and number not in found:
                    needs = self._index.needs[number]
                    blamed = [other if self.is_unexcused_failure(other) else found.get(other) for other in needs]
                    known = [other for other in blamed if other is not None]
                    if known:
                        found[number] = min(known)
        return found

    def report(
        self,
        number: int,
        ancestors: Mapping[int, int],
        stopper: int | None,
        stop_reason: Reason,
        *,
        retry_at: float | None,
        cancel_deadline: float | None,
        abandoned: bool,
    ) -> StepReport:
        """Return the report of a step; if it was skipped, with the failed ancestor or the step that stopped the run."""
        step, status = self.steps[number], self.status[number]
        reason, root_cause = self.reasons.get(number), None
        if status == "skipped":
            root_cause = ancestors.get(number, stopper)
            if number in self.blocked_by:
                reason = "blocked-by-abandoned-call"
            else:
                reason = "dependency-failed" if number in ancestors else stop_reason
        return construct_unchecked(
            StepReport,
            {
                "name": step.name,
                "recommendation_id": step.recommendation_id,
                "action": step.action,
                "batch": self._index.batch_of[number] + 1,
                "status": status,
                "attempts": self.attempts[number],
                "started_at": self.started[number],
                "ended_at": self.ended[number],
                "output": self.outputs.get(number),
                "output_not_kept": self.not_kept.get(number, ""),
                "error": self.errors.get(number),
                "reason": reason,
                "root_cause": None if root_cause is None else self._index.names[root_cause],
                "external_id": self.external_ids.get(number),
                "attempt_started_at": self.attempt_started[number],
                "retry_at": retry_at,
                "cancel_deadline": cancel_deadline,
                "abandoned": abandoned,
                "run_id": self.run_ids.get(number),
                "idempotent": step.idempotent,
                "history": self._history(number),
            },
        )
