"""The problems between items, and the level of each item if there is no error."""

from __future__ import annotations

import unicodedata
from operator import attrgetter
from typing import Any, Callable, Iterable, Mapping, NamedTuple, Sequence, Union

from wfplan._internal.identifiers import MAX_NAME_LENGTH
from wfplan._internal.locations import NOWHERE, ListLocation
from wfplan._internal.messages import quote
from wfplan._internal.suggestions import Suggester, did_you_mean
from wfplan._internal.validation_errors import kind_of
from wfplan.batching import KNOWN_MODES
from wfplan.graph import DependencyGraph, add_cycles
from wfplan.models import Recommendation, Step
from wfplan.problems import ProblemCollector

__all__ = [
    "READ_FIRST",
    "RECOMMENDATIONS",
    "RELATION_CODES",
    "STEPS",
    "ItemKind",
    "Levels",
    "add_unknown_modes",
    "check_relations",
    "find_levels",
    "note_missing_dependencies",
    "refresh",
]

Item = Union[Step, Recommendation]
READ_FIRST = "text and documents go through wfplan.read first: plan(read(document))"


class ItemKind(NamedTuple):
    """How problems speak of the items and of what identifies them."""

    kind: type[Item]
    noun: str
    key: str
    locks: str = "metadata"
    """The field that holds locks; where there is none, one that is looked at anyway."""
    missing: str = "name one that exists, or leave the dependency out"
    """What to do about a dependency that does not exist; `{name}` stands for its name."""


STEPS = ItemKind(Step, "step", "name", "locks")
RECOMMENDATIONS = ItemKind(Recommendation, "recommendation", "id")

RELATION_CODES = frozenset(
    (
        "dependency-cycle",
        "duplicate-dependency",
        "duplicate-step",
        "empty-workflow",
        "no-dependencies",
        "no-order-stated",
        "self-dependency",
        "unknown-dependency",
        "unknown-execution-mode",
    )
)
"""The codes of the problems that lie between the items, or in the hint of one."""


def _no_cause(_needed: str) -> str:
    return ""


class Levels(NamedTuple):
    """What has to be known of the steps to batch them."""

    names: list[str]
    """In declared order."""
    levels: list[int]
    """The level of each, from 0."""
    special: list[int]
    """Positions of the steps that have metadata or locks."""


def check_relations(
    items: Sequence[Item],
    item_kind: ItemKind,
    problems: ProblemCollector,
    *,
    unreadable: Sequence[str] = (),
    location: ListLocation = NOWHERE,
    cause_of: Callable[[str], str] = _no_cause,
) -> Levels | None:
    """Add every problem with `items` to `problems`; None if one of these is an error.

    `items` are of the kind that `item_kind` speaks of, else this is the problem. `unreadable` names further items that
    are known to exist. `cause_of` returns the likely cause of an unknown dependency, an empty string if none is known.
    """
    if not items and not unreadable:
        problems.add(
            "empty-workflow",
            f"there are no {item_kind.noun}s",
            location=location.whole(),
            suggestion="fine if there is nothing to do",
        )
    checked_levels = None if unreadable else _levels_as_declared(items, item_kind)
    if checked_levels is None:
        columns = _columns(items, item_kind, problems)
        if columns is None:
            return None
        names, needs, special = columns
        others = sorted(set(unreadable).difference(names))
        levels = find_levels([*names, *others], [*needs, *[()] * len(others)], item_kind, problems, location, cause_of)
        checked_levels = None if levels is None else Levels(names, levels, special)
    else:
        special = checked_levels.special
    add_unknown_modes(items, special, item_kind, problems, location)
    return checked_levels


def refresh(known: Levels, items: Sequence[Item], item_kind: ItemKind) -> Levels:
    """Return the levels of the same items at a later time: their metadata may have changed, nothing else can."""
    locks = item_kind.locks
    fields = map(attrgetter("__dict__"), items)
    return known._replace(special=[at for at, values in enumerate(fields) if values["metadata"] or values[locks]])


def _columns(
    items: Sequence[object], item_kind: ItemKind, problems: ProblemCollector
) -> tuple[list[str], list[tuple[str, ...]], list[int]] | None:
    """Return the names, what each needs, and the positions of those with metadata or locks.

    None, with a problem, if an item is not of the expected kind.
    """
    kind, key, locks = item_kind.kind, item_kind.key, item_kind.locks
    names: list[str] = []
    needs: list[tuple[str, ...]] = []
    special: list[int] = []
    for position, item in enumerate(items):
        if not isinstance(item, kind):
            mixed = isinstance(item, (Step, Recommendation))
            problems.add(
                "invalid-document",
                f"item {position + 1} is a {type(item).__name__}, the first is a {kind.__name__}",
                suggestion="plan steps and recommendations apart" if mixed else READ_FIRST,
            )
            return None
        values = item.__dict__
        names.append(values[key])
        needs.append(values["dependencies"])
        if values["metadata"] or values[locks]:
            special.append(position)
    return names, needs, special


def add_unknown_modes(
    items: Sequence[Item],
    special: Iterable[int],
    item_kind: ItemKind,
    problems: ProblemCollector,
    location: ListLocation = NOWHERE,
) -> None:
    """Add a warning for each hint, among the items at these positions, that is not a known one."""
    for position in special:
        item = items[position]
        mode = item.metadata.get("execution_mode", "auto")
        if mode not in KNOWN_MODES:
            name = item.__dict__[item_kind.key]
            shown = quote(mode) if isinstance(mode, str) else kind_of(mode)
            problems.add(
                "unknown-execution-mode",
                f"{quote(name)} has the execution mode {shown}, which is taken for sequential",
                steps=(name,),
                location=location.of(position, "metadata", "execution_mode"),
                suggestion=f"write one of {', '.join(map(quote, KNOWN_MODES))}",
            )


def _levels_as_declared(items: Sequence[Item], item_kind: ItemKind) -> Levels | None:
    """Return the levels in one pass, for the usual case: every dependency is declared before what needs it, and once.

    None where that is not so, whatever the reason. This is where 100,000 steps spend their time: each is touched
    once, in declared order, since they do not fit into a processor's cache.
    """
    kind, key, locks = item_kind.kind, item_kind.key, item_kind.locks
    levels: dict[str, int] = {}
    special: list[int] = []
    try:
        for position, item in enumerate(items):
            if type(item) is not kind:
                return None
            values = item.__dict__
            needs = values["dependencies"]
            level = 0
            for needed in needs:
                below = levels[needed]
                if below >= level:
                    level = below + 1
            levels[values[key]] = level
            if len(needs) > 1 and len(set(needs)) < len(needs):
                return None
            if values[locks] or values["metadata"]:
                special.append(position)
    except KeyError:
        return None
    return Levels(list(levels), list(levels.values()), special) if len(levels) == len(items) else None


def note_missing_dependencies(
    items: Sequence[Item], problems: ProblemCollector, location: ListLocation = NOWHERE
) -> None:
    """Add a note if there are several recommendations, and not one dependency."""
    if len(items) > 1 and not any(item.dependencies for item in items):
        problems.add(
            "no-dependencies",
            f"none of {len(items):,} recommendations depends on another, so all may run at the same time",
            location=location.whole(),
            suggestion="if this is not meant, state what each one needs",
        )


def find_levels(
    names: Sequence[str],
    dependencies: Sequence[Sequence[Any]],
    item_kind: ItemKind,
    problems: ProblemCollector,
    location: ListLocation = NOWHERE,
    cause_of: Callable[[str], str] = _no_cause,
) -> list[int] | None:
    """Return the level of each name, in any declared order; adds every problem between the names.

    None if one of these is an error. A dependency that is not a string is passed over.
    """
    try:
        graph = DependencyGraph(names, dependencies)
    except (TypeError, ValueError):  # a dependency of another type, made without checks, or a wrong name
        return _explain(names, dependencies, item_kind, problems, location, cause_of)
    levels = graph.level_numbers()
    if levels is None or graph.lists_twice():
        return _explain(names, dependencies, item_kind, problems, location, cause_of)
    return levels


def _explain(
    names: Sequence[str],
    dependencies: Sequence[Sequence[Any]],
    item_kind: ItemKind,
    problems: ProblemCollector,
    location: ListLocation,
    cause_of: Callable[[str], str],
) -> list[int] | None:
    """Return what `find_levels` does, name by name, for input that something is wrong with."""
    first = dict(zip(reversed(names), range(len(names) - 1, -1, -1)))
    sound = _report_duplicates(names, first, item_kind, problems, location)
    suggester = Suggester(names)
    graph_needs: list[list[str]] = []
    for position, (name, needs) in enumerate(zip(names, dependencies)):
        is_first = first[name] == position
        kept: dict[str, int] = {}
        for index, needed in enumerate(needs):
            if not isinstance(needed, str):
                continue
            if needed in kept:
                kept[needed] += 1
                continue
            kept[needed] = 1
            where = location.of(position, "dependencies", index)
            if needed not in first:
                sound = False
                guesses = [guess for guess in suggester.nearest(needed) if guess != name]
                problems.add(
                    "unknown-dependency",
                    f"{quote(name)} needs {quote(needed)}, but no {item_kind.noun} has this {item_kind.key}",
                    steps=(name,),
                    location=where,
                    suggestion=_advise(needed, first, guesses, item_kind, cause_of(needed)),
                )
            elif needed == name and is_first:
                sound = False
                problems.add(
                    "self-dependency",
                    f"{quote(name)} needs itself",
                    steps=(name,),
                    location=where,
                    suggestion="leave this dependency out",
                )
        if is_first:
            graph_needs.append([needed for needed in kept if needed in first and needed != name])
            _report_repeated(name, kept, problems, location, position)
    graph = DependencyGraph(sorted(first, key=first.__getitem__), graph_needs)
    levels = graph.level_numbers()
    if levels is None:

        def locate(name: str, needed: str) -> str:
            position = first[name]
            return location.of(position, "dependencies", list(dependencies[position]).index(needed))

        add_cycles(graph, problems, locate)
    return levels if sound else None


def _report_duplicates(
    names: Sequence[str], first: dict[str, int], item_kind: ItemKind, problems: ProblemCollector, location: ListLocation
) -> bool:
    """Return whether every name is there once; adds a problem for each that is not."""
    if len(first) == len(names):
        return True
    positions: dict[str, list[int]] = {}
    for position, name in enumerate(names):
        if first[name] != position:
            positions.setdefault(name, [first[name]]).append(position)
    for name, found in positions.items():
        listed = ", ".join(str(position + 1) for position in found[:10]) + (", ..." if len(found) > 10 else "")
        problems.add(
            "duplicate-step",
            f"{len(found)} {item_kind.noun}s have the {item_kind.key} {quote(name)}: numbers {listed}",
            steps=(name,),
            location=location.of(found[1], item_kind.key),
            suggestion=f"give each its own {item_kind.key}",
        )
    return False


def _report_repeated(
    name: str, counts: dict[str, int], problems: ProblemCollector, location: ListLocation, position: int
) -> None:
    for needed, count in counts.items():
        if count > 1:
            problems.add(
                "duplicate-dependency",
                f"{quote(name)} lists its dependency {quote(needed)} {count} times",
                steps=(name,),
                location=location.of(position, "dependencies"),
                suggestion="once is enough",
            )


def _advise(needed: str, known: Mapping[str, int], guesses: Sequence[str], item_kind: ItemKind, cause: str) -> str:
    if cause:
        return f"{cause}; {_advise(needed, known, guesses, item_kind, '')}"
    normal = unicodedata.normalize("NFC", needed[:MAX_NAME_LENGTH])
    if normal != needed and normal in known:
        return f"it is {quote(normal)} in another Unicode normal form: use NFC, as names do"
    return did_you_mean(guesses) or item_kind.missing.format(name=quote(needed))
