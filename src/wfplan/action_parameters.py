"""Parameters, as JSON has them, through the model of an action: checked, and written as the model writes them."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any, Callable, Dict, List, NamedTuple, Tuple, Type

from pydantic import AliasChoices, AliasPath, BaseModel, ValidationError

from wfplan.json_values import NotJsonError, freeze_object, is_list, is_object
from wfplan.names import tell_error

__all__ = ["Fitted", "UnfitError", "UnusableModelError", "encode", "fit", "parameter_names"]


class Fitted(NamedTuple):
    """Parameters that a model takes."""

    value: BaseModel
    """What the functions of an action are handed."""
    parameters: Dict[str, Any]
    """The same as JSON: converted, with all defaults."""


class UnfitError(Exception):
    """Parameters that the model does not refuse, and that can be used no more for that; `path` tells where in them."""

    path: Tuple[Any, ...]

    def __init__(self, path: Tuple[Any, ...], reason: str) -> None:
        self.path = path
        super().__init__(path, reason)

    def __str__(self) -> str:
        return str(self.args[1])


class UnusableModelError(Exception):
    """A model that fails in another way than by refusing, or does not read what it writes."""


def fit(model: Type[BaseModel], parameters: Dict[str, Any]) -> Fitted:
    """Parameters through the model of their action.

    They are read as JSON, so that a strict model takes a date from a text and a tuple from a list; and what the model
    writes for them is read once more, since that is what will run: it has to be the same. Raises pydantic's
    ValidationError where the model refuses them, UnfitError where it makes something of them that JSON cannot hold, as
    of "inf", UnusableModelError where it is at fault itself.
    """
    value = _read(model, parameters)
    written = _write(value)
    try:
        again = _read(model, written)
    except ValidationError:
        raise UnusableModelError("does not read what it writes") from None
    if not _says_the_same(again, value) or encode(_write(again)) != encode(written):
        raise UnusableModelError("does not read what it writes: its JSON, read again, is another value")
    return Fitted(again, written)


def parameter_names(model: Type[BaseModel]) -> List[str]:
    """All names that the parameters may have where they are written."""
    names: Dict[str, None] = {}
    for name, field in model.model_fields.items():
        aliases = field.validation_alias
        choices = aliases.choices if isinstance(aliases, AliasChoices) else [aliases or name]
        for choice in choices:
            names[str(choice.path[0] if isinstance(choice, AliasPath) else choice)] = None
        names[field.alias or name] = None
    return list(names)


encode: Callable[[Any], str] = json.JSONEncoder(sort_keys=True, separators=(",", ":"), allow_nan=False).encode


def _read(model: Type[BaseModel], parameters: Dict[str, Any]) -> BaseModel:
    try:
        return model.model_validate_json(encode(parameters))
    except ValidationError:
        raise
    except Exception as error:  # noqa: BLE001 - it is code of somebody else's
        raise UnusableModelError(f"raises {tell_error(error)}") from None


def _write(value: BaseModel) -> Dict[str, Any]:
    try:
        written: Any = value.model_dump(mode="json", by_alias=True, warnings=False)
        if is_object(written) and _has_sets(type(value)):
            _sort_sets(written, value.model_dump(by_alias=True, warnings=False))
    except Exception as error:  # noqa: BLE001 - it is code of somebody else's
        raise UnusableModelError(f"raises {tell_error(error)} where it writes them") from None
    if not is_object(written):
        raise UnusableModelError("does not write a JSON object")
    try:
        return freeze_object(written)
    except NotJsonError as error:
        raise UnfitError(error.path, str(error.args[1])) from None


def _says_the_same(again: BaseModel, value: BaseModel) -> bool:
    """Whether what was given is still there; a default need not be of the type that it is read as."""
    try:
        return all(getattr(again, field) == getattr(value, field) for field in value.model_fields_set)
    except Exception as error:  # noqa: BLE001 - it is code of somebody else's
        raise UnusableModelError(f"raises {tell_error(error)} where it is compared") from None


@lru_cache(maxsize=256)
def _has_sets(model: Type[BaseModel]) -> bool:
    try:
        return '"uniqueItems"' in json.dumps(model.model_json_schema())
    except Exception:  # noqa: BLE001 - there is no schema for everything
        return True


def _sort_sets(written: Any, dumped: Any) -> None:
    """Put the lists that stand for sets into an order: theirs depends on the seed of hashes."""
    pending: List[Tuple[Any, Any]] = [(written, dumped)]
    while pending:
        target, source = pending.pop()
        if is_object(target) and is_object(source):
            pending += [(target[key], source[key]) for key in target if key in source]
        elif isinstance(source, (set, frozenset)):
            target[:] = sorted(target, key=encode)
        elif is_list(target) and is_list(source):
            pending += zip(target, source)
