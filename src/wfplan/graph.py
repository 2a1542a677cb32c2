"""DependencyGraph: names and what each one needs, without steps, settings or policy."""

from __future__ import annotations

from array import array
from collections import Counter, deque
from itertools import accumulate, chain
from typing import Callable, Iterable, Iterator, Mapping, Sequence

from graphlib import TopologicalSorter

from wfplan._internal.messages import join_names, quote
from wfplan.errors import UnknownNameError, require_names
from wfplan.problems import InvalidWorkflowError, ProblemCollector, invalid

__all__ = ["DependencyGraph", "add_cycles"]

_UNKNOWN = -1
_OPEN = -2


class DependencyGraph:
    """A graph of names in declared order, each with the names that it needs.

    Names are numbered in declared order and all edges are in one flat list, so a million names cost one dictionary and
    a few lists. No method recurses; each is linear in names and edges.

    Args:
        names: The names, in declared order.
        dependencies: For each name, in the same order, the names that it needs.
        sequential: The names with a sequential hint.
        locks: The locks of each name that has any. None: there are none.
    """

    __slots__ = ("_edges", "_ends", "_names", "_numbers", "_users", "locks", "sequential")

    sequential: frozenset[str]
    """Names of the steps with a sequential hint."""
    locks: Mapping[str, tuple[str, ...]]
    """Lock keys of the steps that hold any."""

    def __init__(
        self,
        names: Sequence[str],
        dependencies: Sequence[Sequence[str]],
        *,
        sequential: Iterable[str] = (),
        locks: Mapping[str, tuple[str, ...]] | None = None,
    ) -> None:
        """Build the graph of `names`, the n-th of which needs the n-th of `dependencies`.

        Raise UnknownNameError for a dependency that is not a name, InvalidWorkflowError if a name is there twice or the
        two differ in length. Cycles are allowed; `levels` refuses them.
        """
        if len(names) != len(dependencies):
            raise invalid(
                "invalid-field", f"there are {len(names):,} names, but dependencies for {len(dependencies):,}"
            )
        self._names = tuple(names)
        self._numbers = dict(zip(names, range(len(names))))
        if len(self._numbers) < len(names):
            twice = [name for name, number in Counter(names).items() if number > 1]
            raise invalid(
                "duplicate-step", f"names are there twice: {join_names(twice)}", "give each once", steps=twice
            )
        try:
            self._edges = list(map(self._numbers.__getitem__, chain.from_iterable(dependencies)))
        except KeyError as error:
            raise UnknownNameError.of("step", error.args, names) from None
        self._ends = array("q", accumulate(map(len, dependencies)))
        self._users: tuple[array[int], array[int]] | None = None
        self.sequential = frozenset(sequential)
        self.locks = locks or {}

    @classmethod
    def from_mapping(cls, dependencies: Mapping[str, Iterable[str]]) -> DependencyGraph:
        """Return a graph from `{name: what it needs}`, the form of the standard library's graphlib.

        A name that is only a dependency is part of the graph too, after the others. Raises InvalidWorkflowError where a
        string or a set stands for a list: a string is not a list of names, and a set has no order.

        >>> DependencyGraph.from_mapping({"tie": ["shirt"], "jacket": ["tie"]}).levels()
        (('shirt',), ('tie',), ('jacket',))
        """
        needs = [_as_sequence(name, needed) for name, needed in dependencies.items()]
        names = dict.fromkeys(dependencies)
        names.update(dict.fromkeys(chain.from_iterable(needs)))
        needs.extend([()] * (len(names) - len(needs)))
        return cls(list(names), needs)

    def __len__(self) -> int:
        return len(self._names)

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __contains__(self, name: object) -> bool:
        return name in self._numbers

    def __repr__(self) -> str:
        return f"<DependencyGraph: {len(self._names):,} names, {len(self._edges):,} edges>"

    def dependencies(self, name: str) -> tuple[str, ...]:
        """Return what `name` needs directly, as declared. Raises UnknownNameError."""
        return self._named(dict.fromkeys(self._needs(self._number_of(name))))

    def dependents(self, name: str) -> tuple[str, ...]:
        """Return what needs `name` directly, in declared order. Raises UnknownNameError."""
        return self._named(self._used_by(self._number_of(name)))

    def ancestors(self, name: str) -> tuple[str, ...]:
        """Return all that `name` needs, directly or not, in declared order; raise UnknownNameError if it is unknown."""
        return self._named(self._reach(self._number_of(name), upwards=True))

    def descendants(self, name: str) -> tuple[str, ...]:
        """Return all that needs `name`, directly or not, in declared order; raise UnknownNameError if it is unknown."""
        return self._named(self._reach(self._number_of(name), upwards=False))

    def levels(self) -> tuple[tuple[str, ...], ...]:
        """Return the names by level, in declared order: a level is one more than the deepest of the dependencies.

        Raises InvalidWorkflowError (reason `execution_order_failed`) with every cycle.
        """
        numbered = self.level_numbers()
        if numbered is None:
            problems = ProblemCollector()
            add_cycles(self, problems)
            raise InvalidWorkflowError(problems.as_tuple(), "execution_order_failed")
        return tuple(group_by_level(self._names, numbered))

    def level_numbers(self) -> list[int] | None:
        """Return the level of each name, from 0, in declared order; None if there is a cycle.

        A depth-first walk along the dependencies: a name is looked at twice at most, once to put what it needs and
        has no level yet onto the stack, once when all of that has. If something is still missing then, it was put
        there again from below: it needs itself.
        """
        edges, ends = self._edges, self._ends.tolist()
        starts = [0, *ends]
        level = [_UNKNOWN] * len(ends)
        for root in range(len(ends)):
            pending = [root] if level[root] == _UNKNOWN else []
            while pending:
                number = pending.pop()
                state = level[number]
                if state >= 0:
                    continue
                own = 0
                missing: list[int] = []
                for needed in edges[starts[number] : ends[number]]:
                    below = level[needed]
                    if below < 0:
                        missing.append(needed)
                    elif below >= own:
                        own = below + 1
                if not missing:
                    level[number] = own
                elif state == _OPEN:
                    return None
                else:
                    level[number] = _OPEN
                    pending.append(number)
                    pending += missing
        return level

    def cycles(self) -> tuple[tuple[str, ...], ...]:
        """Return a cycle for each group of names that need each other: a shortest through its first-declared name.

        Each name needs the next one, and the last needs the first. A name that needs itself is a cycle of one.
        """
        if self.level_numbers() is not None:
            return ()
        return tuple(self._named(self._shortest_cycle(group)) for group in self._groups())

    def sorter(self) -> TopologicalSorter[str]:
        """Return an unprepared `graphlib.TopologicalSorter` of this graph, for callers with their own loop."""
        needed = (self._named(self._needs(number)) for number in range(len(self._names)))
        return TopologicalSorter(dict(zip(self._names, needed)))

    def lists_twice(self) -> bool:
        """Return whether any name lists one of its dependencies twice."""
        edges = self._edges
        start = 0
        for end in self._ends.tolist():
            if end - start > 1 and len(set(edges[start:end])) < end - start:
                return True
            start = end
        return False

    def _named(self, numbers: Iterable[int]) -> tuple[str, ...]:
        return tuple(map(self._names.__getitem__, numbers))

    def _number_of(self, name: str) -> int:
        require_names("step", [name], self._numbers)
        return self._numbers[name]

    def _needs(self, number: int) -> list[int]:
        start = self._ends[number - 1] if number else 0
        return self._edges[start : self._ends[number]]

    def _used_by(self, number: int) -> Sequence[int]:
        """Return the reversed edges of one name; all of them are laid out, flat, when first asked for."""
        if self._users is None:
            ends = array("q", bytes(8 * (len(self._names) + 1)))
            for needed in self._edges:
                ends[needed + 1] += 1
            ends = array("q", accumulate(ends))
            users = array("q", bytes(8 * len(self._edges)))
            place = array("q", ends)
            for user in range(len(self._names)):
                for needed in self._needs(user):
                    users[place[needed]] = user
                    place[needed] += 1
            self._users = (ends, users)
        ends, users = self._users
        return list(dict.fromkeys(users[ends[number] : ends[number + 1]]))

    def _reach(self, start: int, *, upwards: bool) -> list[int]:
        neighbors = self._needs if upwards else self._used_by
        seen = {start}
        pending = [start]
        while pending:
            for number in neighbors(pending.pop()):
                if number not in seen:
                    seen.add(number)
                    pending.append(number)
        seen.discard(start)
        return sorted(seen)

    def _groups(self) -> list[list[int]]:  # noqa: C901 - the algorithm reads best whole, as it was published
        """Return the strongly connected components that hold a cycle, by their first-declared member.

        Tarjan's algorithm (SIAM Journal on Computing 1, 1972) with a stack of its own instead of recursion.
        """
        count = len(self._names)
        order = [0] * count  # 1, 2, 3 ... as first met; 0: not met yet
        low = [0] * count
        on_path = bytearray(count)
        path: list[int] = []
        groups: list[list[int]] = []
        met = 0
        for root in range(count):
            if order[root]:
                continue
            met += 1
            order[root] = low[root] = met
            path.append(root)
            on_path[root] = True
            walk = [(root, iter(self._needs(root)))]
            while walk:
                number, needs = walk[-1]
                for needed in needs:
                    if not order[needed]:
                        met += 1
                        order[needed] = low[needed] = met
                        path.append(needed)
                        on_path[needed] = True
                        walk.append((needed, iter(self._needs(needed))))
                        break
                    if on_path[needed]:
                        low[number] = min(low[number], order[needed])
                else:
                    walk.pop()
                    if walk:
                        above = walk[-1][0]
                        low[above] = min(low[above], low[number])
                    if low[number] == order[number]:
                        group = _cut_off(path, number)
                        for member in group:
                            on_path[member] = False
                        if len(group) > 1 or number in self._needs(number):
                            groups.append(sorted(group))
        return sorted(groups)

    def _shortest_cycle(self, group: Sequence[int]) -> list[int]:
        """Return a shortest way from the first of a strongly connected group back to it, breadth first."""
        first = group[0]
        members = set(group)
        came_from: dict[int, int] = {}
        pending = deque((first,))
        while first not in came_from:
            number = pending.popleft()
            for needed in self._needs(number):
                if needed in members and needed not in came_from:
                    came_from[needed] = number
                    pending.append(needed)
        cycle = [came_from[first]]
        while cycle[-1] != first:
            cycle.append(came_from[cycle[-1]])
        return cycle[::-1]


def _as_sequence(name: str, needed: Iterable[str]) -> Sequence[str]:
    if isinstance(needed, (str, bytes, set, frozenset)):
        message = f"what {quote(str(name))} needs must be a list of names, not a {type(needed).__name__}"
        raise invalid("invalid-field", message, "write a list of names")
    return needed if isinstance(needed, (list, tuple)) else tuple(needed)


def _cut_off(path: list[int], number: int) -> list[int]:
    """Return what lies on the path from `number` on; the path is cut before it."""
    group = [path.pop()]
    while group[-1] != number:
        group.append(path.pop())
    return group


def group_by_level(names: Iterable[str], levels: Sequence[int]) -> Iterator[tuple[str, ...]]:
    """Yield the names of each level, from 0 on, in the given order.

    A counting sort: linear, and with one tuple for each level as the only object that outlives it.
    """
    sizes = [0] * (max(levels, default=-1) + 1)
    for level in levels:
        sizes[level] += 1
    ends = list(accumulate(sizes))
    free = [0, *ends]
    starts = free[:-1]
    placed = [""] * len(levels)
    for name, level in zip(names, levels):
        placed[free[level]] = name
        free[level] += 1
    ordered = tuple(placed)
    return (ordered[start:end] for start, end in zip(starts, ends))


def add_cycles(
    graph: DependencyGraph, problems: ProblemCollector, locate: Callable[[str, str], str] = lambda _name, _needed: ""
) -> None:
    """Add a problem for each cycle of the graph, which names it as a path.

    Args:
        graph: The graph.
        problems: Receives the problems.
        locate: Returns the JSON pointer of a dependency, from the name that has it and the name that it is.
    """
    for cycle in graph.cycles():
        location = locate(cycle[0], cycle[1 % len(cycle)])
        if len(cycle) == 1:
            problems.add(
                "self-dependency",
                f"{quote(cycle[0])} needs itself",
                steps=cycle,
                location=location,
                suggestion="leave this dependency out",
            )
            continue
        hops = [f"{quote(name)} needs {quote(needed)}" for name, needed in zip(cycle, (*cycle[1:21], cycle[0]))]
        if len(cycle) > 20:
            hops[20:] = [f"and so on through {len(cycle):,} steps, back to {quote(cycle[0])}"]
        problems.add(
            "dependency-cycle",
            ", ".join(hops),
            steps=cycle,
            location=location,
            suggestion="remove one of these dependencies, so that one of the steps can be the first",
        )
