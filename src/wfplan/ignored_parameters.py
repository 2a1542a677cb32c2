"""Parameters that the model of an action would pass over without a word."""

from __future__ import annotations

from contextlib import suppress
from typing import Any, Callable, Dict, Iterator, List, NamedTuple, Sequence, Set, Tuple, Type, Union

from pydantic import BaseModel, RootModel, ValidationError

from wfplan.action_parameters import Fitted, UnfitError, UnusableModelError, encode, fit, parameter_names
from wfplan.json_values import copy_json_object, is_list, is_object

__all__ = ["find_ignored", "place_in"]

_MOST_TOLD = 20
_MOST_TRIES = 1000
_MOST_WAYS = 64
_ABSENT: Any = object()

_Path = Tuple[Any, ...]
_Outcome = Union[str, List[Tuple[_Path, str]]]
"""What comes of parameters: how they are written, or where and why they are refused."""


def find_ignored(model: Type[BaseModel], parameters: Dict[str, Any], fitted: Fitted | None) -> List[_Path]:
    """Where the keys are that the model does not look at, at any depth, the first twenty.

    Pydantic passes over what it does not know, unless told otherwise: a misspelt `namespce` would mean the default
    namespace. A key that is not written again as it was is suspect; it may also be converted, or another name of one
    that is. So something that hardly any type takes is put in its place, and then it is taken away: if neither changes
    anything, nobody looks at it. Where the parameters do not fit, so that there is no `fitted`, only keys of the
    outermost object that are no field's name are looked at.

    Raises UnfitError if this takes more than 1,000 tries.
    """
    if fitted is not None:
        suspects = list(dict.fromkeys(_not_written_alike(parameters, fitted.parameters)))
    else:
        known = parameter_names(model)
        is_object_model = not issubclass(model, RootModel)
        suspects = [(key,) for key in parameters if is_object_model and key not in known]
    return _Search(model, parameters).search(suspects) if suspects else []


class _Search:
    """Which of the suspects nobody looks at; many are tried at once, so that a few tries do."""

    def __init__(self, model: Type[BaseModel], parameters: Dict[str, Any]) -> None:
        self._model = model
        self._parameters = parameters
        self._tries = 0
        self._before = self._outcome(parameters)

    def search(self, suspects: List[_Path]) -> List[_Path]:
        refused = self._refused(self._before)
        groups = [[path for path in suspects if path not in refused]]
        found: List[_Path] = []
        while groups and len(found) < _MOST_TOLD:
            group = groups.pop()
            if group:
                found += self._try(group, groups)
        return found[:_MOST_TOLD]

    def _try(self, group: List[_Path], groups: List[List[_Path]]) -> List[_Path]:
        """The group, if nobody looks at any of it; else what is left to be tried of it is added to the groups."""
        after = self._outcome(self._replaced(group, _something_else))
        if not isinstance(after, str) and after != self._before and not self._refused(after).intersection(group):
            # An error elsewhere, as of a validator that looks at all values, proves nothing: it may not like the type.
            after = self._outcome(self._replaced(group, _something_alike))
        if after == self._before and self._is_the_same_without(group):
            return group
        refused = self._refused(after)
        rest = [path for path in group if path not in refused]
        if len(rest) < len(group):
            groups.append(rest)
        elif len(group) > 1:
            half = len(group) // 2
            groups += [group[half:], group[:half]]
        return []

    def _is_the_same_without(self, group: List[_Path]) -> bool:
        """Whether nothing changes if it is taken away, but for a complaint about the whole, as of too few keys."""
        without = self._outcome(self._without(group))
        if isinstance(without, str) or isinstance(self._before, list) or without is None:
            return without == self._before
        return all(place == () for place, _ in without)

    def _outcome(self, parameters: Dict[str, Any]) -> _Outcome | None:
        self._tries += 1
        if self._tries > _MOST_TRIES:
            raise UnfitError(
                (), "have too much in them that is not written again as it was: not all of it can be checked"
            )
        try:
            return encode(fit(self._model, parameters).parameters)
        except ValidationError as error:
            return [(detail["loc"], detail["type"]) for detail in error.errors(include_url=False, include_input=False)]
        except (UnfitError, UnusableModelError):
            return None

    def _refused(self, outcome: _Outcome | None) -> Set[_Path]:
        """The places that an outcome complains of, where they are clear, and what they are in."""
        found: Set[_Path] = set()
        for place, _ in outcome if isinstance(outcome, list) else ():
            if len(place_in(self._parameters, place)) == len(place):  # else there is the name of a branch in it
                found.update(place[:length] for length in range(1, len(place) + 1))
        return found

    def _replaced(self, paths: Sequence[_Path], other: Callable[[Any], Any]) -> Dict[str, Any]:
        changed = copy_json_object(self._parameters)
        for path in paths:
            with suppress(KeyError, IndexError, TypeError):  # what it is in has been replaced
                target = _follow(changed, path[:-1])
                target[path[-1]] = other(target[path[-1]])
        return changed

    def _without(self, paths: Sequence[_Path]) -> Dict[str, Any]:
        changed = copy_json_object(self._parameters)
        for path in paths:
            with suppress(KeyError, IndexError, TypeError):  # what it is in has been taken away
                del _follow(changed, path[:-1])[path[-1]]
        return changed


def place_in(value: Any, place: Sequence[Any]) -> _Path:
    """A place that pydantic tells, without the names of its own that it has for the branches of a union.

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


def _something_else(_: Any) -> Any:
    """What hardly any type takes."""
    return [[["?"]]]


def _something_alike(value: Any) -> Any:
    """Another value of the same type, as JSON has types."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, (int, float)):
        return value + 1
    if is_list(value):
        return [*value, *value[-1:]] if value else ["?"]
    return {**value, "?": "?"} if is_object(value) else f"{value or ''}?"


def _follow(value: Any, path: Sequence[Any]) -> Any:
    for part in path:
        value = value[part]
    return value


def _not_written_alike(parameters: Dict[str, Any], written: Dict[str, Any]) -> Iterator[_Path]:
    """The keys, as deep as they go, whose values are not written again as they were; some of them repeatedly."""
    pending: List[Tuple[Any, Any, _Path]] = [(parameters, written, ())]
    while pending:
        given, kept, path = pending.pop()
        if is_object(given) and is_object(kept):
            yield from ((*path, key) for key in given if key not in kept)
            pending += [(item, kept[key], (*path, key)) for key, item in given.items() if key in kept]
        elif is_list(given) and is_list(kept) and len(given) == len(kept):
            pending += [(one, other, (*path, at)) for at, (one, other) in enumerate(zip(given, kept))]
        elif is_object(given) and given:
            pending += [(item, _ABSENT, (*path, key)) for key, item in given.items()]
        elif is_list(given) and given:
            pending += [(item, _ABSENT, (*path, at)) for at, item in enumerate(given)]
        elif type(given) is not type(kept) or given != kept:
            yield _innermost_key(path)


def _innermost_key(path: _Path) -> _Path:
    """The path up to its last key: what comes behind are places in lists."""
    last = max(place for place, part in enumerate(path) if isinstance(part, str))
    return path[: last + 1]
