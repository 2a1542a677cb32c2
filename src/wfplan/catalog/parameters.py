"""Validate parameters by the model of an action, and dump them as it does."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any, Dict, List, NamedTuple, Sequence, Tuple, Type, cast

from pydantic import AliasChoices, AliasPath, BaseModel, RootModel, ValidationError
from pydantic.fields import FieldInfo
from typing_extensions import TypeGuard

from wfplan._internal.json import NotJsonError, canonical_json, freeze_object, is_list, is_object
from wfplan._internal.messages import describe_error
from wfplan.catalog.parameter_models import key_rules

__all__ = ["ParameterError", "ParsedParameters", "UnusableModelError", "parameter_names", "parse_parameters"]


class ParsedParameters(NamedTuple):
    """Parameters that a model takes."""

    value: BaseModel
    """What the functions of an action are handed."""
    parameters: Dict[str, Any]
    """The same as JSON: converted, with all defaults."""


class ParameterError(Exception):
    """Raised for parameters that the model takes, but wfplan cannot use; `path` locates them."""

    path: Tuple[Any, ...]

    def __init__(self, path: Tuple[Any, ...], reason: str) -> None:
        self.path = path
        super().__init__(path, reason)

    def __str__(self) -> str:
        return str(self.args[1])


class UnusableModelError(Exception):
    """Raised for a model that fails in another way than by refusing, or does not read what it writes."""


def parse_parameters(model: Type[BaseModel], parameters: Dict[str, Any]) -> ParsedParameters:
    """Return the parameters as the model of their action understands them.

    They are read as JSON, so that a strict model takes a date from a string and a tuple from a list. Where the model
    writes them in another way than they were given, what it writes is read once more, since that is what will run: it
    has to be the same. Raises pydantic's ValidationError where the model refuses them, ParameterError where it makes
    something of them that JSON cannot hold, as of "inf", or one key of two, UnusableModelError where it is at fault
    itself.
    """
    value = _read(model, parameters)
    _check_keys(model, parameters, value)
    written = _write(value)
    if canonical_json(written) == canonical_json(parameters):
        return ParsedParameters(value, written)
    try:
        again = _read(model, written)
    except ValidationError:
        raise UnusableModelError("does not read what it writes") from None
    if not _says_the_same(again, value) or canonical_json(_write(again)) != canonical_json(written):
        raise UnusableModelError("does not read what it writes: its JSON, read again, is another value")
    return ParsedParameters(again, written)


def parameter_names(model: Type[BaseModel]) -> List[str]:
    """Return all names that the parameters may have where they are written."""
    return list(dict.fromkeys(alias for name, field in model.model_fields.items() for alias in _written(name, field)))


def _written(name: str, field: FieldInfo) -> List[str]:
    """Return the names that a field may have where it is written."""
    aliases = field.validation_alias
    choices = aliases.choices if isinstance(aliases, AliasChoices) else [aliases or name]
    found = [choice.path[0] if isinstance(choice, AliasPath) else choice for choice in choices]
    return list(map(str, (*found, field.alias or name)))


def _read(model: Type[BaseModel], parameters: Dict[str, Any]) -> BaseModel:
    try:
        return model.model_validate_json(canonical_json(parameters))
    except ValidationError:
        raise
    except Exception as error:  # noqa: BLE001 - it is third-party code
        raise UnusableModelError(f"raises {describe_error(error)}") from None


def _write(value: BaseModel) -> Dict[str, Any]:
    try:
        written: Any = value.model_dump(mode="json", by_alias=True, warnings=False)
        if is_object(written) and _has_sets(type(value)):
            _sort_sets(written, value.model_dump(by_alias=True, warnings=False))
    except Exception as error:  # noqa: BLE001 - it is third-party code
        raise UnusableModelError(f"raises {describe_error(error)} where it writes them") from None
    if not is_object(written):
        raise UnusableModelError("does not write a JSON object")
    try:
        return freeze_object(written)
    except NotJsonError as error:
        raise ParameterError(error.path, str(error.args[1])) from None


def _says_the_same(again: BaseModel, value: BaseModel) -> bool:
    """Return whether what was given is still there; a default need not be of the type that it is read as."""
    try:
        return all(getattr(again, field) == getattr(value, field) for field in value.model_fields_set)
    except Exception as error:  # noqa: BLE001 - it is third-party code
        raise UnusableModelError(f"raises {describe_error(error)} where it is compared") from None


def _check_keys(model: Type[BaseModel], parameters: Dict[str, Any], value: BaseModel) -> None:
    """Raise ParameterError if keys of an object mean the same to the model, as "80" and "080" as numbers."""
    pending: List[Tuple[Any, Any, Tuple[Any, ...]]] = []
    if key_rules(model).converts_keys:
        pending.append((parameters, value, ()))
    while pending:
        given, kept, path = pending.pop()
        while isinstance(kept, RootModel):
            kept = cast("Any", kept).root
        if is_object(given) and is_object(kept) and len(kept) < len(given):
            message = f"has keys that mean the same: of {len(given):,} given, {len(kept):,} would be left"
            raise ParameterError(path, message)
        pending += [(given[at], inner, (*path, at)) for at, inner in _matched(given, kept)]


def _matched(given: Any, kept: Any) -> Sequence[Tuple[Any, Any]]:
    """Return the keys or positions in what was given, with what became of the values there, as far as that is clear."""
    if is_list(given) and _is_sequence(kept) and len(given) == len(kept):
        return list(enumerate(kept))
    if not is_object(given):
        return []
    if is_object(kept):  # the order is kept, also where keys are converted
        in_order = zip(given, kept) if len(given) == len(kept) else ()
        return [(key, kept[key if key in kept else other]) for key, other in in_order]
    fields: Dict[str, FieldInfo] = getattr(cast("object", kept).__class__, "model_fields", {})
    names = {alias: name for name, field in fields.items() for alias in (*_written(name, field), name)}
    return [(key, getattr(kept, names.get(str(key), str(key)), None)) for key in given]


def _is_sequence(value: object) -> TypeGuard[Sequence[Any]]:
    return isinstance(value, Sequence)  # a deque is one, too


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
            target[:] = sorted(target, key=canonical_json)
        elif is_list(target) and is_list(source):
            pending += zip(target, source)
