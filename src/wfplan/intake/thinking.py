"""Remove a model's thinking from its answer."""

from __future__ import annotations

import re
from typing import List

from wfplan.problems import ProblemCollector

__all__ = ["without_thinking"]

_TAG = re.compile(r"<(/?)(?:think|thinking|thought|reasoning)>", re.IGNORECASE)
_UNCLEAR = "leave it out, or put all of it before the plan"


def without_thinking(text: str, problems: ProblemCollector) -> str | None:
    """Return the text without its thinking blocks, None with a problem if it is not clear where one ends.

    A tag inside a JSON string is part of the string. A tag that only ends a block ends what was before the answer, as
    long as nothing in brackets was there. What is taken out leaves its line breaks behind, so that lines keep their
    numbers.
    """
    if _TAG.search(text) is None:
        return text
    kept: List[str] = []
    quotes = _Quotes(text)
    depth = position = lines = 0
    found = has_brackets = False
    for tag in _TAG.finditer(text):
        if depth == 0 and quotes.are_open(position, tag.start()):
            continue
        found = True
        before = text[position : tag.start()]
        lines += before.count("\n")
        if depth == 0:
            has_brackets = has_brackets or "{" in before or "[" in before
        if tag.group(1) and depth == 0:
            if has_brackets:
                message = "a thinking block ends that has not begun, and something in brackets is before it"
                problems.add("ambiguous-answer", message, suggestion=_UNCLEAR)
                return None
            kept = ["\n" * lines]
        else:
            kept.append(before if depth == 0 else "\n" * before.count("\n"))
        depth = max(depth - 1, 0) if tag.group(1) else depth + 1
        position = tag.end()
    if depth:
        problems.add("ambiguous-answer", "a thinking block begins and does not end", suggestion=_UNCLEAR)
        return None
    if found:
        problems.add("thinking-block", "a thinking block is not read", suggestion="answer without it")
    return "".join([*kept, text[position:]])


class _Quotes:
    """Whether a position is inside a JSON string: an odd number of quotes precedes it on its line."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._seen = 0
        self._count = 0

    def are_open(self, start: int, position: int) -> bool:
        """Return whether quotes are open at `position`, counted from `start`; asked for growing positions."""
        if start > self._seen:
            self._seen, self._count = start, 0
        line = self._text.rfind("\n", self._seen, position) + 1
        if line:
            self._seen, self._count = line, 0
        self._count += self._text.count('"', self._seen, position) - self._text.count('\\"', self._seen, position)
        self._seen = position
        return self._count % 2 == 1
