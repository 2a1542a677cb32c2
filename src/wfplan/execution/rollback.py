"""The plan that undoes what steps have done."""

from __future__ import annotations

from typing import Iterable, Optional

from pydantic import Field
from typing_extensions import Annotated

from wfplan._internal.model import EMPTY, Model, TupleOf
from wfplan.errors import require_names
from wfplan.models import ExecutionStrategy, Step, Workflow
from wfplan.planner import plan as make_plan
from wfplan.plans import ExecutionPlan
from wfplan.problems import require_type

__all__ = ["RollbackPreview", "rollback_plan", "rollback_preview"]

_MOST_PASSED_ON = 64
_MOST_ARROWS = 8


def rollback_plan(plan: ExecutionPlan, succeeded: Iterable[str]) -> ExecutionPlan:
    """Return the plan that undoes these steps of `plan`: a step for each that has a compensation, under the same name.

    A step's dependents are undone before it, directly or through steps that have no compensation or did not succeed;
    independent ones may be undone in parallel. Timeout, retries, locks and the sequential hint of a step hold for its
    compensation. One that fails stops no other.

    To keep the plan about as small as the graph, where many steps would have to wait for many others through one
    without a compensation, one step that waits for all the rest stands for them.

    Args:
        plan: The plan that ran.
        succeeded: The names of the steps to undo.

    Raises:
        UnknownNameError: A name is not that of a step.

    >>> from wfplan import Compensation, Step, plan
    >>> made = plan([Step(name="scale", rollback=Compensation(action="scale_back")),
    ...              Step(name="look", dependencies=["scale"]),
    ...              Step(name="route", dependencies=["look"], rollback=Compensation(action="route_back"))])
    >>> [(step.name, step.action, step.dependencies) for step in rollback_plan(made, made.steps).workflow.steps]
    [('route', 'route_back', ()), ('scale', 'scale_back', ('route',))]
    """
    require_type(plan, ExecutionPlan)
    wanted = set(succeeded)
    require_names("step", sorted(wanted), plan.steps)
    undone_first = _reverse_arrows(plan, wanted)
    settings = plan.workflow.execution_strategy
    strategy = ExecutionStrategy(
        mode=settings.mode,
        max_parallel=settings.max_parallel,
        isolate_sequential=settings.isolate_sequential,
        max_batch_size=settings.max_batch_size,
        schedule=settings.schedule,
        on_failure="skip-dependents",
    )
    steps = [
        _compensate(step, undone_first[step.name])
        for step in reversed(plan.workflow.steps)
        if step.name in undone_first
    ]
    return make_plan(Workflow(name=plan.workflow.name, steps=steps, execution_strategy=strategy))


def _compensate(step: Step, undone_first: Iterable[str]) -> Step:
    assert step.rollback is not None  # noqa: S101 - for type checkers
    hint = {key: value for key, value in step.metadata.items() if key == "execution_mode"}
    return Step(
        name=step.name,
        action=step.rollback.action,
        parameters=step.rollback.parameters,
        dependencies=tuple(undone_first),
        locks=step.locks,
        metadata=hint,
        recommendation_id=step.recommendation_id,
        timeout_seconds=step.timeout_seconds,
        retry=step.retry,
        continue_on_failure=True,
    )


def _reverse_arrows(plan: ExecutionPlan, succeeded: set[str]) -> dict[str, dict[str, None]]:
    """For each step that has a compensation and succeeded: what has to be undone before it, in an order of its own."""
    steps = plan.steps
    dependents: dict[str, list[str]] = {name: [] for name in steps}
    for step in plan.workflow.steps:
        for needed in dict.fromkeys(step.dependencies):
            dependents[needed].append(step.name)
    found: dict[str, dict[str, None]] = {}
    rank: dict[str, int] = {}
    passed_on: dict[str, dict[str, None]] = {}  # of the other steps: what is undone before all that they depend on
    for batch in reversed(plan.batches):
        for name in reversed(batch.steps):
            first: dict[str, None] = {}
            for other in dependents[name]:
                first.update({other: None} if other in found else passed_on[other])
            if name in succeeded and steps[name].rollback is not None:
                found[name], rank[name] = first, len(rank)
            elif _is_little(len(first), len(steps[name].dependencies)):
                passed_on[name] = first
            else:
                passed_on[name] = _let_one_stand_for_all(first, found, rank)
    return found


def _is_little(behind: int, before: int) -> bool:
    """Return whether so many arrows by way of a step are about as many as it has itself."""
    return behind <= _MOST_PASSED_ON and behind * before <= _MOST_ARROWS * (behind + before)


def _let_one_stand_for_all(
    names: dict[str, None], found: dict[str, dict[str, None]], rank: dict[str, int]
) -> dict[str, None]:
    """Return the one of `names` that was found last, which from now on waits for the others.

    None of them waits for it, so there is no cycle.
    """
    last = max(names, key=rank.__getitem__)
    found[last].update((name, None) for name in names if name != last)
    return {last: None}


class RollbackPreview(Model):
    """What a rollback could and could not undo."""

    plan: ExecutionPlan
    """What would be done."""
    irreversible: TupleOf[str] = EMPTY
    """Of the steps asked for, those without compensation that do more than read, in declared order."""
    point_of_no_return: Optional[Annotated[int, Field(ge=1)]] = None
    """The number of the first batch of the original plan with such a step: from its start on, not everything can be
    undone. None if everything can."""


def rollback_preview(plan: ExecutionPlan, succeeded: Iterable[str] | None = None) -> RollbackPreview:
    """Return what a rollback would do, and what it could not undo. A step with `effect="read"` needs no undoing.

    Args:
        plan: The plan.
        succeeded: The names of the steps that succeeded. None: all of them.

    Raises:
        UnknownNameError: A name is not that of a step.
    """
    require_type(plan, ExecutionPlan)
    names = set(plan.steps if succeeded is None else succeeded)
    undoing = rollback_plan(plan, names)
    for_good = {step.name for step in plan.workflow.steps if step.name in names and step.is_irreversible}
    numbers = [batch.number for batch in plan.batches if not for_good.isdisjoint(batch.steps)]
    return RollbackPreview(
        plan=undoing,
        irreversible=tuple(name for name in plan.steps if name in for_good),
        point_of_no_return=min(numbers, default=None),
    )
