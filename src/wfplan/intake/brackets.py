"""Where in a text there may be JSON: stretches from an opening bracket to the one that closes it."""

from __future__ import annotations

import re
from typing import Iterator, NamedTuple

__all__ = ["Stretch", "find_stretches"]

_TOKEN = re.compile(r'[\[\]{}"]')
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
_BEGINS_LIKE_JSON = re.compile(r"""[\[{]\s*(?:["'\[{\]}/#]|-?\d|true|false|null|$)""")
_MOST_IN_PROSE = 100


class Stretch(NamedTuple):
    """A part of a text in brackets."""

    start: int
    end: int
    """Behind its last character; the end of the text, if it is not closed."""
    is_closed: bool


def find_stretches(text: str) -> Iterator[Stretch]:
    """The outermost stretches in brackets, in one pass over the text.

    A bracket that is never closed is passed over if it does not look like the beginning of JSON; that happens 100
    times at most, then the rest of the text is one stretch that is not closed.
    """
    position = 0
    passed_over = 0
    while True:
        token = _TOKEN.search(text, position)
        if token is None:
            return
        if token.group() not in "[{":
            position = token.end()
            continue
        start = token.start()
        end = _find_end(text, start)
        if end is not None:
            yield Stretch(start, end, is_closed=True)
            position = end
        elif passed_over < _MOST_IN_PROSE and not _BEGINS_LIKE_JSON.match(text, start):
            passed_over += 1
            position = start + 1
        else:
            yield Stretch(start, len(text), is_closed=False)
            return


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
            string = _STRING.match(text, token.start())
            if string is None:
                return None
            position = string.end()
        elif token.group() in "[{":
            depth += 1
        else:
            depth -= 1
            if depth == 0:
                return position
