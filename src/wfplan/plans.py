"""ExecutionPlan: a workflow with its batches and its strategy."""

from __future__ import annotations

from operator import is_
from typing import Any, Callable, Dict, List, Mapping, Sequence, TypeVar

from pydantic import model_validator

from wfplan._internal import display
from wfplan._internal.by_name import StepsByName
from wfplan._internal.json import json_digest, to_plain
from wfplan._internal.messages import pluralize
from wfplan._internal.model import EMPTY, Model, SchemaVersion, TupleOf, construct_unchecked
from wfplan.batching import determine_execution_strategy, is_sequential, order_levels
from wfplan.graph import group_by_level
from wfplan.models import ExecutionBatch, ExecutionStrategy, Step, Strategy, Workflow
from wfplan.problems import InvalidWorkflowError, Problem, ProblemCollector
from wfplan.relations import STEPS, Levels, check_relations

__all__ = ["ExecutionPlan", "batch_steps", "make_plan"]

T = TypeVar("T")

_COMMENTARY = {"description", "confidence"}
_NOTHING: Any = (None, {})


class ExecutionPlan(Model):
    """A workflow, the batches that it runs in, and the class of the whole.

    Made by `wfplan.plan`. Constructing or loading one checks that batches and strategy are what the workflow gives.
    Two plans are equal if workflow, batches and strategy are.
    """

    __slots__ = ("_derived",)  # no copy and no pickle has what is in a slot

    schema_version: SchemaVersion = 1
    workflow: Workflow
    batches: TupleOf[ExecutionBatch]
    strategy: Strategy
    problems: TupleOf[Problem] = EMPTY
    """Warnings only."""

    @model_validator(mode="after")
    def _follows_from_workflow(self) -> ExecutionPlan:
        if any(problem.severity != "warning" for problem in self.problems):
            raise ValueError("the problems of a plan are warnings only")
        problems = ProblemCollector()
        checked_levels = check_relations(self.workflow.steps, STEPS, problems)
        if checked_levels is None:
            raise ValueError(str(InvalidWorkflowError(problems.as_tuple())))
        batches = batch_steps(self.workflow.steps, checked_levels, self.workflow.execution_strategy)
        if self.batches != batches:
            raise ValueError("the batches are not those that the workflow gives: plan the workflow again")
        if self.strategy != determine_execution_strategy(batches):
            raise ValueError("the strategy is not the one that the workflow gives: plan the workflow again")
        return self

    @property
    def steps(self) -> Mapping[str, Step]:
        """The steps by name, in declared order; asked for a name that no step has, it raises UnknownNameError."""
        return self._derive("steps", lambda: StepsByName((step.name, step) for step in self.workflow.steps))

    @property
    def fingerprint(self) -> str:
        """SHA-256 of everything that changes what runs, in hexadecimal digits; computed once.

        Description and confidence of a step are commentary and take no part, nor do `problems`.
        """
        return self._derive("fingerprint", self._compute_fingerprint)

    def _derive(self, name: str, compute: Callable[[], T]) -> T:
        """Return what `compute` gives, called once for these very workflow, batches and strategy."""
        source = (self.workflow, self.batches, self.strategy)
        made_from: tuple[object, ...] | None
        derived: dict[str, Any]
        made_from, derived = getattr(self, "_derived", _NOTHING)
        if made_from is None or not all(map(is_, made_from, source)):
            derived = {}
            object.__setattr__(self, "_derived", (source, derived))
        if name not in derived:
            derived[name] = compute()
        value: T = derived[name]
        return value

    def _compute_fingerprint(self) -> str:
        content = self.model_dump(
            mode="json",
            include={"workflow", "batches", "strategy"},
            exclude={"workflow": {"steps": {"__all__": _COMMENTARY}}},
            exclude_defaults=True,
        )
        return json_digest(content)

    def records(self) -> List[Dict[str, Any]]:
        """Return a flat dictionary for each step, in declared order: `pandas.DataFrame(plan.records())`."""
        batch_of = {name: batch for batch in self.batches for name in batch.steps}
        return [
            {
                "step": step.name,
                "recommendation_id": step.recommendation_id,
                "action": step.action,
                "batch": batch_of[step.name].number,
                "parallel": batch_of[step.name].parallel,
                "dependencies": list(step.dependencies),
                "parameters": to_plain(step.parameters),
                "effect": step.effect,
                "locks": list(step.locks),
                "estimated_seconds": step.estimated_seconds,
                "timeout_seconds": step.timeout_seconds,
                "confidence": step.confidence,
                "description": step.description,
            }
            for step in self.workflow.steps
        ]

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, ExecutionPlan):
            return NotImplemented
        return (self.workflow, self.batches, self.strategy) == (other.workflow, other.batches, other.strategy)

    def __hash__(self) -> int:
        return hash(self.fingerprint)

    def __repr__(self) -> str:
        steps, batches = pluralize(len(self.workflow.steps), "step"), pluralize(len(self.batches), "batch", "es")
        return f"<ExecutionPlan {self.strategy}: {steps} in {batches}, {self.fingerprint[:8]}>"

    def __str__(self) -> str:
        return display.text(self)

    def _repr_mimebundle_(self, **_: Any) -> Dict[str, str]:
        return display.mimebundle(self)


def batch_steps(
    steps: Sequence[Step], checked_levels: Levels, settings: ExecutionStrategy
) -> tuple[ExecutionBatch, ...]:
    """Return the batches of these steps under these settings; in mode `sequential` none of them is parallel."""
    special = [steps[position] for position in checked_levels.special]
    return order_levels(
        group_by_level(checked_levels.names, checked_levels.levels),
        sequential=frozenset(step.name for step in special if is_sequential(step.metadata)),
        locks={step.name: step.locks for step in special if step.locks},
        isolate_sequential=settings.isolate_sequential,
        max_batch_size=settings.max_batch_size,
        overlap=settings.mode != "sequential",
    )


def make_plan(workflow: Workflow, checked_levels: Levels, problems: tuple[Problem, ...]) -> ExecutionPlan:
    """Return the plan of a workflow that was found to be sound."""
    batches = batch_steps(workflow.steps, checked_levels, workflow.execution_strategy)
    return construct_unchecked(
        ExecutionPlan,
        {
            "schema_version": 1,
            "workflow": workflow,
            "batches": batches,
            "strategy": determine_execution_strategy(batches),
            "problems": problems,
        },
    )
