"""plan and check: recommendations, steps, a workflow or a mapping in; a plan, or every problem, out."""

from __future__ import annotations

from typing import Any, Iterable

from pydantic import ValidationError

from wfplan.field_errors import add_field_errors
from wfplan.graph import DependencyGraph
from wfplan.models import ExecutionStrategy, Step, Workflow
from wfplan.names import quote
from wfplan.ordering import calculate_execution_order, determine_execution_strategy
from wfplan.parallelism import can_execute_in_parallel, is_sequential
from wfplan.plans import ExecutionPlan, make_plan
from wfplan.problems import InvalidWorkflowError, Problem, ProblemList
from wfplan.recommendations import NAMINGS, Naming, name_recommendations, recommendations_to_steps
from wfplan.sources import PlanSource, Source, open_source
from wfplan.validation import RECOMMENDATIONS, STEPS, Survey, survey
from wfplan.values import trusted

__all__ = [
    "build_dependency_graph",
    "calculate_execution_order",
    "can_execute_in_parallel",
    "check",
    "determine_execution_strategy",
    "plan",
]


def plan(
    source: PlanSource,
    *,
    naming: Naming = "action",
    execution_strategy: ExecutionStrategy | None = None,
    isolate_sequential: bool | None = None,
    max_batch_size: int | None = None,
) -> ExecutionPlan:
    """The checked execution plan of `source`.

    `source` is a mapping from each name to the names it needs, a workflow, a reading, or an iterable of steps or of
    recommendations. `naming` tells how recommendations are named as steps, see `name_recommendations`. The other
    keywords, where given, take the place of what the workflow says, and are part of the plan's own workflow: for any
    plan p, `plan(p.workflow) == p`.

    Raises InvalidWorkflowError, with every problem, if there is an error. Warnings are in the plan's `problems`.

    >>> plan({"shirt": [], "tie": ["shirt"], "shoes": []}).strategy
    'sequential-with-parallel'
    """
    problems = ProblemList()
    opened = open_source(source, problems)
    settings = _settle(opened, naming, execution_strategy, isolate_sequential, max_batch_size, problems)
    if problems.has_errors or opened is None or opened.surveyed is None or settings is None:
        raise InvalidWorkflowError(problems.listed("error", "warning"))
    workflow, surveyed = _as_workflow(opened, opened.surveyed, settings, naming)
    return make_plan(workflow, surveyed, problems.listed("warning"))


def check(
    source: PlanSource,
    *,
    naming: Naming = "action",
    execution_strategy: ExecutionStrategy | None = None,
    isolate_sequential: bool | None = None,
    max_batch_size: int | None = None,
) -> tuple[Problem, ...]:
    """Every problem that `plan`, called in the same way, would find, errors first. Never raises.

    >>> for problem in check({"tie": ["shirt"], "shoes": ["shoes"]}):
    ...     print(problem.code, problem.steps)
    unknown-dependency ('tie',)
    self-dependency ('shoes',)
    """
    problems = ProblemList()
    opened = open_source(source, problems)
    _settle(opened, naming, execution_strategy, isolate_sequential, max_batch_size, problems)
    return problems.listed()


def build_dependency_graph(steps: Iterable[Step]) -> DependencyGraph:
    """The graph of these steps, with their hints and locks.

    Raises InvalidWorkflowError, with every problem, if a dependency is no step or a name is there twice. Cycles are
    left for `calculate_execution_order` to refuse.
    """
    steps = tuple(steps)
    try:
        return DependencyGraph(
            [step.name for step in steps],
            [step.dependencies for step in steps],
            sequential=(step.name for step in steps if is_sequential(step.metadata)),
            locks={step.name: step.locks for step in steps if step.locks},
        )
    except (KeyError, ValueError):
        problems = ProblemList()
        survey(steps, STEPS, problems)
        raise InvalidWorkflowError(problems.listed("error", "warning")) from None


def _settle(
    opened: Source | None,
    naming: object,
    execution_strategy: ExecutionStrategy | None,
    isolate_sequential: object,
    max_batch_size: object,
    problems: ProblemList,
) -> ExecutionStrategy | None:
    """The settings of the plan: those of the workflow, with the keywords that are given in their place."""
    if naming not in NAMINGS:
        shown = quote(naming) if isinstance(naming, str) else type(naming).__name__
        problems.add("invalid-field", f"naming must be {' or '.join(map(quote, NAMINGS))}, not {shown}")
    given = {"isolate_sequential": isolate_sequential, "max_batch_size": max_batch_size}
    changes = {key: value for key, value in given.items() if value is not None}
    settings: Any = opened.workflow.execution_strategy if opened and opened.workflow else None
    if execution_strategy is not None:
        settings = _validate(execution_strategy, problems)
    if not changes:
        return ExecutionStrategy() if settings is None else settings
    changed = _validate(changes, problems)
    return changed and ExecutionStrategy.model_validate({**vars(settings or ExecutionStrategy()), **changes})


def _validate(value: Any, problems: ProblemList) -> ExecutionStrategy | None:
    try:
        return ExecutionStrategy.model_validate(value)
    except ValidationError as error:
        add_field_errors(error, problems, subject="the execution strategy")
        return None


def _as_workflow(
    opened: Source, surveyed: Survey, settings: ExecutionStrategy, naming: Naming
) -> tuple[Workflow, Survey]:
    """The workflow to plan, and the survey by the names of its steps."""
    if opened.workflow is not None and opened.workflow.execution_strategy is settings:
        return opened.workflow, surveyed
    steps: tuple[Any, ...] = tuple(opened.items)
    if opened.wording is RECOMMENDATIONS:
        names = name_recommendations(steps, naming)
        steps = recommendations_to_steps(steps, names)
        surveyed = surveyed._replace(names=list(names.values()))
    label = opened.workflow.name if opened.workflow else ""
    fields = {"schema_version": 1, "name": label, "steps": steps, "execution_strategy": settings}
    return trusted(Workflow, fields), surveyed
