"""Escape untrusted text, one function for each output format, and cut it to a width."""

from __future__ import annotations

from unicodedata import category, east_asian_width

from wfplan._internal.messages import escape

__all__ = ["cells", "dot_text", "fit", "fit_name", "mermaid_text", "shown", "xml_text"]

_XML = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;"})
_DOT = str.maketrans({"\\": "\\\\", '"': '\\"', "&": "&amp;"})
_PARTED = str.maketrans({"$": "$\u200b", "\\": "\\\u200b"})
_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 _-,.")
_LONGEST = 2000


def shown(text: str, length: int = _LONGEST) -> str:
    """`text` on one line, cut where it is longer than `length`, with nothing in it that cannot be seen."""
    cut = text if len(text) <= length else text[: length - 1] + "\u2026"
    return escape(cut)


def xml_text(text: str, length: int = _LONGEST) -> str:
    """`text` as content or quoted attribute of XML and of HTML."""
    return shown(text, length).translate(_XML)


def dot_text(text: str, length: int = _LONGEST) -> str:
    """`text` for between double quotes in DOT, which knows backslashes there, and HTML's entities."""
    return shown(text, length).translate(_DOT)


def mermaid_text(text: str, length: int = _LONGEST) -> str:
    r"""`text` for any place of a Mermaid diagram.

    Mermaid looks for directives, comments, links and words of its own inside of texts too. So letters, digits and
    little else are left, everything else is written as a numbered entity. What it still looks for after it has read
    these, formulas between dollar signs, names of icons and `\n`, is parted by a space without width.
    """
    parted = shown(text, length).translate(_PARTED).replace(":fa-", ":\u200bfa-")
    return "".join(char if char in _PLAIN or char.isalnum() else f"#{ord(char)};" for char in parted)


def cells(text: str) -> int:
    """Return how many characters wide a string is; those of East Asia and emoji count two, marks on others none.

    >>> cells("verify"), cells("\u691c\u8a3c")
    (6, 4)
    """
    return len(text) if text.isascii() else sum(map(_width, text))


def fit(text: str, room: int) -> str:
    """`text`, cut where it is wider than `room`.

    >>> fit("verify_memory_usage", 10), fit("verify", 10)
    ('verify_me\u2026', 'verify')
    """
    return text if cells(text) <= room else text[: _fitting(text, room - 1)] + "\u2026"


def fit_name(text: str, room: int) -> str:
    """`text`, cut in its middle where it is wider than `room`: names that begin alike often end differently.

    >>> fit_name("verify_memory_usage_in_zone_a", 16)
    'verify_m\u2026_zone_a'
    """
    if cells(text) <= room:
        return text
    tail = (room - 1) // 2
    kept = _fitting(text[::-1], tail)
    return text[: _fitting(text, room - 1 - tail)] + "\u2026" + text[len(text) - kept :]


def _fitting(text: str, room: int) -> int:
    """Return how many of the first characters of a string that is too wide have room."""
    count, width = 0, _width(text[0])
    while width <= room:
        count += 1
        width += _width(text[count])
    return count


def _width(char: str) -> int:
    if east_asian_width(char) in "WF":
        return 2
    return 0 if category(char) in ("Mn", "Me") else 1
