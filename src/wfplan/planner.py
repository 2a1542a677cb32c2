"""plan and check: a plan, or every problem."""

from __future__ import annotations

from typing import Any, Iterable, Sequence

from pydantic import ValidationError
from typing_extensions import Literal, TypeAlias, get_args

from wfplan._internal.messages import quote
from wfplan._internal.model import construct_unchecked
from wfplan._internal.validation_errors import add_field_errors
from wfplan.batching import (
    calculate_execution_order,
    can_execute_in_parallel,
    determine_execution_strategy,
    is_sequential,
)
from wfplan.catalog.actions import Catalog, ResolvedAction, apply_catalog, as_catalog
from wfplan.catalog.lookup import look_up, uses_of
from wfplan.conflicts import find_conflicts
from wfplan.errors import UnknownNameError
from wfplan.graph import DependencyGraph
from wfplan.models import ExecutionStrategy, Step, Workflow
from wfplan.plan_sources import PlanSource, Source, open_source, report_unchecked
from wfplan.plans import ExecutionPlan, make_plan
from wfplan.problems import InvalidWorkflowError, Problem, ProblemCollector, Severity
from wfplan.recommendations import NAMINGS, Naming, name_recommendations, recommendations_to_steps
from wfplan.relations import RECOMMENDATIONS, STEPS, ItemKind, Levels, check_relations, refresh

__all__ = [
    "OnConflict",
    "build_dependency_graph",
    "calculate_execution_order",
    "can_execute_in_parallel",
    "check",
    "determine_execution_strategy",
    "plan",
]


OnConflict: TypeAlias = Literal["warn", "error", "lock"]
"""What becomes of two steps that touch the same thing where nothing says which comes first."""


def plan(
    source: PlanSource,
    *,
    naming: Naming = "action",
    execution_strategy: ExecutionStrategy | None = None,
    isolate_sequential: bool | None = None,
    max_batch_size: int | None = None,
    catalog: Catalog | None = None,
    on_conflict: OnConflict | None = None,
) -> ExecutionPlan:
    """Return the checked execution plan of `source`.

    A keyword that is given replaces what the workflow says and is recorded in the plan's own workflow: for any plan p,
    `plan(p.workflow) == p`.

    Args:
        source: A mapping from each name to the names it needs, a workflow, a reading, or an iterable of steps or of
            recommendations.
        naming: How recommendations are named as steps: `action` (by their action where it is unique) or `id`; see
            `name_recommendations`.
        execution_strategy: All settings of planning and running. None: those of the source, else the defaults.
        isolate_sequential: Whether steps without a sequential hint stay in one batch and hinted ones follow alone,
            instead of the whole level running one by one. None: what the settings say.
        max_batch_size: The most steps of a batch, at least 1. None: what the settings say.
        catalog: The actions that exist; only these are planned, with parameters that fit. What it knows of them is
            written onto the steps: converted parameters, effect, locks, compensation, times. None: that of a reading
            made with one.
        on_conflict: What to do about steps that share a lock if one of them does more than read and neither waits for
            the other: `warn` (a warning, the default with a catalog), `error`, or `lock` (nothing: not overlapping is
            enough). Without a catalog, conflicts are looked for only if this is given.

    Raises:
        InvalidWorkflowError: With every problem, if there is an error. Warnings are in the plan's `problems`.

    >>> plan({"shirt": [], "tie": ["shirt"], "shoes": []}).strategy
    'sequential-with-parallel'
    """
    problems = ProblemCollector()
    opened = open_source(source, problems, has_catalog=catalog is not None)
    prepared = _prepare(
        opened, naming, execution_strategy, isolate_sequential, max_batch_size, catalog, on_conflict, problems
    )
    if prepared is None or problems.has_errors:
        raise InvalidWorkflowError(problems.as_tuple("error", "warning"))
    return make_plan(*prepared, problems.as_tuple("warning"))


def check(
    source: PlanSource,
    *,
    naming: Naming = "action",
    execution_strategy: ExecutionStrategy | None = None,
    isolate_sequential: bool | None = None,
    max_batch_size: int | None = None,
    catalog: Catalog | None = None,
    on_conflict: OnConflict | None = None,
) -> tuple[Problem, ...]:
    """Return every problem that `plan`, called in the same way, would find, errors first.

    Never raises for what it is passed: an iterator that fails and values made without checks are problems, too.

    Args:
        source: As for `plan`.
        naming: As for `plan`.
        execution_strategy: As for `plan`.
        isolate_sequential: As for `plan`.
        max_batch_size: As for `plan`.
        catalog: As for `plan`.
        on_conflict: As for `plan`.

    >>> for problem in check({"tie": ["shirt"], "shoes": ["shoes"]}):
    ...     print(problem.code, problem.steps)
    unknown-dependency ('tie',)
    self-dependency ('shoes',)
    """
    problems = ProblemCollector()
    opened = open_source(source, problems, has_catalog=catalog is not None)
    try:
        _prepare(opened, naming, execution_strategy, isolate_sequential, max_batch_size, catalog, on_conflict, problems)
    except Exception as error:  # noqa: BLE001 - raised again, unless a value was made without checks
        report_unchecked(error, (*(opened.values if opened else ()), execution_strategy), problems)
    return problems.as_tuple()


def build_dependency_graph(steps: Iterable[Step]) -> DependencyGraph:
    """Return the graph of these steps, with their hints and locks. Cycles are left to `calculate_execution_order`.

    Args:
        steps: The steps.

    Raises:
        InvalidWorkflowError: With every problem: a dependency is not a step, or a name is declared twice.
    """
    steps = tuple(steps)
    try:
        return DependencyGraph(
            [step.name for step in steps],
            [step.dependencies for step in steps],
            sequential=(step.name for step in steps if is_sequential(step.metadata)),
            locks={step.name: step.locks for step in steps if step.locks},
        )
    except (InvalidWorkflowError, UnknownNameError):
        problems = ProblemCollector()
        check_relations(steps, STEPS, problems)
        raise InvalidWorkflowError(problems.as_tuple("error", "warning")) from None


def _prepare(
    opened: Source | None,
    naming: Naming,
    execution_strategy: ExecutionStrategy | None,
    isolate_sequential: object,
    max_batch_size: object,
    catalog: object,
    on_conflict: OnConflict | None,
    problems: ProblemCollector,
) -> tuple[Workflow, Levels] | None:
    """Return the workflow to plan, and its levels; add every problem. None if one of them leaves no workflow."""
    settings = _settle(opened, naming, execution_strategy, isolate_sequential, max_batch_size, problems)
    _check_on_conflict(on_conflict, problems)
    resolved = opened and opened.resolved_actions if catalog is None else _look_up(opened, catalog, problems)
    if problems.has_errors or opened is None or opened.checked_levels is None or settings is None:
        return None
    workflow, checked_levels = _as_workflow(opened, opened.checked_levels, settings, naming, resolved)
    if on_conflict is not None or resolved is not None:
        _report_conflicts(workflow.steps, opened.item_kind, on_conflict, problems)
    return workflow, checked_levels


def _settle(
    opened: Source | None,
    naming: object,
    execution_strategy: ExecutionStrategy | None,
    isolate_sequential: object,
    max_batch_size: object,
    problems: ProblemCollector,
) -> ExecutionStrategy | None:
    """Return the settings of the plan: those of the workflow, with the keywords that are given in their place."""
    if not (isinstance(naming, str) and naming in NAMINGS):
        shown = quote(naming) if isinstance(naming, str) else type(naming).__name__
        problems.add("invalid-field", f"naming must be {' or '.join(map(quote, NAMINGS))}, not {shown}")
    given = {"isolate_sequential": isolate_sequential, "max_batch_size": max_batch_size}
    changes = {key: value for key, value in given.items() if value is not None}
    settings: Any = None if opened is None else opened.strategy
    if execution_strategy is not None:
        settings = _validate(execution_strategy, problems)
    if not changes:
        return ExecutionStrategy() if settings is None else settings
    changed = _validate(changes, problems)
    return changed and ExecutionStrategy.model_validate({**vars(settings or ExecutionStrategy()), **changes})


def _validate(value: Any, problems: ProblemCollector) -> ExecutionStrategy | None:
    try:
        return ExecutionStrategy.model_validate(value)
    except ValidationError as error:
        add_field_errors(error, problems, subject="the execution strategy")
        return None


def _check_on_conflict(on_conflict: object, problems: ProblemCollector) -> None:
    if on_conflict is not None and not (isinstance(on_conflict, str) and on_conflict in get_args(OnConflict)):
        shown = quote(on_conflict) if isinstance(on_conflict, str) else type(on_conflict).__name__
        allowed = " or ".join(map(quote, get_args(OnConflict)))
        problems.add("invalid-field", f"on_conflict must be {allowed}, not {shown}")


def _look_up(opened: Source | None, catalog: object, problems: ProblemCollector) -> Sequence[ResolvedAction] | None:
    """Return what the catalog says of the items; None if it cannot be used."""
    actions = as_catalog(catalog, problems)
    if opened is None or actions is None:
        return None
    try:
        return look_up(uses_of(opened.items, opened.item_kind), actions, opened.item_kind, problems)
    except Exception as error:  # noqa: BLE001 - raised again, unless a value was made without checks
        report_unchecked(error, opened.values, problems)
        return None


def _report_conflicts(
    steps: tuple[Step, ...], item_kind: ItemKind, on_conflict: OnConflict | None, problems: ProblemCollector
) -> None:
    """Add a problem for each pair of steps that are in conflict, unless it is enough that they do not overlap."""
    if on_conflict == "lock":
        return
    severity: Severity = "error" if on_conflict == "error" else "warning"
    conflicts = find_conflicts(steps)
    label = {step.name: step.recommendation_id or step.name for step in steps} if item_kind is RECOMMENDATIONS else {}
    for conflict in conflicts.listed:
        one, other = (label.get(name, name) for name in conflict.steps)
        problems.add(
            "conflict",
            f"{quote(one)} and {quote(other)} touch {quote(conflict.lock)}, and neither waits for the other",
            steps=(one, other),
            suggestion=f"let {quote(other)} depend on {quote(one)}, or the other way round; if they may run in any "
            'order, one at a time, plan with on_conflict="lock"',
            severity=severity,
        )
    problems.add_unlisted(severity, conflicts.total - len(conflicts.listed))


def _as_workflow(
    opened: Source,
    checked_levels: Levels,
    settings: ExecutionStrategy,
    naming: Naming,
    resolved: Sequence[ResolvedAction] | None,
) -> tuple[Workflow, Levels]:
    """Return the workflow to plan, and the levels by the names of its steps."""
    if opened.workflow is not None and opened.workflow.execution_strategy is settings and resolved is None:
        return opened.workflow, checked_levels
    steps: tuple[Any, ...] = tuple(opened.items)
    if opened.item_kind is RECOMMENDATIONS:
        names = name_recommendations(steps, naming)
        steps = recommendations_to_steps(steps, names)
        checked_levels = checked_levels._replace(names=list(names.values()))
    if resolved is not None:
        steps = apply_catalog(steps, resolved)
        checked_levels = refresh(checked_levels, steps, STEPS)
    label = opened.workflow.name if opened.workflow else ""
    fields = {"schema_version": 1, "name": label, "steps": steps, "execution_strategy": settings}
    return construct_unchecked(Workflow, fields), checked_levels
