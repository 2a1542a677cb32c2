"""JSON that is nearly JSON: quotes, commas, comments and brackets as models write them (extra `llm`)."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any, Dict, List

from wfplan.json_values import is_list, is_object
from wfplan.names import quote
from wfplan.problems import ProblemList

__all__ = ["repair_json"]

_MOST_CHARACTERS = 1_000_000
_KEY = re.compile(r"""["']?([\w$-]+)["']?\s*:""")


def repair_json(text: str, problems: ProblemList) -> Any:
    """What `text` would be without its mistakes, by json-repair; None with a problem if that cannot be known.

    Only what keeps every object and every key that is in the text: a repair that leaves something out, or makes one of
    two, might lose a dependency.
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
    try:
        repaired: Any = json_repair.loads(text)
    except Exception as error:  # noqa: BLE001 - whatever it meets
        problems.add("invalid-document", f"the document is not JSON, nor can it be repaired: {type(error).__name__}")
        return None
    lost = _what_is_lost(text, repaired)
    if lost:
        told = f"the document is not JSON, and repairing it would change it: {lost}"
        problems.add("invalid-document", told, suggestion="write plain JSON")
        return None
    problems.add("repaired-json", "the document is not quite JSON, and was repaired", suggestion="write plain JSON")
    return repaired


def _what_is_lost(text: str, repaired: Any) -> str | None:
    """What the text has more often than what it was repaired to."""
    keys: Counter[str] = Counter()
    objects = 0
    pending: List[Any] = [repaired]
    while pending:
        value = pending.pop()
        if is_object(value):
            fields: Dict[Any, Any] = value
            objects += 1
            keys.update(map(str, fields))
            pending.extend(fields.values())
        elif is_list(value):
            pending.extend(value)
    if text.count("{") != objects:
        return f"it has {text.count('{'):,} opening braces, and {objects:,} objects would be left"
    written = Counter(_KEY.findall(text))
    return next((f"{quote(key)} is there more often" for key in written if written[key] > keys[key]), None)
