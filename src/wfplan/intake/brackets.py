"""Where in a text there may be JSON: stretches from an opening bracket to the one that closes it."""

from __future__ import annotations

import re
from typing import Iterator, NamedTuple

__all__ = ["STRING", "Stretch", "find_stretches"]

STRING = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
_TOKEN = re.compile(r'[\[\]{}"]')
_BEGINS_LIKE_JSON = re.compile(r"""[\[{]\s*(?:["'\[{\]}/#]|-?\d|true|false|null|[\w$]+\s*:|$)""")
_MOST_IN_PROSE = 20


class Stretch(NamedTuple):
    """A part of a text in brackets."""

    start: int
    end: int
    """Behind its last character; the end of the text, if it is not closed."""
    is_closed: bool


def find_stretches(text: str) -> Iterator[Stretch]:
    """The outermost stretches in brackets.

    A bracket that is never closed is passed over if it does not look like the beginning of JSON; that happens 20
    times at most, then the rest of the text is one stretch that is not closed.
    """
    last = max(text.rfind("]"), text.rfind("}"))
    position = 0
    passed_over = 0
    while True:
        token = _TOKEN.search(text, position)
        if token is None:
            return
        start = position = token.start()
        if token.group() not in "[{":
            position += 1
            continue
        end = _find_end(text, start) if start < last else None
        if end is not None:
            yield Stretch(start, end, is_closed=True)
            position = end
        elif _BEGINS_LIKE_JSON.match(text, start) or (passed_over >= _MOST_IN_PROSE and start < last):
            yield Stretch(start, len(text), is_closed=False)
            return
        else:
            passed_over += 1
            position += 1


def _find_end(text: str, start: int) -> int | None:
    """Behind the bracket that closes the one at `start`; None if none does. Brackets in strings do not count."""
    depth = 0
    position = start
    while True:
        token = _TOKEN.search(text, position)
        if token is None:
            return None
        position = token.end()
        if token.group() == '"':
            string = STRING.match(text, token.start())
            if string is None:
                return None
            position = string.end()
        elif token.group() in "[{":
            depth += 1
        else:
            depth -= 1
            if depth == 0:
                return position
