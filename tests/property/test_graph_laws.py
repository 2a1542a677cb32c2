"""What holds for every DependencyGraph, with cycles or without: against the definitions, and against networkx."""

from __future__ import annotations

import itertools
from typing import Any, Dict, List, Mapping, Sequence, Set, Tuple

import pytest
from graphlib import CycleError
from hypothesis import given
from hypothesis import strategies as st
from strategies import CYCLE, SELF_DEPENDENCY, names, needs, planted, step_lists

from wfplan import InvalidWorkflowError, Step
from wfplan.graph import DependencyGraph
from wfplan.planner import build_dependency_graph

_FEW = tuple("abcdef")

Needed = Dict[str, List[str]]


def mappings() -> st.SearchStrategy[Needed]:
    """Any mapping at all: cycles, self-dependencies, repeated entries, names that are only a dependency."""
    few = st.lists(st.sampled_from(_FEW), max_size=3)
    sparse = st.dictionaries(st.sampled_from(_FEW), few, max_size=len(_FEW))
    many = st.dictionaries(names(), st.lists(st.sampled_from(_FEW) | names(), max_size=3), max_size=8)
    dense = st.dictionaries(st.sampled_from(_FEW), st.lists(st.sampled_from(_FEW), min_size=1, max_size=3), min_size=4)
    rings = planted(among=[CYCLE, SELF_DEPENDENCY]).map(lambda made: made.mapping)
    return sparse | many | needs() | dense | rings


def declared(mapping: Mapping[str, Sequence[str]]) -> List[str]:
    """The names in declared order: those of the mapping, then those that are only a dependency, as first met."""
    found = list(mapping)
    for needed in itertools.chain.from_iterable(mapping.values()):
        if needed not in found:
            found.append(needed)
    return found


def reach(mapping: Mapping[str, Sequence[str]]) -> Dict[str, Set[str]]:
    """All that each name needs, directly or not: the definition, until nothing is added any more."""
    reached = {name: set(mapping.get(name, ())) for name in declared(mapping)}
    grown = True
    while grown:
        grown = False
        for own in reached.values():
            more = set().union(*(reached[other] for other in own)) - own
            own.update(more)
            grown = grown or bool(more)
    return reached


def is_cyclic(mapping: Mapping[str, Sequence[str]]) -> bool:
    return any(name in own for name, own in reach(mapping).items())


def groups_of(mapping: Mapping[str, Sequence[str]]) -> List[List[str]]:
    """The names that need each other or themselves, by their first-declared one."""
    reached = reach(mapping)
    groups: List[List[str]] = []
    for name in declared(mapping):
        if name in reached[name] and not any(name in group for group in groups):
            groups.append([other for other in declared(mapping) if other in reached[name] and name in reached[other]])
    return groups


def shortest_way_round(mapping: Mapping[str, Sequence[str]], start: str) -> int:
    """The number of names in a shortest cycle through `start`: spread from it until it is met again."""
    spread = {start}
    for length in itertools.count(1):
        spread = {needed for name in spread for needed in mapping.get(name, ())}
        if start in spread:
            return length
    raise AssertionError


@given(mappings())
def test_a_graph_holds_every_name_once_in_declared_order(mapping: Needed) -> None:
    """A name that is only a dependency is part of it too, after the others, as with graphlib."""
    graph = DependencyGraph.from_mapping(mapping)
    assert list(graph) == declared(mapping)
    assert len(graph) == len(declared(mapping))
    assert all(name in graph for name in declared(mapping))
    assert "not a name of it" not in graph
    assert None not in graph


@given(mappings())
def test_dependencies_and_dependents_are_the_edges(mapping: Needed) -> None:
    """Each once; dependencies as declared, dependents in declared order."""
    graph = DependencyGraph.from_mapping(mapping)
    for name in declared(mapping):
        assert graph.dependencies(name) == tuple(dict.fromkeys(mapping.get(name, ())))
        assert graph.dependents(name) == tuple(user for user in mapping if name in mapping[user])


@given(mappings())
def test_ancestors_and_descendants_are_all_that_is_reached(mapping: Needed) -> None:
    """In declared order, without the name itself, also where there are cycles."""
    graph = DependencyGraph.from_mapping(mapping)
    reached = reach(mapping)
    for name in declared(mapping):
        above = tuple(other for other in declared(mapping) if other in reached[name] and other != name)
        below = tuple(other for other in declared(mapping) if name in reached[other] and other != name)
        assert graph.ancestors(name) == above
        assert graph.descendants(name) == below


@given(mappings())
def test_levels_are_one_more_than_the_deepest_dependency(mapping: Needed) -> None:
    """In declared order; every name once; refused where there is a cycle."""
    graph = DependencyGraph.from_mapping(mapping)
    if is_cyclic(mapping):
        with pytest.raises(InvalidWorkflowError):
            graph.levels()
        return
    levels = graph.levels()
    level_of = {name: number for number, level in enumerate(levels) for name in level}
    assert sorted(itertools.chain.from_iterable(levels)) == sorted(declared(mapping))
    for name, number in level_of.items():
        assert number == 1 + max((level_of[needed] for needed in mapping.get(name, ())), default=-1)
    for level in levels:
        assert level
        assert list(level) == sorted(level, key=declared(mapping).index)


@given(mappings())
def test_there_is_one_shortest_cycle_for_each_group(mapping: Needed) -> None:
    """P7: for each strongly connected component one, through its first-declared name; each name needs the next."""
    cycles = DependencyGraph.from_mapping(mapping).cycles()
    groups = groups_of(mapping)
    assert [cycle[0] for cycle in cycles] == [group[0] for group in groups]
    for cycle, group in zip(cycles, groups):
        assert len(set(cycle)) == len(cycle)
        assert set(cycle) <= set(group)
        assert all(needed in mapping[name] for name, needed in zip(cycle, (*cycle[1:], cycle[0])))
        assert len(cycle) == shortest_way_round(mapping, cycle[0])


@given(mappings())
def test_levels_of_a_cyclic_graph_tell_every_cycle(mapping: Needed) -> None:
    graph = DependencyGraph.from_mapping(mapping)
    cycles = graph.cycles()
    assert bool(cycles) == is_cyclic(mapping)
    if cycles:
        with pytest.raises(InvalidWorkflowError) as raised:
            graph.levels()
        assert raised.value.reason == "execution_order_failed"
        assert [problem.steps for problem in raised.value.problems] == list(cycles)
        assert [problem.code for problem in raised.value.problems] == [
            "self-dependency" if len(cycle) == 1 else "dependency-cycle" for cycle in cycles
        ]


@given(mappings())
def test_sorter_is_the_standard_librarys_over_the_same_graph(mapping: Needed) -> None:
    """Not prepared yet: a caller's own loop gets ready what has no open dependency."""
    graph = DependencyGraph.from_mapping(mapping)
    sorter = graph.sorter()
    if is_cyclic(mapping):
        with pytest.raises(CycleError):
            sorter.prepare()
        return
    sorter.prepare()
    for level in graph.levels():
        ready = sorter.get_ready()
        assert set(ready) == set(level)
        assert len(ready) == len(level)
        sorter.done(*ready)
    assert not sorter.is_active()


@given(mappings(), st.permutations(range(8)))
def test_levels_and_groups_do_not_depend_on_declared_order(mapping: Needed, order: List[int]) -> None:
    keys = list(mapping)
    shuffled = {keys[number]: mapping[keys[number]] for number in order if number < len(keys)}
    shuffled.update(mapping)
    one, other = DependencyGraph.from_mapping(mapping), DependencyGraph.from_mapping(shuffled)
    if is_cyclic(mapping):
        assert len(one.cycles()) == len(other.cycles())
    else:
        assert list(map(set, one.levels())) == list(map(set, other.levels()))


@given(mappings())
def test_any_iterable_of_names_will_do(mapping: Needed) -> None:
    """Lists, tuples, iterators, the keys of a dictionary."""
    expected = DependencyGraph.from_mapping(mapping)
    for form in (tuple, iter):
        graph = DependencyGraph.from_mapping({name: form(own) for name, own in mapping.items()})
        assert list(graph) == list(expected)
        assert all(graph.dependencies(name) == expected.dependencies(name) for name in expected)


@pytest.mark.parametrize("needed", ["abc", "a", b"a", {"a"}, frozenset("a"), set(), ""])
def test_a_text_or_a_set_is_no_list_of_names(needed: Any) -> None:
    """A text would be taken letter by letter, a set has no order: InvalidWorkflowError, which names the entry."""
    with pytest.raises(InvalidWorkflowError, match='"tie"'):
        DependencyGraph.from_mapping({"tie": needed})


@given(mappings())
def test_unknown_names_are_a_key_error(mapping: Needed) -> None:
    graph = DependencyGraph.from_mapping(mapping)
    for ask in (graph.dependencies, graph.dependents, graph.ancestors, graph.descendants):
        with pytest.raises(KeyError):
            ask("not a name of it")


@given(step_lists())
def test_the_graph_of_steps_is_that_of_their_dependencies(steps: List[Step]) -> None:
    """And it remembers hints and locks."""
    graph = build_dependency_graph(steps)
    same = DependencyGraph.from_mapping({step.name: step.dependencies for step in steps})
    assert list(graph) == list(same)
    assert graph.levels() == same.levels()
    assert all(graph.dependencies(name) == same.dependencies(name) for name in graph)
    assert {name: held for name, held in graph.locks.items() if held} == {
        step.name: step.locks for step in steps if step.locks
    }
    assert graph.sequential == {
        step.name for step in steps if step.metadata.get("execution_mode", "auto") not in ("auto", "parallel")
    }


def test_a_graph_refuses_what_is_no_graph() -> None:
    """An unknown name: KeyError; a name that is there twice, or lists of different length: ValueError."""
    with pytest.raises(KeyError):
        DependencyGraph(["a"], [["b"]])
    with pytest.raises(ValueError, match="twice"):
        DependencyGraph(["a", "a"], [[], []])
    with pytest.raises(ValueError, match="2 names"):
        DependencyGraph(["a", "b"], [[]])


@pytest.mark.parametrize("needed", [["b", "d"], ["d", "b"]])
def test_of_two_cycles_through_the_first_name_the_shorter_is_told(needed: List[str]) -> None:
    """Whichever way is declared first.

    a -> b -> c -> a
    a -> d -> a
    """
    graph = DependencyGraph.from_mapping({"a": needed, "b": ["c"], "c": ["a"], "d": ["a"]})
    assert graph.cycles() == (("a", "d"),)


def test_cycles_are_in_declared_order() -> None:
    """Of their first names, also where the first cycle needs the second.

    a <-> b -> c <-> d
    """
    graph = DependencyGraph.from_mapping({"a": ["b"], "b": ["a", "c"], "c": ["d"], "d": ["c"]})
    assert graph.cycles() == (("a", "b"), ("c", "d"))


@given(mappings())
def test_networkx_agrees(mapping: Needed) -> None:
    """Generations, ancestors, descendants, components and shortest ways, from the oracle."""
    networkx = pytest.importorskip("networkx")
    oracle = networkx.DiGraph()
    oracle.add_nodes_from(declared(mapping))
    oracle.add_edges_from((needed, name) for name, own in mapping.items() for needed in own)
    graph = DependencyGraph.from_mapping(mapping)

    for name in declared(mapping):
        assert set(graph.ancestors(name)) == networkx.ancestors(oracle, name) - {name}
        assert set(graph.descendants(name)) == networkx.descendants(oracle, name) - {name}
        assert set(graph.dependents(name)) == set(oracle.successors(name))
        assert set(graph.dependencies(name)) == set(oracle.predecessors(name))

    components = [
        component
        for component in networkx.strongly_connected_components(oracle)
        if len(component) > 1 or oracle.has_edge(*list(component) * 2)
    ]
    cycles = graph.cycles()
    assert len(cycles) == len(components)
    assert bool(cycles) != networkx.is_directed_acyclic_graph(oracle)
    for cycle in cycles:
        component = next(component for component in components if cycle[0] in component)
        assert cycle[0] == next(name for name in declared(mapping) if name in component)
        lengths = [
            1 + networkx.shortest_path_length(oracle, cycle[0], needed)
            for needed in oracle.predecessors(cycle[0])
            if needed in component
        ]
        assert len(cycle) == min(lengths)

    if not cycles:
        assert list(map(set, graph.levels())) == list(map(set, networkx.topological_generations(oracle)))


def _edges(graph: DependencyGraph) -> List[Tuple[str, str]]:
    return [(name, needed) for name in graph for needed in graph.dependencies(name)]


@given(mappings())
def test_the_empty_graph_and_no_other_has_no_levels(mapping: Needed) -> None:
    graph = DependencyGraph.from_mapping(mapping)
    if not is_cyclic(mapping):
        assert (len(graph.levels()) == 0) == (len(graph) == 0)
        assert (len(graph.levels()) <= 1) == (not _edges(graph))
