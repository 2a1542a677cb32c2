"""The graphs that the benchmarks plan, as `(name, needs)` in an order in which every dependency comes first."""

from __future__ import annotations

import random
from typing import Callable, Dict, List, Tuple

Graph = List[Tuple[str, List[str]]]


def name(number: int) -> str:
    """Short names that sort as they are numbered."""
    return f"step-{number:07d}"


def random_graph(size: int) -> Graph:
    """Each step needs three of the 5,000 before it."""
    dice = random.Random(1)
    return [(name(n), [name(m) for m in dice.sample(range(max(0, n - 5000), n), min(3, n))]) for n in range(size)]


def layered_graph(size: int) -> Graph:
    """100 layers, each step needs three of the layer before."""
    dice = random.Random(2)
    width = max(3, size // 100)
    before = [range(n - n % width - width, n - n % width) for n in range(size)]
    return [(name(n), [name(m) for m in dice.sample(before[n], 3)] if n >= width else []) for n in range(size)]


def chain(size: int) -> Graph:
    """Each step needs the one before."""
    return [(name(n), [name(n - 1)] if n else []) for n in range(size)]


def wide(size: int) -> Graph:
    """One step, then all others at once, then one that needs them all."""
    middle = [(name(n), [name(0)]) for n in range(1, size - 1)]
    return [(name(0), []), *middle, (name(size - 1), [name(n) for n in range(1, size - 1)])]


SHAPES: Dict[str, Callable[[int], Graph]] = {
    "random": random_graph,
    "layered": layered_graph,
    "chain": chain,
    "wide": wide,
}


def shuffled(graph: Graph) -> Graph:
    """The same graph, declared in another order."""
    result = list(graph)
    random.Random(3).shuffle(result)
    return result
