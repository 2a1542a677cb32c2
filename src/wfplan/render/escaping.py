"""Any text made harmless: one function for each format, and none of them leaves a way around.

All begin with `shown`: what cannot be printed, line breaks and what turns the direction of writing are written as
escapes. So a name stays on its line, half surrogates can be encoded, and XML finds no character that it forbids.
"""

from __future__ import annotations

from wfplan._internal.names import escape

__all__ = ["dot_text", "mermaid_text", "shown", "xml_text"]

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
