"""Identifiers: which strings can be the name of a step, the id of a recommendation, or an action."""

from __future__ import annotations

import unicodedata

from wfplan._internal.messages import quote

__all__ = ["MAX_NAME_LENGTH", "action_error", "name_error"]

MAX_NAME_LENGTH = 128
_BIDI_CONTROLS = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
# Printable to Python, and never seen: fillers and the like, and what chooses the look of a character before it.
_INVISIBLE = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0").union(map(chr, range(0xFE00, 0xFE10)))
_MAX_ACTION_LENGTH = 1024
_PATTERN = frozenset("*?[]|^$\\")


def name_error(text: str) -> str | None:
    """Return what keeps `text` from being a name, as the end of a sentence; None if it is one."""
    if not text:
        return "is empty"
    if len(text) > MAX_NAME_LENGTH:
        return f"has {len(text)} characters, at most {MAX_NAME_LENGTH} are allowed"
    if text[0].isspace() or text[-1].isspace():
        return "begins or ends with a space"
    return _why_not_readable(text)


def _why_not_readable(text: str) -> str | None:
    if text.isascii() and text.isprintable():
        return None
    if not _BIDI_CONTROLS.isdisjoint(text):
        return "holds a control character that turns the direction of writing"
    if not text.isprintable():
        return "holds a character that cannot be printed"
    if not _INVISIBLE.isdisjoint(text):
        return "holds a character that cannot be seen"
    if not unicodedata.is_normalized("NFC", text):
        return "is not in Unicode normal form NFC"
    return None


def action_error(text: str) -> str | None:
    """Return why `text` cannot name an action in a catalog or policy, phrased to follow "it", or None if it can.

    There, a name stands for itself alone: what looks like a pattern would match nothing, and look as if it did. The
    same goes for what holds a character that cannot be seen.

    >>> action_error("restart_pods"), action_error("restart_*")
    (None, 'holds "*", but patterns are not known: name each action in full')
    """
    if not text:
        return "is empty"
    if len(text) > _MAX_ACTION_LENGTH:
        return f"has {len(text):,} characters, at most {_MAX_ACTION_LENGTH:,} are allowed"
    if text[0].isspace() or text[-1].isspace():
        return "begins or ends with a space"
    found = next((char for char in text if char in _PATTERN), None)
    if found is not None:
        return f"holds {quote(found)}, but patterns are not known: name each action in full"
    return _why_not_readable(text)
