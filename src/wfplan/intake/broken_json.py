"""Repair of almost valid JSON: quotes, commas, comments, brackets (extra `llm`)."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any, Dict, Iterator, List, NamedTuple, Tuple

from wfplan._internal.extras import how_to_install
from wfplan._internal.json import is_list, is_object
from wfplan._internal.messages import quote
from wfplan.problems import ProblemCollector

__all__ = ["RepairedJson", "lacks_something", "repair_json"]

_MOST_CHARACTERS = 200_000  # json-repair takes its time
_MARK = re.compile(r'["#]|//|/\*')
_ESCAPE = re.compile(r"\\u[0-9a-fA-F]{4}|\\.", re.DOTALL)
_WORD = re.compile(r"\w+")
_VALUE_MISSING = frozenset(",}]")
_LITERALS = {None: "none", True: "true", False: "false"}
_TELLING = frozenset("\"'[]{}")


class RepairedJson(NamedTuple):
    """Repair of JSON with mistakes."""

    value: Any
    comments: List[str]
    """The comments in it."""


def repair_json(text: str, mistake: str, problems: ProblemCollector) -> RepairedJson | None:
    """Return what `text` would be without its mistakes, None with a problem if that cannot be known.

    json-repair does it. Only a repair that keeps every word, every key and every bracket of the text, and adds none, is
    taken: one that leaves something out, or takes one thing for another, might lose a dependency.

    Args:
        text: Nearly JSON.
        mistake: What the parser found wrong with it first, and where, for messages; empty if it found nothing.
        problems: Where problems go.
    """
    if len(text) > _MOST_CHARACTERS:
        message = f"the document is not JSON{mistake}; beyond {_MOST_CHARACTERS:,} characters nothing is repaired"
        problems.add("limit-exceeded", message, suggestion="correct it there")
        return None
    try:
        import json_repair
    except ImportError:
        message = f"the document is not JSON{mistake}"
        advice = f"correct it there, or {how_to_install('llm')} to have it repaired where nothing can be lost"
        problems.add("invalid-document", message, suggestion=advice)
        return None
    plain, bare, comments = _take_apart(text)
    reason = _why_not(bare, comments)
    repaired: Any = None
    if reason is None:
        try:
            repaired = json_repair.loads(plain)
        except Exception as error:  # noqa: BLE001 - whatever it meets
            reason = f"json-repair raises {type(error).__name__}"
        else:
            reason = _what_changed(plain, bare, repaired)
    if reason is not None:
        message = f"the document is not JSON{mistake}; repairing it might change it: {reason}"
        problems.add("invalid-document", message, suggestion="correct it there")
        return None
    problems.add("repaired-json", f"the document is not JSON and was repaired{mistake}", suggestion="write plain JSON")
    return RepairedJson(repaired, comments)


def lacks_something(text: str) -> bool:
    """Return whether something is left out of nearly JSON, or a comment in it may be a part of it."""
    _, bare, comments = _take_apart(text)
    return _why_not(bare, comments) is not None


def _take_apart(text: str) -> Tuple[str, str, List[str]]:
    """Return a string without comments, the same without strings, too, and the comments."""
    plain: List[str] = []
    bare: List[str] = []
    comments: List[str] = []
    for part, kind in _parts(text):
        if kind == "comment":
            comments.append(part)
            plain.append(" ")
            bare.append(" ")
        else:
            plain.append(part)
            bare.append(" _ " if kind == "string" else part)
    return "".join(plain), "\n".join(map(_without_single_quoted, "".join(bare).split("\n"))), comments


def _without_single_quoted(line: str) -> str:
    """Return a line without the strings in single quotes in it."""
    kept: List[str] = []
    position = 0
    while True:
        start = line.find("'", position)
        end = -1 if start < 0 else _closing(line, start + 1, "'")
        if end < 0:
            return "".join([*kept, line[position:]])
        kept.extend((line[position:start], " _ "))
        position = end + 1


def _parts(text: str) -> Iterator[Tuple[str, str]]:
    """Return strings, comments and what is between them; a comment or string that does not end goes to the end."""
    position = 0
    while position < len(text):
        mark = _MARK.search(text, position)
        start = len(text) if mark is None else mark.start()
        if start > position:
            yield text[position:start], ""
        if mark is None:
            return
        if mark.group() == '"':
            end = _closing(text, start + 1, '"')
            position = len(text) if end < 0 else end + 1
            yield text[start:position], "string"
        else:
            end = text.find("*/" if mark.group() == "/*" else "\n", mark.end())
            position = len(text) if end < 0 else end + 2 * (mark.group() == "/*")
            yield text[start:position], "comment"


def _closing(text: str, position: int, mark: str) -> int:
    """Return where the next quotation mark without a backslash before it is, -1 if there is none."""
    while True:
        found = text.find(mark, position)
        if found < 0:
            return -1
        slashes = found
        while slashes > position and text[slashes - 1] == "\\":
            slashes -= 1
        if (found - slashes) % 2 == 0:
            return found
        position = found + 1


def _why_not(bare: str, comments: List[str]) -> str | None:
    """Return what forbids a repair, seen without looking at its result."""
    if any(not _TELLING.isdisjoint(comment) for comment in comments):
        return "a comment may be part of it"
    if "..." in bare or "\u2026" in bare:
        return 'something is left out ("...")'
    squeezed = "".join(bare.split())
    if any(squeezed[at + 1 : at + 2] in _VALUE_MISSING for at, char in enumerate(squeezed) if char == ":"):
        return "a key has no value"
    return None


def _what_changed(plain: str, bare: str, repaired: Any) -> str | None:
    """Return what differs between a string without comments and its repair; None if nothing does."""
    found = _Counted(repaired)
    if found.breaks > plain.count("\\n") + plain.count("\\r"):
        return "a string goes over the end of a line"
    brackets = (max(bare.count("{"), bare.count("}")), max(bare.count("["), bare.count("]")))
    if (*brackets, bare.count(":")) != (found.objects, found.lists, found.keys):
        return "brackets and colons do not fit"
    words = Counter(_WORD.findall(_ESCAPE.sub(" ", plain).lower().replace("null", "none")))
    odd = next(iter((words - found.words) + (found.words - words)), None)
    return None if odd is None else f"{quote(odd)} would not be kept as it is written"


class _Counted:
    """The brackets, keys and words of a document."""

    def __init__(self, document: Any) -> None:
        self.objects = self.lists = self.keys = self.breaks = 0
        self.words: Counter[str] = Counter()
        pending: List[Any] = [document]
        while pending:
            value = pending.pop()
            if is_object(value):
                fields: Dict[Any, Any] = value
                self.objects += 1
                self.keys += len(fields)
                pending.extend([*map(str, fields), *fields.values()])
            elif is_list(value):
                self.lists += 1
                pending.extend(value)
            else:
                text = _LITERALS[value] if value is None or isinstance(value, bool) else str(value)
                self.breaks += text.count("\n")
                self.words.update(_WORD.findall(text.lower().replace("null", "none")))
