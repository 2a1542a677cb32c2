"""Parameters that the model of an action would pass over without a word."""

from __future__ import annotations

from contextlib import suppress
from typing import Any, Dict, Iterator, List, Sequence, Set, Tuple, Type, Union

from pydantic import BaseModel, RootModel, ValidationError

from wfplan.action_parameters import Fitted, UnfitError, UnusableModelError, encode, fit, parameter_names
from wfplan.json_values import copy_json_object, is_list, is_object

__all__ = ["find_ignored", "place_in"]

_MOST_TOLD = 20
_MOST_TRIES = 200
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

    Raises UnfitError if this takes more than 200 tries.
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
        after = self._outcome(self._replaced(group))
        if after == self._before and self._outcome(self._without(group)) == self._before:
            return group
        refused = self._refused(after)
        rest = [path for path in group if path not in refused]
        if len(rest) < len(group):
            groups.append(rest)
        elif len(group) > 1:
            half = len(group) // 2
            groups += [group[half:], group[:half]]
        return []

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
        """The places that an outcome complains of, and what they are in."""
        found: Set[_Path] = set()
        for place, _ in outcome if isinstance(outcome, list) else ():
            path = place_in(self._parameters, place)
            found.update(path[:length] for length in range(1, len(path) + 1))
        return found

    def _replaced(self, paths: Sequence[_Path]) -> Dict[str, Any]:
        changed = copy_json_object(self._parameters)
        for path in paths:
            with suppress(KeyError, IndexError, TypeError):  # what it is in has been replaced
                _follow(changed, path[:-1])[path[-1]] = [[["?"]]]
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
    """
    path: List[Any] = []
    for number, part in enumerate(place):
        if is_object(value) and (part in value or number == len(place) - 1):
            path.append(part)
            value = value.get(part)
        elif is_list(value) and isinstance(part, int) and part < len(value):
            path.append(part)
            value = value[part]
    return tuple(path)


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
