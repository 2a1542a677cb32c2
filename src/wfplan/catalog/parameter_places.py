"""Locate pydantic's errors in the parameters."""

from __future__ import annotations

from typing import Any, Iterator, NamedTuple, Sequence, Tuple

from wfplan._internal.json import is_list, is_object

__all__ = ["place_in"]

_MOST_WAYS = 64

_Path = Tuple[Any, ...]


def place_in(value: Any, place: Sequence[Any]) -> _Path:
    """Return a place as pydantic gives it, without the names of its own that it has for the branches of a union.

    >>> place_in({"target": "x"}, ("target", "list[int]"))
    ('target',)
    >>> place_in({"target": {}}, ("target", "Pod", "name"))
    ('target', 'name')
    >>> place_in({"target": {"Pod": "x", "port": 80}}, ("target", "Pod", "port"))
    ('target', 'port')
    """
    ways = [_Way((), value, 0, False)]  # what is left out may also be a key: both are tried
    for number, part in enumerate(place):
        further = [inner for way in ways for inner in way.further(part, is_last=number == len(place) - 1)]
        ways = sorted((*further, *ways), key=_goodness, reverse=True)[:_MOST_WAYS]
    return max(ways, key=_goodness).path


class _Way(NamedTuple):
    """A way into a value."""

    path: _Path
    value: Any
    existing: int
    """Steps of the way that are there: the last one may be a key that is missing."""
    reaches_the_end: bool

    def further(self, part: Any, *, is_last: bool) -> Iterator[_Way]:
        path = (*self.path, part)
        if is_object(self.value) and part in self.value:
            yield _Way(path, self.value[part], self.existing + 1, is_last)
        elif is_object(self.value) and is_last:
            yield _Way(path, None, self.existing, is_last)
        elif is_list(self.value) and isinstance(part, int) and part < len(self.value):
            yield _Way(path, self.value[part], self.existing + 1, is_last)


def _goodness(way: _Way) -> Tuple[int, bool]:
    return way.existing, way.reaches_the_end
