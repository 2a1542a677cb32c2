"""JSON pointers (RFC 6901): where in a document something is."""

from __future__ import annotations

from typing import Any, Iterable

__all__ = ["NOWHERE", "ListLocation", "pointer"]


def pointer(path: Iterable[Any]) -> str:
    """Return the JSON pointer of a path of keys and positions.

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


class ListLocation:
    """Where the items of a list are in their document; nowhere, if there is no document."""

    def __init__(self, list_pointer: str | None = None) -> None:
        self._list_pointer = list_pointer

    def whole(self) -> str:
        """Return the pointer of the list."""
        return self._list_pointer or ""

    def of(self, item: int, *path: Any) -> str:
        """Return the pointer of something in an item."""
        return "" if self._list_pointer is None else self._list_pointer + pointer((item, *path))


NOWHERE = ListLocation()
