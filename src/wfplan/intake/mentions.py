"""The names of the steps of a document, and where words mention them."""

from __future__ import annotations

import re
from typing import Any, Dict, Iterable, List, NamedTuple, Sequence, Set, Tuple

from wfplan.intake.field_names import TITLE_WORDS, number_as_id, plain
from wfplan.intake.order_words import ARROWS, LEADS, NOUNS, tells_order

__all__ = ["Mention", "StepNames", "titles_of", "words_of"]

_WORD = re.compile(r"[^\W_]+")
_PARTS = re.compile(r"[,;|>]")
_LONGEST_NAME = 128
_MOST_WORDS = 8
_LONGEST_LIST = 1_000
_BEHIND_NAMES = frozenset("and or then before after has have is must may can runs first to ends finishes".split())


class Mention(NamedTuple):
    """A name of a step in a line of words."""

    step: int
    is_led: bool
    """Whether a word such as "after" or "needs" stands right before it."""


def words_of(line: str) -> List[str]:
    """Return the words of a line without case and punctuation."""
    return _WORD.findall(line.casefold())


class StepNames:
    """What the steps of a document may be called: by id, or by a name, title or action that only one of them has.

    Args:
        ids: The id of each step, None where it has no valid one.
        others: What else each step may be called by.
    """

    def __init__(self, ids: Sequence[str | None], others: Iterable[Iterable[str]]) -> None:
        owners: Dict[str, int] = {}
        shared: Set[str] = set()
        phrases: Dict[str, str] = {}
        for step, names in enumerate(others):
            for name in names:
                if 0 < len(name) <= _LONGEST_NAME:
                    word = plain(name)
                    phrases.setdefault(word, name)
                    if owners.setdefault(word, step) != step:
                        shared.add(word)
        for word in shared:
            del owners[word]
        for step, id_ in enumerate(ids):
            if id_:
                owners[plain(id_)] = step
                phrases[plain(id_)] = id_
        self._owners = owners
        self._by_words: Dict[Tuple[str, ...], int] = {}
        for word, step in owners.items():
            parts = tuple(words_of(phrases[word]))
            if 0 < len(parts) <= _MOST_WORDS:
                self._by_words[parts] = step
        self._lengths = sorted({len(parts) for parts in self._by_words}, reverse=True)

    def owner(self, value: Any, *, numbers: bool) -> int | None:
        """Return the step that a whole string or number names, None if it names none.

        Args:
            value: Any JSON value.
            numbers: Whether a number may be a name where it stands.
        """
        if isinstance(value, bool) or not isinstance(value, (str, int, float)):
            return None
        if isinstance(value, str):
            if not 0 < len(value) <= 2 * _LONGEST_NAME:
                return None
            word = plain(value)
            return None if word.isdigit() and not numbers else self._owners.get(word)
        number = number_as_id(value) if numbers else None
        return None if number is None else self._owners.get(number)

    def listed(self, text: str, *, numbers: bool) -> List[int]:
        """Return the steps that a string lists, if it is nothing but a list of their names."""
        if len(text) > _LONGEST_LIST:
            return []
        parts = [part.strip(" -=") for part in _PARTS.split(text)]
        owners = [self.owner(part, numbers=numbers) for part in parts]
        return [owner for owner in owners if owner is not None] if len(parts) > 1 and None not in owners else []

    def mentions(self, line: str) -> List[Mention]:
        """Return the steps that a line of words names, in order."""
        words = words_of(line)
        found: List[Mention] = []
        tells: bool | None = None
        position = 0
        while position < len(words):
            length, step = self._match(words, position)
            if step is None:
                position += 1
                continue
            before = words[position - 1] if position else ""
            is_led = before in LEADS and (before != "on" or words[position - 2].startswith(("depend", "wait")))
            is_word = length > 1 or not (len(words[position]) == 1 or words[position].isdigit())
            is_clear = is_word or is_led or before in NOUNS
            if not is_clear:
                tells = tells_order(line, words) if tells is None else tells
                is_clear = tells and not (words[position] == "a" and self._is_article(words, position))
            if is_clear:
                found.append(Mention(step, is_led))
            position += length
        return found

    def _is_article(self, words: List[str], position: int) -> bool:
        """Return whether the word "a" is more likely an article than the name of a step."""
        behind = words[position + 1] if position + 1 < len(words) else ""
        return bool(behind) and behind not in _BEHIND_NAMES and (behind,) not in self._by_words

    def _match(self, words: List[str], position: int) -> Tuple[int, int | None]:
        for length in self._lengths:
            step = self._by_words.get(tuple(words[position : position + length]))
            if step is not None:
                return length, step
        return 1, None

    def arrows(self, line: str) -> List[Tuple[int, int]]:
        """Return the pairs of steps between which a line draws an arrow."""
        for arrow in ARROWS:
            line = line.replace(arrow, "\u2192")
        if "\u2192" not in line:
            return []
        parts = [[mention.step for mention in self.mentions("step " + part)] for part in line.split("\u2192")]
        return [(one[-1], other[0]) for one, other in zip(parts, parts[1:]) if one and other]


def titles_of(fields: Dict[str, Any], rest: Dict[str, Any]) -> List[str]:
    """Return the strings that say what an item is called besides its id."""
    names: List[str] = [value for value in (fields.get("action"), fields.get("name")) if isinstance(value, str)]
    names.extend(value for key, value in rest.items() if isinstance(value, str) and plain(key) in TITLE_WORDS)
    return names
