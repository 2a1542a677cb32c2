"""What a model says to itself before it answers, taken out of the answer."""

from __future__ import annotations

import re
from typing import List

from wfplan.intake.brackets import find_stretches
from wfplan.problems import ProblemList

__all__ = ["without_thinking"]

_TAG = re.compile(r"<(/?)(?:think|thinking|thought|reasoning)>", re.IGNORECASE)
_UNCLEAR = "answer without it, or with all of it before the plan"


def without_thinking(text: str, problems: ProblemList) -> str | None:
    """The text without its thinking blocks; None with a problem if it is not clear what they are.

    A tag inside of brackets is part of what is in them. One that only ends a block ends what was before the answer,
    as long as nothing in brackets was there.
    """
    if _TAG.search(text) is None:
        return text
    stretches = list(find_stretches(text))
    brackets = iter([*stretches, None])
    stretch = next(brackets)
    kept: List[str] = []
    depth, position, has_brackets, found = 0, 0, False, False
    for tag in _TAG.finditer(text):
        while stretch is not None and stretch.end <= tag.start():
            has_brackets = has_brackets or depth == 0
            stretch = next(brackets)
        if stretch is not None and stretch.start < tag.start():
            continue
        found = True
        if tag.group(1) and depth == 0:
            if has_brackets:
                told = "a thinking block ends that has not begun, and something in brackets is before it"
                problems.add("ambiguous-answer", told, suggestion=_UNCLEAR)
                return None
            kept.clear()
        elif depth == 0:
            kept.append(text[position : tag.start()])
        depth = max(depth - 1, 0) if tag.group(1) else depth + 1
        position = tag.end()
    if depth:
        problems.add("ambiguous-answer", "a thinking block begins and does not end", suggestion=_UNCLEAR)
        return None
    if found:
        problems.add("thinking-block", "a thinking block is not read", suggestion="answer without it")
    return "".join([*kept, text[position:]])
