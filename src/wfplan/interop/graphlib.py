"""A plan as the mapping that the standard library's graphlib takes, and back."""

from __future__ import annotations

from collections import abc
from itertools import chain
from typing import Any, Dict, Iterable, Mapping, Tuple

from pydantic import ValidationError

from wfplan._internal.messages import quote
from wfplan._internal.validation_errors import add_field_errors
from wfplan.models import Step, Workflow
from wfplan.plans import ExecutionPlan
from wfplan.problems import InvalidWorkflowError, ProblemCollector, require_type

__all__ = ["from_graphlib", "to_graphlib"]


def to_graphlib(plan: ExecutionPlan) -> Dict[str, Tuple[str, ...]]:
    """Return what each step needs, in declared order, as `graphlib.TopologicalSorter` takes it.

    Args:
        plan: The plan.

    >>> import wfplan
    >>> to_graphlib(wfplan.plan({"tie": ["shirt"], "shirt": []}))
    {'tie': ('shirt',), 'shirt': ()}
    """
    require_type(plan, ExecutionPlan)
    return {step.name: step.dependencies for step in plan.workflow.steps}


def from_graphlib(graph: Mapping[str, Iterable[str]]) -> Workflow:
    """Return the workflow of a mapping from names to what they need.

    Unlike `wfplan.plan`, and like graphlib, it makes a step of a name that is only needed, after the others, and takes
    any iterable of names; a set is sorted because it has no order.

    Args:
        graph: The mapping.

    Raises:
        RefusedError: `graph` is not a mapping.
        InvalidWorkflowError: With every problem: something is not a name, or not an iterable of names.

    >>> [step.name for step in from_graphlib({"tie": ["shirt"]}).steps]
    ['tie', 'shirt']
    """
    require_type(graph, abc.Mapping)
    problems = ProblemCollector()
    needs = {name: _in_order(needed) for name, needed in graph.items()}
    steps = [_read_step(name, needed, problems) for name, needed in needs.items()]
    others = dict.fromkeys(chain.from_iterable(step.dependencies for step in steps if step is not None))
    steps += [_read_step(name, (), problems) for name in others if name not in needs]
    if problems.has_errors:
        raise InvalidWorkflowError(problems.as_tuple())
    return Workflow(steps=[step for step in steps if step is not None])


def _read_step(name: Any, needed: Any, problems: ProblemCollector) -> Step | None:
    """Return the step of a name; None, with a problem for each thing that is wrong with it."""
    try:
        return Step(name=name, dependencies=needed)
    except ValidationError as error:
        add_field_errors(error, problems, subject=f"the entry {quote(str(name))}")
        return None


def _in_order(needed: Any) -> Any:
    if isinstance(needed, str) or not hasattr(needed, "__iter__"):
        return needed
    names: Tuple[Any, ...] = tuple(needed)
    return sorted(names, key=str) if isinstance(needed, (set, frozenset)) else names
