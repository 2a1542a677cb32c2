"""PlanIndex: a plan in numbers, for algorithms that visit every step."""

from __future__ import annotations

from typing import Sequence

from wfplan.batching import is_sequential
from wfplan.models import Schedule, Step
from wfplan.plans import ExecutionPlan

__all__ = ["PlanIndex"]


class PlanIndex:
    """The steps of a plan, numbered in declared order."""

    names: list[str]
    numbers: dict[str, int]
    needs: list[list[int]]
    """For each step those that it needs, as declared, each once."""
    dependents: list[list[int]]
    batches: list[list[int]]
    batch_of: list[int]
    rank: list[int]
    """Which of two steps that may start goes first: the lower."""
    locks: dict[int, tuple[object, ...]]
    """What is held alone: lock keys, and for steps of a batch that is not parallel also the number of the batch."""
    alone: set[int]
    """Steps with a sequential hint."""
    foreign: dict[str, int]
    """Numbers behind those of the plan, for steps that are not part of it."""

    def __init__(self, plan: ExecutionPlan, schedule: Schedule) -> None:
        steps = plan.workflow.steps
        self.foreign = {}
        self.names = [step.name for step in steps]
        self.numbers = dict(zip(self.names, range(len(steps))))
        number_of = self.numbers.__getitem__
        self.needs = [list(dict.fromkeys(map(number_of, step.dependencies))) for step in steps]
        self.dependents = [[] for _ in steps]
        for number, needed in enumerate(self.needs):
            for other in needed:
                self.dependents[other].append(number)
        self.batches = [list(map(number_of, batch.steps)) for batch in plan.batches]
        self.batch_of = [0] * len(steps)
        for place, batch in enumerate(self.batches):
            for number in batch:
                self.batch_of[number] = place
        self.rank = _inverse(self._by_batch() if schedule == "batch" else self._by_remaining_path(plan))
        self.alone = {number for number, step in enumerate(steps) if is_sequential(step.metadata)}
        self.locks = {number: tuple(dict.fromkeys(step.locks)) for number, step in enumerate(steps) if step.locks}
        for planned, numbers in zip(plan.batches, self.batches):
            if len(numbers) > 1 and not planned.parallel:
                for number in numbers:
                    self.locks[number] = (planned.number, *self.locks.get(number, ()))

    def number_of(self, name: str | None) -> int:
        """Return the number of a step, also of one that is not part of the plan and only referred to."""
        number = self.numbers.get(name or "")
        if number is None:
            number = self.foreign.setdefault(name or "", len(self.names))
            if number == len(self.names):
                self.names.append(name or "")
        return number

    def add_foreign(self, step: Step) -> int:
        """Number a step that is not part of the plan, and what it holds."""
        number = self.number_of(step.name)
        if step.locks:
            self.locks[number] = tuple(dict.fromkeys(step.locks))
        if is_sequential(step.metadata):
            self.alone.add(number)
        return number

    def _by_batch(self) -> list[int]:
        return [number for batch in self.batches for number in batch]

    def _by_remaining_path(self, plan: ExecutionPlan) -> list[int]:
        """Return the steps by their longest path to the end, longest first; a missing estimate counts 1 second."""
        remaining = [1.0 if step.estimated_seconds is None else step.estimated_seconds for step in plan.workflow.steps]
        for number in reversed(self._by_batch()):
            remaining[number] += max((remaining[other] for other in self.dependents[number]), default=0.0)
        return sorted(range(len(remaining)), key=lambda number: -remaining[number])


def _inverse(order: Sequence[int]) -> list[int]:
    rank = [0] * len(order)
    for place, number in enumerate(order):
        rank[number] = place
    return rank
