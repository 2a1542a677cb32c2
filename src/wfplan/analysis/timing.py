"""The earliest and latest times of steps, considering dependencies only; critical path and slack."""

from __future__ import annotations

from itertools import chain
from math import fsum
from typing import Iterable, Mapping

from wfplan._internal.messages import join_names, pluralize
from wfplan._internal.model import Model, TupleOf, construct_unchecked
from wfplan._internal.plan_index import PlanIndex
from wfplan.analysis.durations import count_assumed, show_seconds, step_seconds
from wfplan.plans import ExecutionPlan
from wfplan.problems import refusal, require_type

__all__ = ["CriticalPath", "StepTiming", "Times", "check_workers", "critical_path", "lower_bound", "slack"]

_NOTHING_TO_SPEAK_OF = 1e-9
_MOST = 2**31 - 1


class CriticalPath(Model):
    """The steps that decide how long a plan takes at least, however many of them may run at once."""

    steps: TupleOf[str]
    """By name, each waiting for the one before."""
    seconds: float
    """How long they take, one after the other."""
    assumed: int = 0
    """How many steps of the plan count 1 second, since they have no estimate."""

    def __str__(self) -> str:
        assumed = f" ({pluralize(self.assumed, 'step')} without an estimate, counted as 1 s)" if self.assumed else ""
        return f"{show_seconds(self.seconds)}: {join_names(self.steps) or 'no steps'}{assumed}"


class StepTiming(Model):
    """When a step can start and end at the earliest, and when it has to so that it does not delay the whole."""

    name: str
    seconds: float
    earliest_start: float
    earliest_end: float
    latest_start: float
    latest_end: float
    slack: float
    """How much later than at the earliest it can start without delaying the whole, considering dependencies only."""
    assumed: bool = False
    """Whether it counts 1 second, since it has no estimate."""

    def __str__(self) -> str:
        late = "critical" if self.is_critical else f"up to {show_seconds(self.slack)} later"
        return f"{show_seconds(self.earliest_start)} to {show_seconds(self.earliest_end)}, {late}"

    @property
    def is_critical(self) -> bool:
        """Whether any delay of it delays the whole, considering dependencies only."""
        return self.slack == 0


def critical_path(plan: ExecutionPlan, *, durations: Mapping[str, float] | None = None) -> CriticalPath:
    """Return the longest path of dependencies, in seconds; of several equally long ones, the one declared first.

    Hints, locks and limits play no part. Linear.

    Args:
        plan: The plan.
        durations: Seconds by step name. A step without an entry takes its `estimated_seconds`, or 1 second.

    Raises:
        RefusedError: A duration is not a number of seconds.
        UnknownNameError: A duration is for a name that is not a step.

    >>> import wfplan
    >>> path = critical_path(wfplan.plan({"build": [], "lint": [], "ship": ["build", "lint"]}), durations={"lint": 5})
    >>> path.steps, path.seconds, path.assumed
    (('lint', 'ship'), 6.0, 2)
    """
    require_type(plan, ExecutionPlan)
    times = Times(plan, durations)
    path = [] if times.last is None else times.path_to(times.last)
    return CriticalPath(steps=times.named(path), seconds=times.total, assumed=count_assumed(plan, durations))


def slack(plan: ExecutionPlan, *, durations: Mapping[str, float] | None = None) -> dict[str, StepTiming]:
    """Return, for each step in declared order, the earliest and latest times it can start, and the time between.

    Args:
        plan: The plan.
        durations: Seconds by step name. A step without an entry takes its `estimated_seconds`, or 1 second.

    Raises:
        RefusedError: A duration is not a number of seconds.
        UnknownNameError: A duration is for a name that is not a step.

    Note:
        Less than a billionth of the whole, which comes from rounding, is not slack.

    >>> import wfplan
    >>> timing = slack(wfplan.plan({"build": [], "lint": [], "ship": ["build", "lint"]}), durations={"lint": 5})
    >>> timing["build"].slack, timing["build"].latest_start, timing["lint"].is_critical
    (4.0, 4.0, True)
    """
    require_type(plan, ExecutionPlan)
    times = Times(plan, durations)
    tails = times.tails()
    given = durations or {}
    assumed = [step.estimated_seconds is None and step.name not in given for step in plan.workflow.steps]
    return {name: _timing(times, tails, number, assumed=assumed[number]) for number, name in enumerate(times.names)}


def lower_bound(
    plan: ExecutionPlan, max_parallel: int | None = None, *, durations: Mapping[str, float] | None = None
) -> float:
    """Return the seconds that no schedule can beat: max(critical path, work / `max_parallel`).

    Neither the plan's own limit nor hints nor locks play a part. `critical_path(plan).assumed` counts the steps
    without an estimate.

    Args:
        plan: The plan.
        max_parallel: The most steps at once, at least 1. None: no limit, which leaves the critical path.
        durations: Seconds by step name. A step without an entry takes its `estimated_seconds`, or 1 second.

    Raises:
        RefusedError: `max_parallel` or a duration is not a valid number.
        UnknownNameError: A duration is for a name that is not a step.

    >>> import wfplan
    >>> lower_bound(wfplan.plan({"a": [], "b": [], "c": []}), max_parallel=2)
    1.5
    """
    require_type(plan, ExecutionPlan)
    times = Times(plan, durations)
    return times.total if max_parallel is None else max(times.total, times.work / check_workers(max_parallel))


def check_workers(value: object) -> int:
    """Return `value` as a limit on steps in flight; raise RefusedError unless it is a whole number from 1 on."""
    if isinstance(value, int) and not isinstance(value, bool) and value >= 1:
        return min(value, _MOST)
    shown = f"{value}"[:40] if isinstance(value, (int, float)) else f"a {type(value).__name__}"
    raise refusal(f"max_parallel must be a whole number from 1 on, not {shown}")


class Times:
    """A plan in numbers, with the earliest start and end of each step."""

    def __init__(self, plan: ExecutionPlan, durations: Mapping[str, float] | None = None) -> None:
        self._index = index = PlanIndex(plan, "batch")
        self.names: list[str] = index.names
        self.needs: list[list[int]] = index.needs
        self.dependents: list[list[int]] = index.dependents
        self.batch_of: list[int] = index.batch_of
        self.seconds: list[float] = step_seconds(plan, durations)
        self.starts: list[float] = [0.0] * len(self.names)
        self.ends: list[float] = [0.0] * len(self.names)
        self._levels = [0] * len(self.names)
        for number in chain.from_iterable(index.batches):  # what is needed is in earlier batches
            self.starts[number] = start = max(map(self.ends.__getitem__, self.needs[number]), default=0.0)
            self.ends[number] = start + self.seconds[number]
            self._levels[number] = max((self._levels[needed] + 1 for needed in self.needs[number]), default=0)
        self.total: float = max(self.ends, default=0.0)
        """When the last step ends, at the earliest."""

    def number_of(self, name: str) -> int:
        """Return the place of a step in declared order."""
        return self._index.numbers[name]

    @property
    def work(self) -> float:
        """The seconds of all steps together."""
        return fsum(self.seconds)

    @property
    def last(self) -> int | None:
        """A step that ends last and that no other waits for; the one declared first."""
        ended = (number for number, end in enumerate(self.ends) if end == self.total)
        return next((number for number in ended if not self.dependents[number]), None)

    def path_to(self, number: int) -> list[int]:
        """Return the longest path that ends with this step."""
        path = [number]
        while self.needs[path[-1]]:
            path.append(max(self.needs[path[-1]], key=self.ends.__getitem__))
        return path[::-1]

    def named(self, numbers: Iterable[int]) -> list[str]:
        """Return the names of steps."""
        return [self.names[number] for number in numbers]

    def latest_needs(self, number: int) -> list[str]:
        """Of what a step needs those that end last."""
        return self.named(needed for needed in self.needs[number] if self.ends[needed] == self.starts[number])

    def deepest_needs(self, number: int) -> list[str]:
        """Of what a step needs those of the last level."""
        levels = self._levels
        deepest = max((levels[needed] for needed in self.needs[number]), default=0)
        return self.named(needed for needed in self.needs[number] if levels[needed] == deepest)

    def descendants(self, number: int) -> list[int]:
        """Return all that need a step, directly or not, in declared order."""
        seen = {number}
        pending = [number]
        while pending:
            for other in self.dependents[pending.pop()]:
                if other not in seen:
                    seen.add(other)
                    pending.append(other)
        return sorted(seen - {number})

    def tails(self) -> list[float]:
        """For each step the seconds from its start to the end of the longest path behind it."""
        tails = list(self.seconds)
        for batch in reversed(self._index.batches):
            for number in batch:
                tails[number] += max(map(tails.__getitem__, self.dependents[number]), default=0.0)
        return tails


def _timing(times: Times, tails: list[float], number: int, *, assumed: bool) -> StepTiming:
    start, seconds, total = times.starts[number], times.seconds[number], times.total
    free = total - tails[number] - start
    free = free if free > total * _NOTHING_TO_SPEAK_OF else 0.0
    return construct_unchecked(
        StepTiming,
        {
            "name": times.names[number],
            "seconds": seconds,
            "earliest_start": start,
            "earliest_end": start + seconds,
            "latest_start": start + free,
            "latest_end": start + free + seconds,
            "slack": free,
            "assumed": assumed,
        },
    )
