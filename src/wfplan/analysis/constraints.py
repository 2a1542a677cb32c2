"""The constraints of a plan other than dependencies, and the plan without them."""

from __future__ import annotations

from collections import Counter
from typing import Any, Iterator, Mapping, NamedTuple, Sequence

from typing_extensions import Literal, TypeAlias

from wfplan._internal.messages import quote
from wfplan.batching import is_sequential
from wfplan.models import Step, Workflow
from wfplan.planner import plan as make_plan
from wfplan.plans import ExecutionPlan

__all__ = [
    "Constraint",
    "ConstraintKind",
    "changed",
    "constraints",
    "describe_constraint",
    "left_out",
    "with_fields",
    "without_failures",
]

ConstraintKind: TypeAlias = Literal["hint", "hints", "lock", "locks", "max-parallel", "max-batch-size", "mode"]
"""What keeps steps apart beside their dependencies; `hints` and `locks` are all of them together."""

_MOST_OF_A_KIND = 20


def without_failures(plan: ExecutionPlan) -> ExecutionPlan:
    """Return the same plan, in which no step has a timeout, and nothing is tried before or undone."""
    steps = [step if step.timeout_seconds is None else with_fields(step, timeout_seconds=None) for step in _steps(plan)]
    return changed(plan, steps, dry_run_first=False, rollback_on_failure=False)


class Constraint(NamedTuple):
    """One of them."""

    kind: ConstraintKind
    subject: str
    without: ExecutionPlan
    """The plan without it."""


def constraints(plan: ExecutionPlan, seconds: Mapping[str, float], *, one_by_one: bool = True) -> Iterator[Constraint]:
    """Yield what keeps steps of this plan apart, each with the plan without it.

    Hints all together, then `one_by_one`; locks the same.
    """
    settings = plan.workflow.execution_strategy
    if settings.mode == "sequential":
        yield Constraint("mode", settings.mode, changed(plan, mode="auto"))
    if settings.max_parallel is not None:
        yield Constraint("max-parallel", f"{settings.max_parallel}", changed(plan, max_parallel=None))
    if settings.max_batch_size is not None:
        yield Constraint("max-batch-size", f"{settings.max_batch_size}", changed(plan, max_batch_size=None))
    hinted = sorted(_hinted(plan), key=lambda name: -seconds[name])
    if len(hinted) > 1:
        yield Constraint("hints", f"{len(hinted):,}", _without_hints(plan, set(hinted)))
    for name in hinted[:_MOST_OF_A_KIND] if one_by_one or len(hinted) == 1 else ():
        yield Constraint("hint", name, _without_hints(plan, {name}))
    held = _seconds_held(plan, seconds)
    shared = sorted(_shared_locks(plan), key=lambda lock: -held[lock])
    if len(shared) > 1:
        yield Constraint("locks", f"{len(shared):,}", _without_locks(plan, set(shared)))
    for lock in shared[:_MOST_OF_A_KIND] if one_by_one or len(shared) == 1 else ():
        yield Constraint("lock", lock, _without_locks(plan, {lock}))


def unconstrained(plan: ExecutionPlan) -> ExecutionPlan:
    """Return the plan without all of it, and without batches: each step starts as soon as its dependencies allow."""
    steps = [with_fields(_without_hint(step), locks=()) for step in _steps(plan)]
    return changed(plan, steps, mode="auto", max_parallel=None, max_batch_size=None, schedule="eager")


def describe_constraint(kind: ConstraintKind, subject: str) -> str:
    """Describe a constraint in words."""
    phrases: Mapping[ConstraintKind, str] = {
        "hint": f"the hint of {quote(subject)}",
        "hints": f"all {subject} hints",
        "lock": f"the lock {quote(subject)}",
        "locks": f"all {subject} locks",
        "max-parallel": f"max_parallel {subject}",
        "max-batch-size": f"max_batch_size {subject}",
        "mode": f"the mode {quote(subject)}",
    }
    return phrases[kind]


def left_out(plan: ExecutionPlan) -> int:
    """Return how many hints and shared locks `constraints` does not give one by one."""
    return sum(max(len(found) - _MOST_OF_A_KIND, 0) for found in (_hinted(plan), _shared_locks(plan)))


def _hinted(plan: ExecutionPlan) -> list[str]:
    return [step.name for step in _steps(plan) if is_sequential(step.metadata)]


def _shared_locks(plan: ExecutionPlan) -> list[str]:
    """Return the locks that more than one step holds, in declared order."""
    holders = Counter(lock for step in _steps(plan) for lock in dict.fromkeys(step.locks))
    return [lock for lock, count in holders.items() if count > 1]


def _seconds_held(plan: ExecutionPlan, seconds: Mapping[str, float]) -> Mapping[str, float]:
    held: dict[str, float] = {}
    for step in _steps(plan):
        for lock in step.locks:
            held[lock] = held.get(lock, 0.0) + seconds[step.name]
    return held


def _without_hints(plan: ExecutionPlan, names: set[str]) -> ExecutionPlan:
    return changed(plan, [_without_hint(step) if step.name in names else step for step in _steps(plan)])


def _without_hint(step: Step) -> Step:
    return with_fields(step, metadata={key: value for key, value in step.metadata.items() if key != "execution_mode"})


def _without_locks(plan: ExecutionPlan, locks: set[str]) -> ExecutionPlan:
    steps = [
        step
        if locks.isdisjoint(step.locks)
        else with_fields(step, locks=tuple(lock for lock in step.locks if lock not in locks))
        for step in _steps(plan)
    ]
    return changed(plan, steps)


def _steps(plan: ExecutionPlan) -> Sequence[Step]:
    return plan.workflow.steps


def with_fields(step: Step, **changes: Any) -> Step:
    """Return a step with other values, which are known to fit."""
    return step.model_copy(update=changes)


def changed(plan: ExecutionPlan, steps: Sequence[Step] | None = None, **settings: Any) -> ExecutionPlan:
    """Return the plan of other steps, or of the same ones in other settings."""
    strategy = plan.workflow.execution_strategy.model_copy(update=settings)
    return make_plan(Workflow(steps=plan.workflow.steps if steps is None else steps, execution_strategy=strategy))
