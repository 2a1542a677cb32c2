"""Refuse what no field took, if it could state an order, a condition, a mode or a step."""

from __future__ import annotations

import re
from typing import Any, Collection, Dict, Iterable, List, NamedTuple, Optional, Sequence, Set, Tuple

from wfplan._internal.json import is_list, is_object
from wfplan._internal.messages import join_names, quote
from wfplan.intake.envelope import Beside
from wfplan.intake.field_names import (
    AUTHOR,
    DEPENDENCIES,
    FIELDS,
    NOTHING,
    TITLE_WORDS,
    is_list_name,
    plain,
    says_nothing,
)
from wfplan.intake.item import Item
from wfplan.intake.mentions import StepNames, words_of
from wfplan.intake.order_words import (
    BACKWARD,
    CONDITION,
    DEFAULT_RULE,
    FORWARD,
    MEASURES,
    NUMBERING,
    NUMBERING_BY_WORDS,
    ORDERINGS,
    WEAK,
    contains_depend,
    is_inert,
    is_order,
    mode_of,
    says_left_out,
    says_one_by_one,
    tells_order,
)
from wfplan.intake.positions import Path, Positions
from wfplan.intake.references import MARKS, referenced_names
from wfplan.problems import ProblemCollector

__all__ = ["Graph", "Remainder"]

_IDS = FIELDS["id"] | TITLE_WORDS - {"content", "description"}
_ELLIPSES = frozenset(("...", "\u2026"))
_DIRECTIONS = FORWARD | BACKWARD
_LONGEST_REFERENCE = 300
_HEAD = re.compile("[/.]")


class Graph(NamedTuple):
    """The steps of a document and what each waits for, by position."""

    names: Sequence[str]
    needs: Sequence[Collection[int]]
    has_edges: bool
    """Whether any step says that it waits for another, even for one that is unknown."""

    def joins(self, first: int | None, then: int | None) -> bool:
        """Return whether `then` waits for `first`; steps that are none do not."""
        return then is not None and first in self.needs[then]


class _Entry(NamedTuple):
    """A value with the key that it stands under, somewhere in what no field took."""

    path: Path
    """Below the item; from the root, if it is in none."""
    key: str
    """Of the object that the value, or the list that it is in, stands in."""
    value: Any
    item: Optional[int]
    """The position of the item that it is in."""
    depth: int
    is_weak: bool
    """Whether it is under a word under which a number may name a step."""
    is_measure: bool = False


class Remainder:
    """Looks at the remainder of a document and adds an error for every finding.

    Args:
        names: What the steps may be called.
        graph: What has been read.
        positions: Where the items are.
        ignore: Keys, without case and punctuation, that state nothing.
        problems: Where findings go.
    """

    def __init__(
        self, names: StepNames, graph: Graph, positions: Positions, ignore: Collection[str], problems: ProblemCollector
    ) -> None:
        self._names = names
        self._graph = graph
        self._positions = positions
        self._ignore = ignore
        self._problems = problems
        self._numbers: Dict[Tuple[str, ...], Dict[int, Any]] = {}
        self._beside: Dict[int, Path] = {}
        """Steps that are named beside the list, with the first place of each."""
        self.refused: Set[Tuple[int, str]] = set()
        """The fields of items that something was found in, by position and key."""
        self.hints: Dict[int, Tuple[str, str]] = {}
        """The mode that an item states outside of its metadata, with its key."""
        self.modes: List[Tuple[Path, str, str]] = []
        """The modes that the document states beside the list: path, key and mode."""

    # --------------------------------------------------------------------------------------------------- items, beside

    def look_at_item(self, item: Item, list_key: str) -> None:
        """Look at what no field of an item took."""
        rest = item.rest
        if plain(list_key) == "jobs" and any(plain(key) == "runson" for key in rest):
            rest = {key: value for key, value in rest.items() if key != "steps"}
            self._look_for_order_keys(("steps",), item.rest.get("steps"), item.position, but=AUTHOR)
        self._look_at_keys(rest, (), item.position)
        self._walk(_Entry((key,), key, value, item.position, 0, plain(key) in WEAK) for key, value in rest.items())
        metadata = item.fields.get("metadata")
        if is_object(metadata) and metadata:
            self._look_for_order_keys(("metadata",), metadata, item.position)

    def look_beside(self, beside: Iterable[Beside]) -> None:
        """Look at what stands around the list."""
        for entry in beside:
            self._look_at_keys({entry.key: entry.value}, entry.path[:-1], None)
            self._walk([_Entry(entry.path, entry.key, entry.value, None, 0, plain(entry.key) in WEAK)])

    def look_at_words(self, words: Iterable[str], comments: Sequence[str]) -> None:
        """Look at the lines around a document, and at the comments in it."""
        for line in words:
            self._look_at_line(line)
        waited_for: Set[int] = {step for needs in self._graph.needs for step in needs} if comments else set()
        for comment in comments:
            said = words_of(comment)
            if says_left_out(comment, said):
                self._add_about_words(comment, "says that something is left out", ())
            elif not self._graph.has_edges:
                self._look_at_line(comment)
            led = [mention.step for mention in self._names.mentions(comment) if mention.is_led]
            lost = [step for step in led if step not in waited_for]
            if lost:
                self._add_about_words(comment, "says what a step waits for", lost)

    def _look_at_line(self, line: str) -> None:
        said = words_of(line)
        if says_left_out(line, said):
            self._add_about_words(line, "says that something is left out", ())
        elif self._graph.has_edges:
            pairs = self._names.arrows(line)
            lost = [pair for pair in pairs if not (self._graph.joins(*pair) or self._graph.joins(*pair[::-1]))]
            if lost:
                self._add_about_words(line, "draws an arrow between steps", lost[0])
        elif says_one_by_one(said):
            self._add_about_words(line, "says that the steps run one after the other", ())
        else:
            mentions = self._names.mentions(line)
            drawn = [step for pair in self._names.arrows(line) for step in pair]
            listed = self._names.listed(line.strip(" \t[](){}"), numbers=True)
            named = list(dict.fromkeys([*drawn, *listed, *(mention.step for mention in mentions)]))
            if len(named) > 1 or any(mention.is_led for mention in mentions):
                self._add_about_words(line, "names steps, and may say which comes first", named)

    # ---------------------------------------------------------------------------------------------------- the one walk

    def _walk(self, entries: Iterable[_Entry]) -> None:
        pending = list(entries)[::-1]
        while pending:
            entry = pending.pop()
            if not self._is_settled(entry):
                pending.extend(self._inner(entry)[::-1])

    def _is_settled(self, entry: _Entry) -> bool:
        """Return whether all is said of an entry; if not, what is in it has to be looked at."""
        word, value = plain(entry.key), entry.value
        if self._is_inert(entry, word) or self._states_mode(entry, word) or value is False:
            return True
        if entry.item is not None:
            self._note_number(entry, word)
        if is_order(word) and not (contains_depend(word) and isinstance(value, (bool, int, float))):
            if value is not True and not self._says_none(value) and not self._says_again(entry, word):
                self._add(entry, "states an order")
            return True
        if word in CONDITION:
            if not (value is True or (isinstance(value, str) and plain(value) in DEFAULT_RULE)):
                self._add(entry, "states a condition")
            return True
        if self._holds_steps(entry):
            self._add(entry, "holds steps of its own")
            return True
        return self._says_again(entry, word) or self._names_steps(entry)

    def _is_inert(self, entry: _Entry, word: str) -> bool:
        """Return whether a value says nothing by its key, or is nothing; metadata are looked at for keys alone."""
        value = entry.value
        if word in self._ignore or says_nothing(value):
            return True
        if word in AUTHOR:
            if word == "metadata":
                self._look_for_order_keys(entry.path, value, entry.item)
            return True
        strings = value if is_list(value) else [value]
        return is_inert(word) and all(isinstance(each, str) for each in strings)

    def _inner(self, entry: _Entry) -> List[_Entry]:
        if is_object(entry.value):
            self._look_at_keys(entry.value, entry.path, entry.item, is_weak=entry.is_weak, is_measure=entry.is_measure)
            return [
                _Entry(
                    (*entry.path, key),
                    key,
                    inner,
                    entry.item,
                    entry.depth + 1,
                    entry.is_weak or plain(key) in WEAK,
                    plain(key) in MEASURES,
                )
                for key, inner in entry.value.items()
            ]
        return [
            entry._replace(path=(*entry.path, at), value=inner, depth=entry.depth + 1)
            for at, inner in enumerate(entry.value)
        ]

    def _states_mode(self, entry: _Entry, word: str) -> bool:
        mode = mode_of(word, entry.value)
        if mode is None:
            return False
        if entry.depth or mode == "unknown":
            self._add(entry, "states an execution mode")
        elif entry.item is None:
            self.modes.append((entry.path, entry.key, mode))
        else:
            known = self.hints.get(entry.item)
            if known is not None and known[1] != mode:
                self._add(entry, f"contradicts {quote(known[0])}")
            self.hints.setdefault(entry.item, (entry.key, mode))
        return True

    def _says_none(self, value: Any) -> bool:
        """Return whether a value says that there is nothing, and names no step by it."""
        if isinstance(value, str):
            return value.strip().casefold() in NOTHING and self._names.owner(value, numbers=True) is None
        return is_list(value) and all(says_nothing(inner) for inner in value)

    def _says_again(self, entry: _Entry, word: str) -> bool:
        """Return whether an order is just what the graph has."""
        if word not in (ORDERINGS if entry.item is None else _DIRECTIONS):
            return False
        named = entry.value if is_list(entry.value) else [entry.value]
        steps = [self._names.owner(name, numbers=True) for name in named]
        if entry.item is None:
            pairs = list(zip(steps, steps[1:]))
        else:
            pairs = [(entry.item, step) if word in FORWARD else (step, entry.item) for step in steps]
        return bool(pairs) and all(self._graph.joins(*pair) for pair in pairs)

    def _holds_steps(self, entry: _Entry) -> bool:
        """Return whether a value is a list with steps in it or, beside the list, a step."""
        value = entry.value
        if is_list(value):
            if any(isinstance(inner, str) and inner.strip() in _ELLIPSES for inner in value):
                return True
            objects = [inner for inner in value if is_object(inner)]
            if any(map(_does_something, objects)):
                return True
            return is_list_name(entry.key) and any(not _IDS.isdisjoint(map(plain, inner)) for inner in objects)
        if not is_object(value):
            return False
        if entry.item is None and _does_something(value):
            return True
        inner_objects = [inner for inner in value.values() if is_object(inner)]
        return is_list_name(entry.key) and bool(inner_objects) and any(map(_does_something, inner_objects))

    def _names_steps(self, entry: _Entry) -> bool:
        """Return whether a scalar was looked at for names of steps; an object or list has to be looked into."""
        value = entry.value
        if is_object(value) or is_list(value):
            return False
        numbers = entry.is_weak or plain(entry.key) in FIELDS["id"]
        owner = self._names.owner(value, numbers=numbers)
        named = [] if owner is None else [owner]
        if owner is None and isinstance(value, str):
            named = self._names.listed(value, numbers=numbers) or self._named_in_lines(value)
            named = named or self._referred_to(value, is_weak=entry.is_weak)
        self._note_names(entry.path, entry.item, named, is_weak=entry.is_weak)
        return True

    def _referred_to(self, text: str, *, is_weak: bool) -> List[int]:
        """Return the steps that a string refers to in a known notation; `step/output` counts under a weak word."""
        names = list(referenced_names(text)) if any(mark in text for mark in MARKS) else []
        if is_weak and len(text) < _LONGEST_REFERENCE:
            names.append(_HEAD.split(text, maxsplit=1)[0])
        owners = (self._names.owner(name, numbers=True) for name in names)
        return [owner for owner in owners if owner is not None]

    def _named_in_lines(self, text: str) -> List[int]:
        named: List[int] = []
        for line in text.splitlines():
            mentions = self._names.mentions(line)
            if mentions and (tells_order(line, words_of(line)) or _says_step(line)):
                named.extend(mention.step for mention in mentions)
        return named

    def _look_at_keys(
        self,
        value: Dict[str, Any],
        path: Path,
        item: Optional[int],
        *,
        is_weak: bool = False,
        is_measure: bool = False,
    ) -> None:
        """Look for names of steps among the keys of an object."""
        if is_measure and all(isinstance(inner, (int, float)) for inner in value.values()):
            return
        for key, inner in value.items():
            if plain(key) not in self._ignore and not says_nothing(inner):
                owner = self._names.owner(key, numbers=is_weak)
                if owner is not None:
                    self._note_names((*path, key), item, [owner], is_weak=is_weak)

    def _note_names(self, path: Path, item: Optional[int], named: List[int], *, is_weak: bool) -> None:
        others = [step for step in named if step != item]
        if not others:
            return
        if item is not None or is_weak or len(set(others)) > 1:
            self._add_at(path, item, "names a step of this document", others)
            return
        self._beside.setdefault(others[0], path)

    # ------------------------------------------------------------------------------------------- numbers, keys, the end

    def _note_number(self, entry: _Entry, word: str) -> None:
        """Keep the number that an item has under a word that may state an order."""
        if word not in NUMBERING or entry.item is None:
            return
        value = entry.value
        if isinstance(value, str) and value.strip().isdecimal() and len(value) < 16:
            value = int(value)
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            said: Any = value
        elif isinstance(value, str) and word in NUMBERING_BY_WORDS:
            said = value
        else:
            return
        way = tuple(plain(part) for part in entry.path if isinstance(part, str))
        self._numbers.setdefault(way, {}).setdefault(entry.item, (said, entry))

    def finish(self) -> None:
        """Add what only shows when all has been looked at."""
        if len(self._beside) > 1:
            (_, path), *_ = self._beside.items()
            self._add_at(path, None, "names steps of this document, together with what else stands there", self._beside)
        if self._graph.has_edges:
            return
        for way, numbers in self._numbers.items():
            values = [said for said, _ in numbers.values()]
            distinct = len(set(map(str, values)))
            if distinct < 2 or (way[-1] == "priority" and distinct < len(values)):
                continue
            first: _Entry = next(iter(numbers.values()))[1]
            self._add_at(first.path, first.item, "differs from step to step, which may state an order", list(numbers))

    def _look_for_order_keys(self, path: Path, value: Any, item: Optional[int], but: Collection[str] = ()) -> None:
        """Look at the keys alone, at any depth: the rest belongs to the author of the document."""
        pending: List[Tuple[Path, Any]] = [(path, value)]
        while pending:
            path, value = pending.pop()
            entries = value.items() if is_object(value) else enumerate(value) if is_list(value) else ()
            for key, inner in entries:
                word = plain(key) if isinstance(key, str) else ""
                if word in self._ignore or word in but or says_nothing(inner) or isinstance(inner, bool):
                    continue
                entry = _Entry((*path, key), str(key), inner, item, 1, is_weak=False)
                is_count = contains_depend(word) and isinstance(inner, (int, float)) if word else False
                if word and is_order(word) and not is_count:
                    if not self._says_none(inner) and not self._says_again(entry, word):
                        self._add(entry, "states an order")
                else:
                    pending.append(((*path, key), inner))

    # -------------------------------------------------------------------------------------------------------- findings

    def _add(self, entry: _Entry, what: str) -> None:
        self._add_at(entry.path, entry.item, what, ())

    def _add_at(self, path: Path, item: Optional[int], what: str, named: Iterable[int]) -> None:
        key = next((part for part in reversed(path) if isinstance(part, str)), "")
        subject = "the document" if item is None else quote(self._graph.names[item])
        names = [self._graph.names[step] for step in dict.fromkeys(named)]
        listed = f" ({join_names(names, 3)})" if names else ""
        if item is not None and path:
            self.refused.add((item, str(path[0])))
        whole = path if item is None else (*self._positions.path(item), *path)
        self._problems.add(
            "order-not-read",
            f"{quote(key)} of {subject} {what}, but is not read{listed}"
            if key
            else f"a value beside the list {what}{listed}",
            steps=() if item is None else (self._graph.names[item],),
            location=self._positions.at(whole),
            suggestion=(
                'state what each step waits for in its "dependencies" and leave this out, or pass '
                f"ignore=({key!r},) if it states nothing"
            ),
        )

    def _add_about_words(self, line: str, what: str, named: Iterable[int]) -> None:
        names = [self._graph.names[step] for step in dict.fromkeys(named)]
        self._problems.add(
            "order-not-read",
            f"a line of words or a comment {what}: {quote(line.strip())}",
            steps=tuple(names[:20]),
            suggestion='state what each step waits for in its "dependencies", list every step, and leave the line out',
        )


def _does_something(value: Dict[str, Any]) -> bool:
    """Return whether an object says what it does; or what it waits for, and what it is."""
    words = {plain(key): inner for key, inner in value.items()}
    if any(word in FIELDS["action"] and isinstance(inner, str) and inner for word, inner in words.items()):
        return True
    return not _IDS.isdisjoint(words) and any(
        word in DEPENDENCIES and not says_nothing(inner) and inner is not True and inner is not False
        for word, inner in words.items()
    )


def _says_step(line: str) -> bool:
    """Return whether a line says "step" or the like."""
    return any(word in ("step", "steps", "task", "tasks", "job", "jobs") for word in words_of(line))
