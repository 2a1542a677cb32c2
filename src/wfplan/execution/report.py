"""The report of a run, step by step; also the state to resume from."""

from __future__ import annotations

from os import PathLike
from typing import Any, ClassVar, Dict, Optional

from pydantic import Field, SerializationInfo, SerializerFunctionWrapHandler, model_serializer, model_validator
from typing_extensions import Annotated, Literal, TypeAlias

from wfplan._internal import display
from wfplan._internal.messages import escape, pluralize, quote
from wfplan._internal.model import (
    EMPTY,
    NOTHING_BY_NAME,
    FreeText,
    MappingOf,
    Model,
    Name,
    Number,
    SchemaVersion,
    TupleOf,
)
from wfplan.errors import WfplanError
from wfplan.execution.interface import Purpose
from wfplan.execution.options import RunOptions
from wfplan.execution.outputs import as_json
from wfplan.execution.step_errors import StepError, type_name
from wfplan.plans import ExecutionPlan
from wfplan.problems import Problem

__all__ = [
    "STATUSES",
    "AttemptReport",
    "ExecutionError",
    "ExecutionReport",
    "Phase",
    "Reason",
    "Status",
    "StepReport",
]

Status: TypeAlias = Literal["pending", "running", "succeeded", "failed", "timed_out", "cancelled", "skipped"]
Phase: TypeAlias = Literal["executing", "rolling_back", "suspended", "completed", "failed", "rolled_back"]
Reason: TypeAlias = Literal[
    "dependency-failed",
    "run-stopped",
    "blocked-by-abandoned-call",
    "outcome-unknown",
    "dry-run",
    "dry-run-failed",
    "journal-failed",
]

STATUSES: tuple[Status, ...] = ("pending", "running", "succeeded", "failed", "timed_out", "cancelled", "skipped")
"""A step is one of the first two, and ends in exactly one of the others."""

_SHOWN = 10


class AttemptReport(Model):
    """One attempt at a step that has ended."""

    number: Annotated[int, Field(ge=1)]
    started_at: Optional[Number] = None
    ended_at: Optional[Number] = None
    error: Optional[StepError] = None
    """Why it failed; None if it succeeded or was cancelled."""


class StepReport(Model):
    """What happened to one step. Times are seconds since the epoch, or whatever the clock of the run counts."""

    name: Name
    recommendation_id: Optional[Name] = None
    action: FreeText = ""
    """What was called: in a rollback, the action of the compensation."""
    batch: Optional[Annotated[int, Field(ge=1)]] = None
    status: Status = "pending"
    attempts: Annotated[int, Field(ge=0)] = 0
    """How many have started."""
    started_at: Optional[Number] = None
    """When its first attempt started."""
    ended_at: Optional[Number] = None
    """When it reached its last status."""
    output: Any = None
    output_not_kept: str = ""
    """In a report that was loaded: the type of an output that JSON could not hold, so that it is lost."""
    error: Optional[StepError] = None
    """Of the last attempt, if it failed."""
    reason: Optional[Reason] = None
    """Why it was skipped, or not tried again."""
    root_cause: Optional[str] = None
    """The step that is to blame for this one being skipped: its first-declared failed ancestor, else the step that
    stopped the run."""
    external_id: Optional[FreeText] = None
    """By which name the backend knows its last attempt."""
    attempt_started_at: Optional[Number] = None
    """When its last attempt started."""
    retry_at: Optional[Number] = None
    """While it is pending: when it may be tried again."""
    cancel_deadline: Optional[Number] = None
    """While its call is in flight: it was asked to end, and is waited for until this moment."""
    abandoned: bool = False
    """Whether its function has not come back although its time is up: it still holds its place and its locks."""
    run_id: Optional[FreeText] = None
    """The run in which its attempts were made, and whose idempotency keys they bear, if it was another one."""
    idempotent: Optional[bool] = None
    """Whether the step can be done twice, as the plan says."""
    history: TupleOf[AttemptReport] = EMPTY
    """Its attempts that have ended, the last 20."""

    @property
    def seconds(self) -> float | None:
        """From the start of its first attempt to its end; None while it has not both."""
        if self.started_at is None or self.ended_at is None:
            return None
        return self.ended_at - self.started_at

    @model_serializer(mode="wrap")
    def _serialize(self, handler: SerializerFunctionWrapHandler, info: SerializationInfo) -> Any:
        """In JSON an output that JSON cannot hold is named by its type, and left out."""
        if self.output is None or info.mode != "json":
            return handler(self)
        try:
            kept, lost = as_json(self.output), ""
        except Exception:  # noqa: BLE001 - it may be of any class, and raise anything when it is looked at
            kept, lost = None, type_name(self.output)
        return handler(self.model_copy(update={"output": kept, "output_not_kept": lost}))


class ExecutionReport(Model):
    """What happened in a run so far.

    Made by `run`, `arun` and `Progress.report`, loaded from its own JSON or from a journal. Two reports are equal if
    they tell the same about the same plan.
    """

    schema_version: SchemaVersion = 1
    plan: Optional[ExecutionPlan] = None
    """None in a report from a journal, which holds no parameters, until the plan is handed over."""
    run_id: FreeText
    phase: Phase
    """`executing` or `rolling_back` until the run has ended."""
    stopped: bool = False
    """Whether nothing new starts any more: a step failed and the policy says so, or it was asked for."""
    stop_requested: bool = False
    """Whether it was asked to stop, by a `StopSignal` or an interrupt; then nothing is rolled back."""
    steps: MappingOf[StepReport]
    """By name, in declared order; every step of the plan is there."""
    dry_run: MappingOf[StepReport] = NOTHING_BY_NAME
    """The same for the dry run, if there was one."""
    rollback: MappingOf[StepReport] = NOTHING_BY_NAME
    """The same for the compensations, by the names of the steps that they undo, the first to be undone first."""
    only_dry_run: bool = False
    """Whether the dry run was all that was asked for."""
    problems: TupleOf[Problem] = EMPTY
    """What is worth knowing about the run itself: a thread that is left, an executor that could not be closed."""
    suspended_in: Optional[Purpose] = None
    """While the run is suspended: in its dry run, in the execution proper, or among the compensations."""
    held: TupleOf[Name] = EMPTY
    """The steps that are kept from starting."""
    settings: Optional[RunOptions] = None
    """How the plan is walked, with what was given in place of its own settings; None in a report made by hand."""
    plan_fingerprint: str = ""
    """In a report from a journal: the fingerprint of the plan."""
    keys: MappingOf[str] = NOTHING_BY_NAME
    """In a report from a journal: what `step_key` gives for the steps that succeeded or were in flight, by name."""

    @classmethod
    def from_journal(cls, path: str | PathLike[str], plan: ExecutionPlan | None = None) -> ExecutionReport:
        """Return the report that a journal holds, even while a run is still writing it.

        Needs no lock and changes nothing.

        Args:
            path: The journal file. A torn last line is left out.
            plan: The plan of the run, which a journal does not hold; becomes `report.plan`. None leaves that empty.

        Raises:
            OSError: The file cannot be read.
            RefusedError: The file is not a journal, is empty, was edited into something unreadable, or belongs to a
                plan other than `plan`.
        """
        from wfplan.execution.journal.reader import report_from_journal

        return report_from_journal(path, plan)

    @classmethod
    def of(cls, error: BaseException) -> ExecutionReport | None:
        """Return the report of the run that an interrupt ended or suspended; None if the error carries none.

        Args:
            error: The exception that was caught. The report is its attribute `report`, or that of an exception it was
                raised from or while handling: where `asyncio.run` raises an interrupt of its own, that is the task's
                cancellation.
        """
        found: list[BaseException | None] = [error]
        seen: set[int] = set()
        while found:
            known = found.pop(0)
            if known is None or id(known) in seen:
                continue
            seen.add(id(known))
            report = getattr(known, "report", None)
            if isinstance(report, ExecutionReport):
                return report
            found += [known.__cause__, known.__context__]
        return None

    @model_validator(mode="after")
    def _reports_the_plan(self) -> ExecutionReport:
        if self.plan is not None and list(self.steps) != [step.name for step in self.plan.workflow.steps]:
            raise ValueError("the steps are not those of the plan, in declared order")
        for reports in (self.steps, self.dry_run, self.rollback):
            for name, step in reports.items():
                if step.name != name:
                    raise ValueError(f"the report of step {quote(name)} is one of step {quote(step.name)}")
                if name not in self.steps:
                    raise ValueError(f"{quote(name)} is not a step of the run")
        return self

    @property
    def fingerprint(self) -> str:
        """That of the plan."""
        return self.plan_fingerprint if self.plan is None else self.plan.fingerprint

    @property
    def ended(self) -> bool:
        """Whether the run is over, well or not; one that is suspended is not."""
        return self.phase not in ("executing", "rolling_back", "suspended")

    @property
    def uncertain(self) -> tuple[str, ...]:
        """The steps whose outcome is unknown, in declared order: a person has to look at them.

        A step that timed out, was cancelled after its start, was in flight when the process died, or whose
        compensation began and did not succeed.
        """
        found = {name for name, step in self.steps.items() if _is_uncertain(step)}
        if self.phase == "suspended":  # what will not be made again when the run goes on
            found |= {n for n, step in self.steps.items() if step.status == "running" and step.idempotent is False}
        found |= {n for n, step in self.rollback.items() if step.status == "failed" or _is_uncertain(step)}
        return tuple(name for name in self.steps if name in found)

    @property
    def undone(self) -> tuple[str, ...]:
        """The steps whose compensations succeeded, in the order of the compensations' batches."""
        return tuple(name for name, step in self.rollback.items() if step.status == "succeeded")

    @property
    def ok(self) -> bool:
        """Whether every step was done: it succeeded, or failed and was allowed to."""
        return self.phase == "completed"

    @property
    def statuses(self) -> dict[str, Status]:
        """The status of each step, by name."""
        return {name: step.status for name, step in self.steps.items()}

    @property
    def outputs(self) -> dict[str, Any]:
        """What each step that succeeded gave, by name."""
        return {name: step.output for name, step in self.steps.items() if step.status == "succeeded"}

    @property
    def counts(self) -> dict[Status, int]:
        """How many steps there are of each status, none left out."""
        counts = dict.fromkeys(STATUSES, 0)
        for step in self.steps.values():
            counts[step.status] += 1
        return counts

    @property
    def makespan(self) -> float:
        """Seconds from the start of the first step to the end of the last one that ran; 0 if none has."""
        own = [step for step in self.steps.values() if step.run_id is None]
        starts = [step.started_at for step in own if step.started_at is not None]
        ends = [step.ended_at for step in own if step.seconds is not None and step.ended_at is not None]
        return max(ends) - min(starts) if starts and ends else 0.0

    def raise_for_status(self) -> None:
        """Raise ExecutionError if the run is suspended, or has ended and not every step was done."""
        if self.phase == "suspended" or (self.ended and not self.ok):
            error = next(
                (step.error for step in self.steps.values() if step.error and step.status != "succeeded"), None
            )
            raise ExecutionError(self) from (error.exception if error else None)

    def records(self) -> list[dict[str, Any]]:
        """Return a flat dictionary for each step, in declared order: `pandas.DataFrame(report.records())`."""
        return [
            {
                "run_id": self.run_id,
                "step": name,
                "recommendation_id": step.recommendation_id,
                "action": step.action,
                "batch": step.batch,
                "status": step.status,
                "attempts": step.attempts,
                "started_at": step.started_at,
                "ended_at": step.ended_at,
                "seconds": step.seconds,
                "error_type": step.error.type if step.error else None,
                "error_message": step.error.message if step.error else None,
                "reason": step.reason,
                "root_cause": step.root_cause,
                "external_id": step.external_id,
            }
            for name, step in self.steps.items()
        ]

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, ExecutionReport):
            return NotImplemented
        if any(getattr(self, name) != getattr(other, name) for name in _COMPARED):
            return False
        both = self.plan is not None and other.plan is not None
        return self.plan == other.plan if both else self.fingerprint == other.fingerprint

    __hash__: ClassVar[None] = None  # type: ignore[assignment]  # outputs can be anything

    def __repr__(self) -> str:
        counts = ", ".join(f"{number:,} {status}" for status, number in self.counts.items() if number)
        return f"<ExecutionReport {self.phase}: {counts or 'no steps'}, run {escape(self.run_id)}>"

    def __str__(self) -> str:
        return display.text(self)

    def _repr_mimebundle_(self, **_: Any) -> Dict[str, str]:
        return display.mimebundle(self)


_COMPARED = [name for name in ExecutionReport.model_fields if name not in ("plan", "plan_fingerprint", "keys")]


def _is_uncertain(step: StepReport) -> bool:
    began = step.attempts > 0 and step.reason != "journal-failed"
    return step.status == "timed_out" or (step.status == "cancelled" and began) or step.reason == "outcome-unknown"


class ExecutionError(WfplanError):
    """Raised by `ExecutionReport.raise_for_status`: the run ended without every step done.

    Args:
        report: The report of that run; also the attribute `report`.
    """

    report: ExecutionReport

    def __init__(self, report: ExecutionReport) -> None:
        self.report = report
        super().__init__(report)

    def __str__(self) -> str:
        steps = self.report.steps.values()
        blamed = [step for step in steps if step.status in ("failed", "timed_out", "cancelled")]
        failed = f"{len(blamed):,} of {pluralize(len(steps), 'step')} failed"
        if self.report.phase == "suspended":
            left = self.report.counts["pending"] + self.report.counts["running"]
            lines = [f"the run is suspended: {left:,} of {pluralize(len(steps), 'step')} have not ended"]
        else:
            phase = self.report.phase.replace("_", " ")
            lines = [f"the run {phase}: {failed}, {self.report.counts['skipped']:,} skipped"]
        lines += [
            f"  {quote(s.name)} {s.status}{f': {s.error.first_line}' if s.error else ''}" for s in blamed[:_SHOWN]
        ]
        if len(blamed) > _SHOWN:
            lines.append(f"  and {len(blamed) - _SHOWN:,} more, in .report")
        return "\n".join(lines)
