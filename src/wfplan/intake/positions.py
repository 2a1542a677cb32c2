"""Map parts of items back to their place in the original document."""

from __future__ import annotations

from typing import Any, Dict, List, Sequence, Tuple

from wfplan._internal.locations import ListLocation, pointer

__all__ = ["Path", "Positions"]

Path = Tuple[Any, ...]
"""Keys and positions from the root of a document."""


_UNMOVED: Dict[str, Path] = {}


class Positions(ListLocation):
    """The places of a list, its items and their fields in the document that they were read from.

    Args:
        list_path: The path of the list.
        ways: The way from the list to each item; by default, their positions.
        cut: The length of the path of the string that the list was parsed from, if it was: nothing in it has a JSON
            pointer of its own, so what is found there is at the string.
    """

    def __init__(self, list_path: Path, ways: Sequence[Path] | None = None, cut: int | None = None) -> None:
        super().__init__(pointer(list_path[:cut]))
        self._list_path = list_path
        self._ways = ways
        self._cut = cut
        self._fields: Dict[int, Dict[str, Path]] = {}
        self._dependencies: Dict[int, List[Path]] = {}
        self._opaque: Dict[int, Dict[str, int]] = {}

    def move(self, item: int, field: str, way: Path, *, is_string: bool = False) -> None:
        """Note that a field of an item is at `way` in it; where it is a string, nothing in it has a place."""
        self._fields[item] = {**self._fields.get(item, _UNMOVED), field: way}
        if is_string:
            self._opaque.setdefault(item, {})[field] = len(way)

    def move_all(self, item: int, ways: Dict[str, Path]) -> None:
        """Note where the fields of an item are; items that are written alike share `ways`."""
        self._fields[item] = ways

    def place_dependencies(self, item: int, places: List[Path]) -> None:
        """Note where below its field each dependency of an item is."""
        self._dependencies[item] = places

    def path(self, item: int, *path: Any) -> Path:
        """Return the path in the original of something in an item, given by canonical names."""
        if not path:
            return self._item(item)
        field: str = path[0]
        rest: List[Any] = list(path[1:])
        if field == "dependencies" and rest and item in self._dependencies:
            rest = [*self._dependencies[item][rest[0]], *rest[1:]]
        moved = self._fields.get(item, _UNMOVED)
        way = moved.get(field, (field,))
        inside: Path = (*way, *rest)
        if item in self._opaque and field in self._opaque[item]:
            inside = inside[: self._opaque[item][field]]
        return (*self._item(item), *inside)

    def _item(self, item: int) -> Path:
        return (*self._list_path, item) if self._ways is None else (*self._list_path, *self._ways[item])

    def of(self, item: int, *path: Any) -> str:
        """Return the JSON pointer in the original of something in an item, given by canonical names."""
        return self.at(self.path(item, *path))

    def at(self, path: Path) -> str:
        """Return the JSON pointer of a path in the original; of the string around it, if it is in one."""
        return pointer(path[: self._cut])

    def only(self, items: Sequence[int]) -> ListLocation:
        """Return the places of some of the items alone, counted anew."""
        return _Some(self, items)


class _Some(ListLocation):
    def __init__(self, positions: Positions, items: Sequence[int]) -> None:
        super().__init__(positions.whole())
        self._positions = positions
        self._items = items

    def of(self, item: int, *path: Any) -> str:
        return self._positions.of(self._items[item], *path)
