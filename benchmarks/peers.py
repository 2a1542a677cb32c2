"""What others do with the same Step objects: the layering alone, without checks, batches or names in the result."""

from __future__ import annotations

from typing import Any, List, Sequence

import graphlib
import networkx as nx
import rustworkx

from wfplan import Step


def layer_with_rustworkx(steps: Sequence[Step]) -> Any:
    """Layers of names, the fastest way found: edges as pairs of numbers, no data."""
    names = [step.name for step in steps]
    numbers = {name: number for number, name in enumerate(names)}
    graph: Any = rustworkx.PyDiGraph()
    graph.add_nodes_from(range(len(steps)))
    graph.extend_from_edge_list([(numbers[needed], n) for n, step in enumerate(steps) for needed in step.dependencies])
    return [[names[number] for number in layer] for layer in rustworkx.topological_generations(graph)]


def layer_with_graphlib(steps: Sequence[Step]) -> List[Any]:
    """Layers of names."""
    sorter = graphlib.TopologicalSorter({step.name: step.dependencies for step in steps})
    sorter.prepare()
    layers: List[Any] = []
    while sorter.is_active():
        layers.append(sorter.get_ready())
        sorter.done(*layers[-1])
    return layers


def layer_with_networkx(steps: Sequence[Step]) -> List[Any]:
    """Layers of names."""
    graph: Any = nx.DiGraph()
    graph.add_nodes_from(step.name for step in steps)
    graph.add_edges_from((needed, step.name) for step in steps for needed in step.dependencies)
    return list(nx.topological_generations(graph))
