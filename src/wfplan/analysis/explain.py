"""Explain a step's place in its plan, and what would let it start earlier."""

from __future__ import annotations

from typing import Iterator, Mapping, Sequence, Union

from typing_extensions import Literal, TypeAlias

from wfplan._internal.messages import join_names, pluralize, quote
from wfplan._internal.model import EMPTY, Model, TupleOf
from wfplan.analysis.constraints import (
    ConstraintKind,
    changed,
    constraints,
    describe_constraint,
    unconstrained,
    with_fields,
    without_failures,
)
from wfplan.analysis.durations import check_names, count_assumed, show_seconds
from wfplan.analysis.simulation import simulate
from wfplan.analysis.timing import StepTiming, Times, slack
from wfplan.plans import ExecutionPlan
from wfplan.problems import require_type

__all__ = ["ChangeKind", "Explanation", "Improvement", "explain"]

ChangeKind: TypeAlias = Union[ConstraintKind, Literal["dependencies", "schedule", "together"]]
"""What could be otherwise: a constraint, some of a step's dependencies, the schedule, all but dependencies."""


class Improvement(Model):
    """Something that would let a step start earlier, if it were not there."""

    kind: ChangeKind
    subject: str = ""
    """The step with the hint, the key of the lock, the limit, the schedule."""
    dependencies: TupleOf[str] = EMPTY
    starts_at: float
    """When the step would start."""

    def __str__(self) -> str:
        if self.kind == "dependencies":
            what = f"the dependency on {join_names(self.dependencies)}"
        elif self.kind == "schedule":
            what = f"the schedule {quote(self.subject)}"
        elif self.kind == "together":
            what = "hints, locks, limits and batches, all of them,"
        else:
            what = describe_constraint(self.kind, self.subject)
        return f"without {what} at {show_seconds(self.starts_at)}"


class Explanation(Model):
    """Why a step is where it is in a plan."""

    step: str
    batch: int
    """The number of its batch."""
    batch_steps: TupleOf[str]
    """All steps of this batch, in declared order."""
    parallel: bool
    """Whether they may overlap."""
    timing: StepTiming
    """When it can start and when it has to, considering dependencies only."""
    starts_at: float
    """When it does start, if every step succeeds and takes its time; the plan is run as it says, without dry run."""
    path: TupleOf[str]
    """The longest path of dependencies, in seconds, that ends with it."""
    latest: TupleOf[str] = EMPTY
    """Of its dependencies those that end last: they decide when it can start."""
    deepest: TupleOf[str] = EMPTY
    """Of its dependencies those of the last level: they decide its batch."""
    dependents: TupleOf[str] = EMPTY
    """What needs it directly."""
    holds_up: TupleOf[str] = EMPTY
    """What needs it, directly or not, in declared order."""
    earlier: TupleOf[Improvement] = EMPTY
    """What would let it start earlier, the best first."""
    assumed: int = 0
    """How many steps of the plan count 1 second, since they have no estimate."""

    def __str__(self) -> str:
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        timing, others = self.timing, [name for name in self.batch_steps if name != self.step]
        together = f"{'beside' if self.parallel else 'one at a time with'} {join_names(others)}" if others else "alone"
        yield f"{quote(self.step)} is in batch {self.batch:,}, {together}"
        allowed = show_seconds(timing.earliest_start)
        yield f"it starts at {show_seconds(self.starts_at)}; its dependencies alone allow {allowed}"
        if self.assumed:
            yield f"  {pluralize(self.assumed, 'step')} of the plan without an estimate, counted as 1 s"
        if self.latest:
            yield f"  what it needs and ends last: {join_names(self.latest)}"
            yield f"  what it needs and decides its batch: {join_names(self.deepest)}"
            yield f"  the longest path to it: {join_names(self.path)}"
        if timing.is_critical:
            yield "considering dependencies only, any delay of it delays the whole"
        else:
            later = show_seconds(timing.slack)
            yield f"considering dependencies only, it can start {later} later without delaying the whole"
        waiting = f"steps that wait for it ({len(self.holds_up):,}): {join_names(self.holds_up)}"
        yield waiting if self.holds_up else "nothing waits for it"
        yield from (f"it would start earlier {change}" for change in self.earlier)


def explain(plan: ExecutionPlan, step: str, *, durations: Mapping[str, float] | None = None) -> Explanation:
    """Explain a step's place: its batch, what binds it, what it delays, and what would let it start earlier.

    Each improvement is tried in a simulation in which every step succeeds: without the dependencies that bind the
    step, in the eager schedule, and without the plan's limits, hints or locks; without all of these together if none
    helps alone.

    Args:
        plan: The plan.
        step: The name of the step.
        durations: Seconds by step name. A step without an entry takes its `estimated_seconds`, or 1 second.

    Raises:
        RefusedError: A duration is not a number of seconds.
        UnknownNameError: No step has this name, or that of a duration.

    >>> import wfplan
    >>> plan = wfplan.plan({"build": [], "test": ["build"], "docs": [], "ship": ["test", "docs"]})
    >>> print(explain(plan, "ship", durations={"test": 5}))
    "ship" is in batch 3, alone
    it starts at 6.000 s; its dependencies alone allow 6.000 s
      3 steps of the plan without an estimate, counted as 1 s
      what it needs and ends last: "test"
      what it needs and decides its batch: "test"
      the longest path to it: "build", "test", "ship"
    considering dependencies only, any delay of it delays the whole
    nothing waits for it
    it would start earlier without the dependency on "test" at 1.000 s
    """
    require_type(plan, ExecutionPlan)
    check_names(plan, [step])
    times = Times(plan, durations)
    number = times.number_of(step)
    batch = plan.batches[times.batch_of[number]]
    plain, seconds = without_failures(plan), dict(zip(times.names, times.seconds))
    starts_at = _start_of(step, plain, seconds)
    latest, deepest = times.latest_needs(number), times.deepest_needs(number)
    return Explanation(
        step=step,
        batch=batch.number,
        batch_steps=batch.steps,
        parallel=batch.parallel,
        timing=slack(plan, durations=durations)[step],
        starts_at=starts_at,
        path=times.named(times.path_to(number)),
        latest=latest,
        deepest=deepest,
        dependents=times.named(times.dependents[number]),
        holds_up=times.named(times.descendants(number)),
        earlier=_find_earlier(plain, step, seconds, starts_at, [latest, deepest]),
        assumed=count_assumed(plan, durations),
    )


def _find_earlier(
    plan: ExecutionPlan, name: str, seconds: Mapping[str, float], starts_at: float, binding: Sequence[Sequence[str]]
) -> list[Improvement]:
    """Return the changes after which the step starts before `starts_at`, the best first."""
    found = [
        Improvement(kind=kind, subject=subject, dependencies=list(dependencies), starts_at=start)
        for kind, subject, dependencies, other in (_changes(plan, name, seconds, binding) if starts_at else ())
        for start in [_start_of(name, other, seconds)]
        if start < starts_at
    ]
    if starts_at and all(change.kind == "dependencies" for change in found):  # several may hold it up together
        start = _start_of(name, unconstrained(plan), seconds)
        found += [Improvement(kind="together", starts_at=start)] if start < starts_at else []
    return sorted(found, key=lambda change: change.starts_at)


def _changes(
    plan: ExecutionPlan, name: str, seconds: Mapping[str, float], binding: Sequence[Sequence[str]]
) -> Iterator[tuple[ChangeKind, str, Sequence[str], ExecutionPlan]]:
    """Yield what could be otherwise, and the plan that there would be."""
    for dependencies in dict.fromkeys(map(tuple, filter(None, binding))):
        yield "dependencies", "", dependencies, _without_dependencies(plan, name, dependencies)
    schedule = plan.workflow.execution_strategy.schedule
    if schedule == "batch":
        yield "schedule", schedule, (), changed(plan, schedule="eager")
    for constraint in constraints(plan, seconds, one_by_one=False):
        yield constraint.kind, constraint.subject, (), constraint.without


def _without_dependencies(plan: ExecutionPlan, name: str, dependencies: Sequence[str]) -> ExecutionPlan:
    kept = tuple(needed for needed in plan.steps[name].dependencies if needed not in dependencies)
    steps = plan.workflow.steps
    return changed(plan, [with_fields(step, dependencies=kept) if step.name == name else step for step in steps])


def _start_of(name: str, plan: ExecutionPlan, seconds: Mapping[str, float]) -> float:
    return simulate(plan, durations=seconds).steps[name].started_at or 0.0
