"""A plan as the mapping that the standard library's graphlib takes, and back."""

from __future__ import annotations

from itertools import chain
from typing import Any, Dict, Iterable, Mapping, Tuple

from wfplan.models import Step, Workflow
from wfplan.plans import ExecutionPlan

__all__ = ["from_graphlib", "to_graphlib"]


def to_graphlib(plan: ExecutionPlan) -> Dict[str, Tuple[str, ...]]:
    """Return what each step needs, in declared order, as `graphlib.TopologicalSorter` takes it.

    Args:
        plan: The plan.

    >>> import wfplan
    >>> to_graphlib(wfplan.plan({"tie": ["shirt"], "shirt": []}))
    {'tie': ('shirt',), 'shirt': ()}
    """
    return {step.name: step.dependencies for step in plan.workflow.steps}


def from_graphlib(graph: Mapping[str, Iterable[str]]) -> Workflow:
    """Return the workflow of a mapping from names to what they need.

    Unlike `wfplan.plan`, and like graphlib, it makes a step of a name that is only needed, after the others, and takes
    any iterable of names; a set is sorted because it has no order.

    Args:
        graph: The mapping.

    Raises:
        pydantic.ValidationError: Something is not a name, or not an iterable of names.

    >>> [step.name for step in from_graphlib({"tie": ["shirt"]}).steps]
    ['tie', 'shirt']
    """
    steps = [Step(name=name, dependencies=_in_order(needed)) for name, needed in graph.items()]
    others = dict.fromkeys(chain.from_iterable(step.dependencies for step in steps))
    return Workflow(steps=[*steps, *(Step(name=name) for name in others if name not in graph)])


def _in_order(needed: Any) -> Any:
    if isinstance(needed, str) or not hasattr(needed, "__iter__"):
        return needed
    names: Tuple[Any, ...] = tuple(needed)
    return sorted(names, key=str) if isinstance(needed, (set, frozenset)) else names
