"""A plan as a networkx graph, and back (extra `networkx`)."""

from __future__ import annotations

from typing import Any, Dict

from pydantic import ValidationError

from wfplan._internal.extras import how_to_install
from wfplan._internal.messages import quote
from wfplan._internal.validation_errors import add_field_errors, kind_of
from wfplan.errors import BackendNotAvailableError
from wfplan.models import ExecutionStrategy, Step, Workflow
from wfplan.plans import ExecutionPlan
from wfplan.problems import InvalidWorkflowError, ProblemCollector, refusal, require_type

__all__ = ["from_networkx", "to_networkx"]

_FIELDS = frozenset(Step.model_fields) - {"name", "dependencies"}
_DERIVED = frozenset(("batch",))


def to_networkx(plan: ExecutionPlan) -> Any:
    """Return a `networkx.DiGraph` of the steps in declared order, with their fields and batch numbers as attributes.

    An edge leads from a step to one that needs it, so a topological order of the graph is a valid order to run in.
    Name and settings of the workflow are attributes of the graph.

    Args:
        plan: The plan.

    Raises:
        BackendNotAvailableError: networkx is not installed.

    >>> import wfplan
    >>> graph = to_networkx(wfplan.plan({"shirt": [], "tie": ["shirt"]}))
    >>> list(graph.edges), graph.nodes["tie"]["batch"]
    ([('shirt', 'tie')], 2)
    """
    require_type(plan, ExecutionPlan)
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
    """Return the workflow of a directed graph: what `to_networkx` returned, or any other.

    Node attributes that are fields of a step become these fields; all others except `batch` go into its metadata and
    have to be JSON.

    Args:
        graph: A `networkx.DiGraph`, whose edges lead from a step to those that need it.

    Raises:
        RefusedError: `graph` is not a directed graph.
        InvalidWorkflowError: With every problem: a node is not a string or not a name, or an attribute does not fit.

    >>> import networkx
    >>> graph = networkx.DiGraph()
    >>> graph.add_edges_from([("build", "test"), ("test", "ship")])
    >>> graph.nodes["ship"]["effect"] = "destructive"
    >>> [(step.name, step.dependencies, step.effect) for step in from_networkx(graph).steps][1:]
    [('test', ('build',), None), ('ship', ('test',), 'destructive')]
    """
    if not callable(getattr(graph, "is_directed", None)):
        raise refusal(f"a {type(graph).__name__} is not a graph", "pass a networkx.DiGraph")
    if not graph.is_directed():
        raise refusal("the edges of an undirected graph do not say which step waits for which", "make it a DiGraph")
    problems = ProblemCollector()
    nodes = (_read_node(graph, name, problems) for name in graph.nodes)
    steps = [step for step in nodes if step is not None]
    settings: Any = graph.graph.get("execution_strategy") or {}
    strategy = ExecutionStrategy()
    try:
        strategy = ExecutionStrategy.model_validate(settings)
    except ValidationError as error:
        add_field_errors(error, problems, subject="the execution strategy of the graph")
    if problems.has_errors:
        raise InvalidWorkflowError(problems.as_tuple())
    return Workflow(name=str(graph.graph.get("name", "")), steps=steps, execution_strategy=strategy)


def _read_node(graph: Any, name: Any, problems: ProblemCollector) -> Step | None:
    """Return the step that a node stands for; None, with a problem for each thing that is wrong with it."""
    if not isinstance(name, str):
        problems.add(
            "invalid-field",
            f"the node {quote(repr(name))} is {kind_of(name)}, not a string",
            suggestion="name nodes by strings: networkx.relabel_nodes(graph, str)",
        )
        return None
    needed = (node for node in graph.predecessors(name) if isinstance(node, str))
    try:
        return _to_step(name, dict.fromkeys(needed), dict(graph.nodes[name]))
    except ValidationError as error:
        add_field_errors(error, problems, subject=f"the node {quote(name)}")
        return None


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
