"""Everything that keeps two steps from running at the same time."""

from __future__ import annotations

from typing import Iterator

from typing_extensions import Literal, TypeAlias

from wfplan._internal.messages import join_names, quote
from wfplan._internal.model import EMPTY, Model, TupleOf
from wfplan._internal.plan_index import PlanIndex
from wfplan.analysis.durations import check_names
from wfplan.batching import is_sequential
from wfplan.execution.options import RunOptions, resolve_run_options
from wfplan.models import Schedule
from wfplan.plans import ExecutionPlan
from wfplan.problems import ProblemCollector, RefusedError, refusal, require_type

__all__ = ["Separation", "SeparationKind", "SeparationReason", "why_not_parallel"]

SeparationKind: TypeAlias = Literal["path", "hint", "lock", "batch", "batch-not-parallel", "max-parallel", "mode"]


class SeparationReason(Model):
    """One thing that keeps two steps apart; it is enough by itself."""

    kind: SeparationKind
    message: str
    path: TupleOf[str] = EMPTY
    """Steps from the one to the other, each needed by the next."""
    subject: str = ""
    """The step with the hint, or the key of the lock."""

    def __str__(self) -> str:
        return self.message


class Separation(Model):
    """What keeps two steps from running at the same time; true if anything does."""

    steps: TupleOf[str]
    """The two, as asked."""
    reasons: TupleOf[SeparationReason] = EMPTY

    def __bool__(self) -> bool:
        return bool(self.reasons)

    @property
    def parallel(self) -> bool:
        """Whether nothing in the plan keeps them apart, whatever time steps take.

        With the times that they do take, they may still never meet.
        """
        return not self.reasons

    def __str__(self) -> str:
        both = " and ".join(map(quote, self.steps))
        if not self.reasons:
            return f"{both} may run at the same time: nothing in the plan keeps them apart for sure"
        return "\n  ".join((f"{both} never run at the same time", *map(str, self.reasons)))


def why_not_parallel(
    plan: ExecutionPlan, one: str, other: str, *, schedule: Schedule | None = None, max_parallel: int | None = None
) -> Separation:
    """Return everything that keeps two steps from running at the same time.

    A path of dependencies (a shortest one is shown), a sequential hint, a lock, their batches, the limit, the mode.
    Linear.

    Args:
        plan: The plan.
        one: The name of a step.
        other: The name of another.
        schedule: As for `run`.
        max_parallel: As for `run`.

    Raises:
        UnknownNameError: No step has one of the names.
        RefusedError: Both are the same step, or a keyword is wrong.

    >>> import wfplan
    >>> plan = wfplan.plan({"scale": [], "restart": ["scale"], "verify": ["restart"], "notify": []})
    >>> print(why_not_parallel(plan, "verify", "scale"))
    "verify" and "scale" never run at the same time
      "verify" waits for "scale": "scale", "restart", "verify"
    >>> print(why_not_parallel(plan, "verify", "notify"))
    "verify" and "notify" never run at the same time
      "verify" is in batch 3, "notify" in batch 1, and in the schedule "batch" one follows the other
    >>> why_not_parallel(plan, "verify", "notify", schedule="eager").parallel
    True
    """
    require_type(plan, ExecutionPlan)
    check_names(plan, (one, other))
    if one == other:
        raise refusal(f"{quote(one)} is one step", "ask for two")
    problems = ProblemCollector()
    settings = resolve_run_options(plan, schedule, max_parallel, None, None, None, problems)
    if problems.has_errors:
        raise RefusedError(problems.as_tuple())
    return Separation(steps=(one, other), reasons=list(_reasons(plan, settings, one, other)))


def _reasons(plan: ExecutionPlan, settings: RunOptions, one: str, other: str) -> Iterator[SeparationReason]:
    if plan.workflow.execution_strategy.mode == "sequential":
        yield SeparationReason(kind="mode", message='in the mode "sequential" no two steps run at the same time')
    elif settings.max_parallel == 1:
        yield SeparationReason(kind="max-parallel", message="max_parallel is 1")
    path = _find_path(plan, one, other)
    if path:
        message = f"{quote(path[-1])} waits for {quote(path[0])}: {join_names(path)}"
        yield SeparationReason(kind="path", message=message, path=path)
    for name in (one, other):
        if is_sequential(plan.steps[name].metadata):
            message = f"{quote(name)} has a sequential hint, so it overlaps with nothing"
            yield SeparationReason(kind="hint", message=message, subject=name)
    for lock in dict.fromkeys(plan.steps[one].locks):
        if lock in plan.steps[other].locks:
            yield SeparationReason(kind="lock", message=f"both hold the lock {quote(lock)}", subject=lock)
    if not path:
        yield from _reasons_of_batches(plan, settings, one, other)


def _reasons_of_batches(plan: ExecutionPlan, settings: RunOptions, one: str, other: str) -> Iterator[SeparationReason]:
    """Yield why the batches keep two steps apart between which there is no path."""
    batch, batch_of_other = (next(batch for batch in plan.batches if name in batch.steps) for name in (one, other))
    if batch.number != batch_of_other.number and settings.schedule == "batch":
        message = f"{quote(one)} is in batch {batch.number:,}, {quote(other)} in batch {batch_of_other.number:,}"
        message += ', and in the schedule "batch" one follows the other'
        yield SeparationReason(kind="batch", message=message)
    if batch.number == batch_of_other.number and not batch.parallel:
        hinted = [name for name in batch.steps if is_sequential(plan.steps[name].metadata)]
        why = f": {join_names(hinted)} has a sequential hint" if hinted else ""
        message = f"both are in batch {batch.number:,}, which is done one step at a time{why}"
        yield SeparationReason(kind="batch-not-parallel", message=message)


def _find_path(plan: ExecutionPlan, one: str, other: str) -> list[str]:
    """Return a shortest path of dependencies between two steps, the needed one first; empty if there is none."""
    index = PlanIndex(plan, "batch")
    first, last = sorted((index.numbers[one], index.numbers[other]), key=index.batch_of.__getitem__)
    next_of = {last: last}
    pending: list[int] = [last]
    while pending and first not in next_of:
        reached = [(needed, number) for number in pending for needed in index.needs[number]]
        pending.clear()
        for needed, number in reached:
            if needed not in next_of and index.batch_of[needed] >= index.batch_of[first]:
                next_of[needed] = number
                pending.append(needed)
    if first not in next_of:
        return []
    path = [first]
    while path[-1] != last:
        path.append(next_of[path[-1]])
    return [index.names[number] for number in path]
