"""One item of a document, while it is read."""

from __future__ import annotations

from typing import Any, Dict, Tuple

from wfplan._internal.identifiers import name_error
from wfplan._internal.messages import quote
from wfplan.relations import ItemKind

__all__ = ["Item"]


class Item:
    """One item of a document.

    Args:
        position: Where in the list it is.
        fields: Its fields by canonical names, in canonical form as far as that could be reached.
        rest: What no field took, by the keys of the document.
        item_kind: The kind of item.
    """

    __slots__ = ("fields", "item_kind", "position", "rest")

    def __init__(self, position: int, fields: Dict[str, Any], rest: Dict[str, Any], item_kind: ItemKind) -> None:
        self.position: int = position
        self.fields: Dict[str, Any] = fields
        self.rest: Dict[str, Any] = rest
        self.item_kind: ItemKind = item_kind

    @property
    def steps(self) -> Tuple[str, ...]:
        """The id or name of the item, if it has a valid one."""
        name = self.fields.get(self.item_kind.key)
        return (name,) if isinstance(name, str) and not name_error(name) else ()

    @property
    def subject(self) -> str:
        """How messages speak of the item."""
        return f"{self.item_kind.noun} {' '.join(map(quote, self.steps)) or self.position + 1}"
