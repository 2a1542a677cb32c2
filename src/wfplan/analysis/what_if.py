"""Compare schedules and limits, and the cost of hints and locks."""

from __future__ import annotations

from typing import Any, Iterator, Mapping, Sequence

from wfplan._internal import display
from wfplan._internal.messages import pluralize
from wfplan._internal.model import EMPTY, Model, TupleOf
from wfplan.analysis.constraints import (
    ConstraintKind,
    changed,
    constraints,
    describe_constraint,
    left_out,
    without_failures,
)
from wfplan.analysis.durations import count_assumed, show_seconds
from wfplan.analysis.simulation import simulate
from wfplan.analysis.timing import Times, check_workers
from wfplan.errors import UnknownNameError
from wfplan.models import Schedule
from wfplan.plans import ExecutionPlan
from wfplan.problems import require_type

__all__ = ["Comparison", "ConstraintCost", "ScheduleResult", "compare"]

_SCHEDULES: tuple[Schedule, ...] = ("batch", "eager")


class ScheduleResult(Model):
    """How long a plan takes in a schedule, with so many steps at once."""

    schedule: Schedule
    max_parallel: int
    makespan: float
    """Seconds from the first start to the last end."""
    lower_bound: float
    """What no schedule can beat: max(critical path, work / `max_parallel`)."""
    efficiency: float
    """The part of the time of all places in which something runs, from 0 to 1."""

    @property
    def over_bound(self) -> float:
        """The makespan in lower bounds: 1 is the best there can be."""
        return self.makespan / self.lower_bound if self.lower_bound else 1.0


class ConstraintCost(Model):
    """How much sooner a plan would end without something that keeps steps apart."""

    kind: ConstraintKind
    subject: str = ""
    """The step with the hint, the key of the lock, the limit; how many, where it is about all of them."""
    makespan: float
    """Seconds without it."""
    seconds: float
    """How many more it takes with it. Below 0 where the order in which steps get their places happens to be worse."""

    def __str__(self) -> str:
        return describe_constraint(self.kind, self.subject)


class Comparison(Model):
    """How long a plan takes in both schedules, and what its constraints cost."""

    steps: int
    assumed: int
    """How many of the steps count 1 second, since they have no estimate."""
    work: float
    """Seconds of all steps together."""
    critical_path: float
    """Seconds of the longest path of dependencies."""
    makespan: float
    """Seconds of the plan as it is: in its own schedule, with its own `max_parallel` if it has one."""
    results: TupleOf[ScheduleResult] = EMPTY
    """For each number of steps at once batch, then eager."""
    costs: TupleOf[ConstraintCost] = EMPTY
    """Beside `makespan`: what each hinted step, each shared lock and each limit costs."""
    costs_left_out: int = 0
    """How many hinted steps and shared locks were not looked at one by one, since there are so many."""

    def result(self, schedule: Schedule, max_parallel: int) -> ScheduleResult:
        """Return one of the results; raise UnknownNameError if this was not compared."""
        for result in self.results:
            if (result.schedule, result.max_parallel) == (schedule, max_parallel):
                return result
        raise UnknownNameError(f"{schedule} with {max_parallel} at once was not compared", [(schedule, max_parallel)])

    def records(self) -> list[dict[str, Any]]:
        """Return a flat dictionary for each result: `pandas.DataFrame(comparison.records())`."""
        return [{**vars(result), "over_bound": result.over_bound} for result in self.results]

    def cost_records(self) -> list[dict[str, Any]]:
        """Return a flat dictionary for each constraint."""
        return [dict(vars(cost)) for cost in self.costs]

    def __str__(self) -> str:
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        assumed = f" ({self.assumed:,} without an estimate, counted as 1 s)" if self.assumed else ""
        least = f"{show_seconds(self.work)} of work, {show_seconds(self.critical_path)} at least"
        yield f"{pluralize(self.steps, 'step')}{assumed}: {least}"
        if self.results:
            yield ""
            yield from display.table(
                [("at once", "schedule", "makespan", "lower bound", "ratio", "efficiency"), *self._rows()]
            )
        if self.costs:
            yield ""
            yield f"as it is, the plan takes {show_seconds(self.makespan)}"
            yield ""
            costs = [(str(cost), show_seconds(cost.makespan), show_seconds(cost.seconds)) for cost in self.costs]
            yield from display.table([("without", "it takes", "less"), *costs])
        if self.costs_left_out:
            yield f"{self.costs_left_out:,} more hints and locks were not looked at one by one"

    def _rows(self) -> Iterator[Sequence[str]]:
        for one in self.results:
            took, bound = show_seconds(one.makespan), show_seconds(one.lower_bound)
            yield f"{one.max_parallel:,}", one.schedule, took, bound, f"{one.over_bound:.3f}", f"{one.efficiency:.0%}"


def compare(
    plan: ExecutionPlan,
    max_parallel: Sequence[int] = (1, 2, 4, 8),
    *,
    durations: Mapping[str, float] | None = None,
) -> Comparison:
    """Compare how long a plan takes under both schedules and several limits, and what its constraints cost.

    Each figure is a simulation in which every step succeeds at its first attempt. The cost of constraints is that of
    the plan as it is, in its own schedule; of the hints and of the shared locks, the twenty with the most work are
    tried one by one.

    Args:
        plan: The plan.
        max_parallel: The limits on steps in flight to try, each at least 1, in place of the plan's own.
        durations: Seconds by step name. A step without an entry takes its `estimated_seconds`, or 1 second.

    Raises:
        RefusedError: A limit or a duration is not a valid number.
        UnknownNameError: A duration is for a name that is not a step.

    >>> import wfplan
    >>> plan = wfplan.plan({"a": [], "b": ["a"], "c": [], "d": ["c"]})
    >>> print(compare(plan, [1, 2], durations={"b": 3, "c": 3}))
    4 steps (2 without an estimate, counted as 1 s): 8.000 s of work, 4.000 s at least
    <BLANKLINE>
    at once  schedule  makespan  lower bound  ratio  efficiency
    1        batch     8.000 s   8.000 s      1.000  100%
    1        eager     8.000 s   8.000 s      1.000  100%
    2        batch     6.000 s   4.000 s      1.500  67%
    2        eager     4.000 s   4.000 s      1.000  100%
    """
    require_type(plan, ExecutionPlan)
    wanted = [check_workers(workers) for workers in max_parallel]
    times = Times(plan, durations)
    seconds = dict(zip(times.names, times.seconds))
    plain = without_failures(plan)
    free = changed(plain, max_parallel=None)
    makespan = _makespan(plain, seconds)
    costs = [
        ConstraintCost(kind=one.kind, subject=one.subject, makespan=without, seconds=makespan - without)
        for one in constraints(plain, seconds)
        for without in [_makespan(one.without, seconds)]
    ]
    return Comparison(
        steps=len(times.names),
        assumed=count_assumed(plan, durations),
        work=times.work,
        critical_path=times.total,
        makespan=makespan,
        results=[_result(free, schedule, workers, seconds, times) for workers in wanted for schedule in _SCHEDULES],
        costs=costs,
        costs_left_out=left_out(plain),
    )


def _result(
    plan: ExecutionPlan, schedule: Schedule, workers: int, seconds: Mapping[str, float], times: Times
) -> ScheduleResult:
    makespan = _makespan(plan, seconds, schedule=schedule, max_parallel=workers)
    return ScheduleResult(
        schedule=schedule,
        max_parallel=workers,
        makespan=makespan,
        lower_bound=max(times.total, times.work / workers),
        efficiency=min(times.work / (workers * makespan), 1.0) if makespan else 1.0,
    )


def _makespan(plan: ExecutionPlan, seconds: Mapping[str, float], **keywords: Any) -> float:
    return simulate(plan, durations=seconds, **keywords).makespan
