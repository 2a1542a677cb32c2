"""A plan as a networkx graph, and back (extra `networkx`)."""

from __future__ import annotations

from typing import Any, Dict, List

from wfplan._internal.extras import how_to_install
from wfplan.errors import BackendNotAvailableError
from wfplan.models import ExecutionStrategy, Step, Workflow
from wfplan.plans import ExecutionPlan

__all__ = ["from_networkx", "to_networkx"]

_FIELDS = frozenset(Step.model_fields) - {"name", "dependencies"}
_DERIVED = frozenset(("batch",))


def to_networkx(plan: ExecutionPlan) -> Any:
    """A `networkx.DiGraph` of the steps in declared order, their fields and the numbers of their batches as attributes.

    An edge leads from a step to one that needs it, so that a topological order of the graph is one to run in. Name and
    settings of the workflow are attributes of the graph. Raises BackendNotAvailableError without networkx.

    >>> import wfplan
    >>> graph = to_networkx(wfplan.plan({"shirt": [], "tie": ["shirt"]}))
    >>> list(graph.edges), graph.nodes["tie"]["batch"]
    ([('shirt', 'tie')], 2)
    """
    graph = _networkx().DiGraph(
        name=plan.workflow.name, execution_strategy=plan.workflow.execution_strategy.model_dump(mode="json")
    )
    for step in plan.workflow.steps:
        fields = step.model_dump(mode="json", include=set(_FIELDS), exclude_defaults=True)
        graph.add_node(step.name, **fields)
    for batch in plan.batches:
        for name in batch.steps:
            graph.nodes[name]["batch"] = batch.number
    for step in plan.workflow.steps:
        graph.add_edges_from((needed, step.name) for needed in step.dependencies)
    return graph


def from_networkx(graph: Any) -> Workflow:
    """The workflow of a directed graph, to be planned: what `to_networkx` gave, or any other.

    Attributes of nodes that are fields of a step are taken for them; all others, but for `batch`, go into its metadata,
    and have to be JSON. Raises TypeError for a graph without directions, pydantic's ValidationError where a node is no
    name, or an attribute does not fit.

    >>> import networkx
    >>> graph = networkx.DiGraph()
    >>> graph.add_edges_from([("build", "test"), ("test", "ship")])
    >>> graph.nodes["ship"]["effect"] = "destructive"
    >>> [(step.name, step.dependencies, step.effect) for step in from_networkx(graph).steps][1:]
    [('test', ('build',), None), ('ship', ('test',), 'destructive')]
    """
    if not graph.is_directed():
        raise TypeError("a graph without directions says nothing of who waits for whom: make it a DiGraph")
    steps: List[Step] = []
    for name, attributes in graph.nodes(data=True):
        steps.append(_to_step(name, dict.fromkeys(graph.predecessors(name)), dict(attributes)))
    settings: Any = graph.graph.get("execution_strategy") or {}
    return Workflow(
        name=str(graph.graph.get("name", "")),
        steps=steps,
        execution_strategy=ExecutionStrategy.model_validate(settings),
    )


def _to_step(name: Any, needed: Dict[Any, None], attributes: Dict[str, Any]) -> Step:
    fields = {key: value for key, value in attributes.items() if key in _FIELDS}
    more = {key: value for key, value in attributes.items() if key not in _FIELDS | _DERIVED}
    if more:
        fields["metadata"] = {**more, **fields.get("metadata", {})}
    return Step.model_validate({"name": name, "dependencies": tuple(needed), **fields})


def _networkx() -> Any:
    try:
        import networkx as nx
    except ImportError:
        raise BackendNotAvailableError(f"this needs networkx: {how_to_install('networkx')}") from None
    return nx
