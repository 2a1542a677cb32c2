"""JSON pointers (RFC 6901): where in a document something is."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any, Iterable, Mapping, NamedTuple, Optional, Sequence

__all__ = ["NOWHERE", "ListLocation", "pointer"]


def pointer(path: Iterable[Any]) -> str:
    """The JSON pointer of a path of keys and positions.

    >>> pointer(["recommendations", 0, "a/b"])
    '/recommendations/0/a~1b'
    """
    return (
        "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in path)
        .encode(
            "utf-8",
            "backslashreplace",  # a key from Python may be half of a surrogate pair
        )
        .decode()
    )


class ListLocation(NamedTuple):
    """Where the items of a list are in their document; nowhere, if there is no document."""

    list_pointer: Optional[str] = None
    positions: Optional[Sequence[int]] = None
    """The position in the document of each item, if some of them were left out."""
    moved: Mapping[int, str] = MappingProxyType({})
    """The key of an item's execution mode, by its position in the document, where it stands beside the metadata."""

    def whole(self) -> str:
        """The pointer of the list."""
        return self.list_pointer or ""

    def of(self, item: int, *path: Any) -> str:
        """The pointer of something in an item."""
        if self.list_pointer is None:
            return ""
        position = item if self.positions is None else self.positions[item]
        if position in self.moved and path == ("metadata", "execution_mode"):
            path = (self.moved[position],)
        return self.list_pointer + pointer((position, *path))


NOWHERE = ListLocation()
