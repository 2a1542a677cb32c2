"""Findings about a valid plan, from its data alone."""

from __future__ import annotations

from itertools import chain

from wfplan._internal.messages import join_names, quote
from wfplan.analysis.redundancy import find_redundant
from wfplan.analysis.timing import Times
from wfplan.batching import is_sequential, split_by_locks
from wfplan.plans import ExecutionPlan
from wfplan.problems import Problem, ProblemCollector, require_type

__all__ = ["lint"]

_FEWEST_IN_A_ROW = 5
_SHARE_IN_A_ROW = 0.8


def lint(plan: ExecutionPlan) -> tuple[Problem, ...]:
    """Return findings about what makes a plan slower or harder to read than it needs to be; none of them is an error.

    `no-dependencies`: several steps, none of which needs another. `redundant-dependency`: a dependency that a longer
    path implies. `over-serialised`: at least five steps, four fifths or more of them in one chain, although neighbors
    in it share no lock. `blocking-hint`: a hint that makes independent steps wait for each other.
    `estimate-over-timeout`: a step that times out before it is expected to end.

    Args:
        plan: The plan.

    >>> import wfplan
    >>> for problem in lint(wfplan.plan({"build": [], "test": ["build"], "ship": ["build", "test"]})):
    ...     print(problem)
    info redundant-dependency: "ship" needs "build" also by way of "test" (leave the dependency on "build" out, unless "ship" uses its output: the order stays the same)
    """  # noqa: E501 - one line of output
    require_type(plan, ExecutionPlan)
    problems = ProblemCollector()
    _note_missing_dependencies(plan, problems)
    _note_redundant_dependencies(plan, problems)
    _note_row(plan, problems)
    _note_blocking_hints(plan, problems)
    _note_short_timeouts(plan, problems)
    return problems.as_tuple()


def _note_missing_dependencies(plan: ExecutionPlan, problems: ProblemCollector) -> None:
    steps = plan.workflow.steps
    if len(steps) > 1 and not any(step.dependencies for step in steps):
        problems.add(
            "no-dependencies",
            f"none of {len(steps):,} steps depends on another",
            suggestion="if this is not meant, state what each one needs",
        )


def _note_redundant_dependencies(plan: ExecutionPlan, problems: ProblemCollector) -> None:
    redundant = find_redundant(plan)
    for edge in redundant.listed:
        step, dependency, by_way_of = map(quote, edge)
        problems.add(
            "redundant-dependency",
            f"{step} needs {dependency} also by way of {by_way_of}",
            steps=(edge.step, edge.dependency, edge.by_way_of),
            suggestion=f"leave the dependency on {dependency} out, unless {step} uses its output: the order stays the "
            "same",
        )
    problems.add_unlisted("info", redundant.total - len(redundant.listed))


def _note_row(plan: ExecutionPlan, problems: ProblemCollector) -> None:
    """Nearly all steps, one after the other, with no lock between neighbors."""
    times = Times(plan, dict.fromkeys(plan.steps, 1.0))
    row = [] if times.last is None else times.named(times.path_to(times.last))
    locks = {name: set(plan.steps[name].locks) for name in row}
    bare = sum(locks[one].isdisjoint(locks[other]) for one, other in zip(row, row[1:]))
    if len(plan.steps) >= _FEWEST_IN_A_ROW and bare + 1 >= _SHARE_IN_A_ROW * len(plan.steps):
        problems.add(
            "over-serialised",
            f"{len(row):,} of {len(plan.steps):,} steps wait in one row, each for the one before: {join_names(row)}",
            steps=row,
            suggestion="leave out each dependency of a step that does not need what the one before it does",
        )


def _note_blocking_hints(plan: ExecutionPlan, problems: ProblemCollector) -> None:
    """Batches in which hints keep apart steps that have none."""
    settings = plan.workflow.execution_strategy
    if settings.mode == "sequential" or settings.max_parallel == 1:
        return
    for batch in plan.batches:
        hinted = [name for name in batch.steps if is_sequential(plan.steps[name].metadata)]
        others = [name for name in batch.steps if name not in set(hinted)] if hinted else []
        apart = split_by_locks(others, {name: plan.steps[name].locks for name in others})
        if not others:
            continue
        if any(len(together) > 1 for together in apart):
            waiting = f"so that {join_names(others)} wait for each other too"
            message = f"makes batch {batch.number:,} run one step at a time, {waiting}"
            advice = "plan with isolate_sequential=True, or leave the hint out"
        else:
            message = f"makes {join_names(others)}, beside it in batch {batch.number:,}, run at another time"
            advice = "leave the hint out, if they may overlap"
        problems.add(
            "blocking-hint",
            f"the sequential hint of {join_names(hinted)} {message}",
            steps=chain(hinted, others),
            suggestion=advice,
        )


def _note_short_timeouts(plan: ExecutionPlan, problems: ProblemCollector) -> None:
    for step in plan.workflow.steps:
        estimate, timeout = step.estimated_seconds, step.timeout_seconds
        if estimate is not None and timeout is not None and estimate > timeout:
            problems.add(
                "estimate-over-timeout",
                f"{quote(step.name)} is expected to take {estimate:g} s and is given up after {timeout:g} s",
                steps=(step.name,),
                suggestion="give it more time, or correct the estimate",
            )
