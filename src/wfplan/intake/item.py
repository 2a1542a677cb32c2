"""One item of a document, while it is read."""

from __future__ import annotations

from typing import Any, Dict, Tuple

from wfplan._internal.identifiers import why_not_a_name
from wfplan._internal.messages import quote
from wfplan.relations import Wording

__all__ = ["Item"]


class Item:
    """One item of a document.

    Args:
        position: Where in the list it is.
        fields: Its fields by canonical names, in canonical form as far as that could be reached.
        rest: What no field took, by the keys of the document.
        wording: The kind of item.
    """

    __slots__ = ("fields", "position", "rest", "wording")

    def __init__(self, position: int, fields: Dict[str, Any], rest: Dict[str, Any], wording: Wording) -> None:
        self.position: int = position
        self.fields: Dict[str, Any] = fields
        self.rest: Dict[str, Any] = rest
        self.wording: Wording = wording

    @property
    def steps(self) -> Tuple[str, ...]:
        """The id or name of the item, if it has a valid one."""
        name = self.fields.get(self.wording.key)
        return (name,) if isinstance(name, str) and not why_not_a_name(name) else ()

    @property
    def subject(self) -> str:
        """How messages speak of the item."""
        return f"{self.wording.noun} {' '.join(map(quote, self.steps)) or self.position + 1}"
