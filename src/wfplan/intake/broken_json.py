"""JSON that is nearly JSON: quotes, commas, comments and brackets as models write them (extra `llm`)."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any, Dict, List

from wfplan.intake.brackets import STRING
from wfplan.json_values import is_list, is_object
from wfplan.names import quote
from wfplan.problems import ProblemList

__all__ = ["repair_json"]

_MOST_CHARACTERS = 1_000_000
_COMMENT = re.compile(r"//[^\n]*|#[^\n]*|/\*.*?\*/", re.DOTALL)
_STRING_OR_COMMENT = re.compile(f"{STRING.pattern}|{_COMMENT.pattern}", re.DOTALL)
_ESCAPE = re.compile(r"\\u[0-9a-fA-F]{4}|\\.", re.DOTALL)
_SINGLE = re.compile(r"'[^'\\\n]*(?:\\.[^'\\\n]*)*'")
_WORD = re.compile(r"\w+")
_NO_VALUE = re.compile(r":\s*[,}\]]")
_LITERALS = {None: "none", True: "true", False: "false"}
_TELLING = frozenset("\"'[]{}")


def repair_json(text: str, problems: ProblemList) -> Any:
    """What `text` would be without its mistakes, by json-repair; None with a problem if that cannot be known.

    Only what keeps every word, every key and every bracket of the text, and adds none: a repair that leaves something
    out, or takes one thing for another, might lose a dependency.
    """
    if len(text) > _MOST_CHARACTERS:
        told = f"{len(text):,} characters that are nearly JSON, at most {_MOST_CHARACTERS:,} are repaired"
        problems.add("limit-exceeded", told)
        return None
    try:
        import json_repair
    except ImportError:
        told = "the document is nearly JSON, and json-repair is not installed"
        problems.add("invalid-document", told, suggestion="write plain JSON, or pip install 'wfplan[llm]'")
        return None
    plain = _without_comments(text)
    try:
        repaired: Any = None if plain is None else json_repair.loads(plain)
    except Exception as error:  # noqa: BLE001 - whatever it meets
        problems.add("invalid-document", f"the document is not JSON, nor can it be repaired: {type(error).__name__}")
        return None
    changed = "a comment may be part of it" if plain is None else _what_is_changed(plain, repaired)
    if changed:
        told = f"the document is not JSON, and repairing it might change it: {changed}"
        problems.add("invalid-document", told, suggestion="write plain JSON")
        return None
    problems.add("repaired-json", "the document is not quite JSON, and was repaired", suggestion="write plain JSON")
    return repaired


def _without_comments(text: str) -> str | None:
    """The text without its comments, of which not every version of json-repair knows; None if one may be none."""
    comments = [found.group() for found in _STRING_OR_COMMENT.finditer(text) if found.group()[0] != '"']
    if any(not _TELLING.isdisjoint(comment) for comment in comments):
        return None
    return _STRING_OR_COMMENT.sub(lambda found: found.group() if found.group()[0] == '"' else " ", text)


def _what_is_changed(plain: str, repaired: Any) -> str | None:
    """What is not the same in a text without comments and in what it was repaired to; None if nothing is."""
    bare = _SINGLE.sub(" _ ", STRING.sub(" _ ", plain))
    if _NO_VALUE.search(bare):
        return "a key has no value"
    found = _Counted(repaired)
    brackets = {"{": max(bare.count("{"), bare.count("}")), "[": max(bare.count("["), bare.count("]"))}
    if (brackets["{"], brackets["["], bare.count(":")) != (found.objects, found.lists, found.keys):
        return "brackets and colons do not fit"
    words = Counter(_WORD.findall(_ESCAPE.sub(" ", plain).lower().replace("null", "none")))
    odd = next(iter((words - found.words) + (found.words - words)), None)
    return None if odd is None else f"{quote(odd)} is not there as often as before"


class _Counted:
    """The brackets, keys and words of a document."""

    def __init__(self, document: Any) -> None:
        self.objects = self.lists = self.keys = 0
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
                self.words.update(_WORD.findall(text.lower().replace("null", "none")))
