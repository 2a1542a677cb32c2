"""A plan as the mapping that the standard library's graphlib takes, and back."""

from __future__ import annotations

from itertools import chain
from typing import Dict, Mapping, Sequence, Tuple

from wfplan.models import Step, Workflow
from wfplan.plans import ExecutionPlan

__all__ = ["from_graphlib", "to_graphlib"]


def to_graphlib(plan: ExecutionPlan) -> Dict[str, Tuple[str, ...]]:
    """What each step needs, in declared order: `graphlib.TopologicalSorter(to_graphlib(plan))`.

    >>> import wfplan
    >>> to_graphlib(wfplan.plan({"tie": ["shirt"], "shirt": []}))
    {'tie': ('shirt',), 'shirt': ()}
    """
    return {step.name: step.dependencies for step in plan.workflow.steps}


def from_graphlib(graph: Mapping[str, Sequence[str]]) -> Workflow:
    """The workflow of a mapping from names to what they need.

    As graphlib does, and `wfplan.plan` does not, it takes a name that is only needed for a step too, behind the others.
    Raises pydantic's ValidationError where something is no name, or no list of them.

    >>> [step.name for step in from_graphlib({"tie": ["shirt"]}).steps]
    ['tie', 'shirt']
    """
    steps = [Step(name=name, dependencies=needed) for name, needed in graph.items()]
    others = dict.fromkeys(chain.from_iterable(step.dependencies for step in steps))
    return Workflow(steps=[*steps, *(Step(name=name) for name in others if name not in graph)])
