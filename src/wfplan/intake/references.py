"""References to other steps in the strings of parameters."""

from __future__ import annotations

import re
from itertools import chain
from operator import attrgetter
from typing import Any, Collection, Dict, FrozenSet, Iterator, List, Mapping, NamedTuple, Sequence, Set, Tuple

from wfplan._internal.json import is_list, is_object
from wfplan._internal.messages import join_names, quote
from wfplan.intake.field_names import plain
from wfplan.intake.order_words import is_order
from wfplan.intake.positions import Path, Positions
from wfplan.problems import ProblemCollector

__all__ = ["MARKS", "References", "are_scalar", "may_refer", "parameter_values", "referenced_names"]

MARKS = ("$", "{{", "#", "<")
"""Every reference has one of these in it."""

_HOLDERS = frozenset("steps tasks needs nodes jobs step task node job".split())
_WHOLE = re.compile(
    r"\$([\w-]+)|\$\{([\w.-]+)\}|\$?\{\{ ?([\w.-]+) ?\}\}|\$\(([\w.-]+)\)|#(E?\d+)|<GENERATED>-(\d+)"
    r"|<<__step__(\d+)>>|<node-(\w+)>"
)
_INSIDE = re.compile(r"(?:\$?\{\{ ?|\$\(|\$\{)(?:steps?|tasks?|needs|nodes?|jobs?)[.\[]([\w-]+)|#(E\d+)")
_LONGEST_WHOLE = 300
_SCALARS: FrozenSet[Any] = frozenset((str, int, float, bool, type(None)))
_PARAMETERS: Any = attrgetter("parameters")
_DICT: Any = dict
_TYPE: Any = type
_CHUNK = 1024


def referenced_names(text: str) -> Iterator[str]:
    """Return what a string refers to in the notations that agents and workflow engines use, whether it exists or not.

    >>> list(referenced_names("{{steps.scale.output}}")), list(referenced_names("Is #E1 more than ${a.x}?"))
    (['scale'], ['E1', '1'])
    """
    whole = _WHOLE.fullmatch(text.strip()) if len(text) <= _LONGEST_WHOLE else None
    if whole is not None:
        said = next(group for group in whole.groups() if group is not None)
        parts = said.split(".")
        yield parts[1] if len(parts) > 1 and parts[0] in _HOLDERS else parts[0]
        if said[0] == "E":
            yield said[1:]
        return
    for found in _INSIDE.finditer(text):
        name = found.group(1) or found.group(2)
        yield name
        if name[0] == "E" and found.group(2):
            yield name[1:]


def parameter_values(items: Sequence[Any]) -> List[Any]:
    """Return the values in the parameters of all items."""
    return list(chain.from_iterable(map(_DICT.values, map(_PARAMETERS, items))))


def are_scalar(values: Sequence[Any]) -> bool:
    """Return whether there is no object or list among JSON values."""
    return _SCALARS.issuperset(map(_TYPE, values))


def may_refer(items: Sequence[Any]) -> bool:
    """Return whether anything in the parameters of items may be a reference to a step, or a key of an order."""
    values = parameter_values(items)
    are_steps = "rollback" in vars(items[0]) if items else False
    if not are_scalar(values) or (are_steps and any(item.rollback for item in items)):
        return True
    strings = "".join([value for value in values if isinstance(value, str)])
    keys: Set[str] = set(chain.from_iterable(map(_PARAMETERS, items)))
    return any(mark in strings for mark in MARKS) or any(is_order(plain(key)) for key in keys)


class _Reference(NamedTuple):
    item: int
    path: Path
    """Below the item, by canonical names."""
    text: str
    targets: Tuple[int, ...]
    """What it may mean: the ids of several steps may look alike."""


class References:
    """Looks for references in the parameters of all items and checks that each goes to an ancestor.

    Args:
        ids: The ids of the items.
        needs: The positions of what each waits for, in a graph without cycles.
        positions: Where the items are.
        ignore: Keys, without case and punctuation, that state nothing.
        problems: Where problems go.
    """

    def __init__(
        self,
        ids: Sequence[str],
        needs: Sequence[Collection[int]],
        positions: Positions,
        ignore: Collection[str],
        problems: ProblemCollector,
    ) -> None:
        self._ids = ids
        self._needs = needs
        self._positions = positions
        self._ignore = ignore
        self._problems = problems
        self._index = {id_: at for at, id_ in enumerate(ids)}
        self._found: List[_Reference] = []

    def look_at(self, item: int, parameters: Any, *path: str) -> None:
        """Look for references in the parameters of an item, at any depth."""
        pending: List[Tuple[Path, Any]] = [(path, parameters)]
        while pending:
            path, value = pending.pop()
            if isinstance(value, str):
                if any(mark in value for mark in MARKS):
                    names = referenced_names(value)
                    targets = tuple(dict.fromkeys(self._index[name] for name in names if name in self._index))
                    if targets:
                        self._found.append(_Reference(item, path, value, targets))
            elif is_object(value):
                for key, inner in value.items():
                    if plain(key) not in self._ignore:
                        self._look_at_key(item, (*path, key), inner)
                        pending.append(((*path, key), inner))
            elif is_list(value):
                pending.extend(((*path, at), inner) for at, inner in enumerate(value))

    def _look_at_key(self, item: int, path: Path, value: Any) -> None:
        """Add a warning for a key of an order that names steps which the item does not wait for."""
        if not is_order(plain(path[-1])):
            return
        named = [each for each in (value if is_list(value) else [value]) if isinstance(each, str)]
        others = [name for name in named if self._index.get(name, item) not in (item, *self._needs[item])]
        if others:
            own = self._ids[item]
            self._problems.add(
                "order-in-parameters",
                f"{quote(path[-1])} in the parameters of {quote(own)} names {join_names(others)}, and orders nothing",
                steps=(own,),
                location=self._positions.of(item, *path),
                suggestion="if it waits for that, state it in its dependencies",
            )

    def check(self) -> None:
        """Add an error for each reference to a step that is not an ancestor, and a warning for each other one."""
        far = sorted({at for each in self._found for at in each.targets if at not in self._needs[each.item]})
        reached: Dict[int, Set[int]] = {}
        for start in range(0, len(far), _CHUNK):
            bit_of = {target: 1 << at for at, target in enumerate(far[start : start + _CHUNK])}
            masks = _ancestors(self._needs, bit_of)
            for at, each in enumerate(self._found):
                reached.setdefault(at, set()).update(
                    target for target in each.targets if masks[each.item] & bit_of.get(target, 0)
                )
        for at, each in enumerate(self._found):
            own: Set[int] = {each.item} if each.path[0] == "rollback" else set()
            allowed: Set[int] = own.union(self._needs[each.item], reached.get(at, ()))
            self._report(each, [target for target in each.targets if target not in allowed])

    def _report(self, reference: _Reference, missing: List[int]) -> None:
        own = self._ids[reference.item]
        other = self._ids[(missing or reference.targets)[0]]
        self._problems.add(
            "order-not-read" if missing else "text-reference",
            f"{quote(own)} refers to {quote(other)} by {quote(reference.text)}"
            + (", but does not wait for it" if missing else ", a string that nothing replaces"),
            steps=(own,),
            location=self._positions.of(reference.item, *reference.path),
            suggestion=(
                f"add {quote(other)} to its dependencies, or pass ignore= with the key if this is not a reference"
                if missing
                else "see that the executor replaces it, or leave it out"
            ),
        )


def _ancestors(needs: Sequence[Collection[int]], bit_of: Mapping[int, int]) -> List[int]:
    """Return which of the items that have a bit are ancestors of each item; one pass, without recursion."""
    dependents: List[List[int]] = [[] for _ in needs]
    waiting = [len(needed) for needed in needs]
    for item, needed in enumerate(needs):
        for other in needed:
            dependents[other].append(item)
    masks = [0] * len(needs)
    ready = [item for item, count in enumerate(waiting) if not count]
    while ready:
        item = ready.pop()
        mask = masks[item] | bit_of.get(item, 0)
        for other in dependents[item]:
            masks[other] |= mask
            waiting[other] -= 1
            if not waiting[other]:
                ready.append(other)
    return masks
