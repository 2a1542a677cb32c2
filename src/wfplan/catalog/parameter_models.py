"""Check that a model of parameters refuses unknown keys, at any depth."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Dict, List, Mapping, NamedTuple, Tuple, Type

from pydantic import BaseModel

from wfplan._internal.json import is_list, is_object
from wfplan._internal.messages import quote

__all__ = ["KeyRules", "LooseModel", "key_rules"]


class LooseModel(NamedTuple):
    """A model that takes what it does not know."""

    sentence: str
    """The end of a sentence that begins with the parameters."""
    suggestion: str
    """The line to add."""


class KeyRules(NamedTuple):
    """What a model of parameters, with every model in it, does with keys."""

    loose: Tuple[LooseModel, ...]
    """The models that do not forbid unknown keys."""
    converts_keys: bool
    """Whether there is a mapping whose keys are converted, so that two may become one."""


class _Place(NamedTuple):
    """A node of pydantic's core schema, and what holds around it."""

    node: Any
    label: str
    owner: str
    line: str
    config: Mapping[str, Any]


_IN_MODEL = 'model_config = ConfigDict(extra="forbid")'
_IN_DATACLASS = '__pydantic_config__ = ConfigDict(extra="forbid")'
_ON_TYPED_DICT = '@with_config(ConfigDict(extra="forbid"))'
_ON_PYDANTIC_DATACLASS = '@dataclass(config=ConfigDict(extra="forbid"))'

_NO_SCHEMAS = frozenset(("metadata", "serialization", "default", "config", "expected", "members", "python_schema"))
"""Keys of a node under which there is no schema by which JSON is read."""

_CONVERSIONS = ("strip_whitespace", "to_lower", "to_upper")


@lru_cache(maxsize=1024)
def key_rules(model: Type[BaseModel]) -> KeyRules:
    """Return what `model` does with keys, from the schema that pydantic validates by.

    Raises whatever pydantic raises for a model that cannot be built.
    """
    model.model_rebuild()  # does nothing but for one that is not built yet
    loose: Dict[LooseModel, None] = {}
    converts_keys = False
    pending = [_Place(model.__pydantic_core_schema__, "", model.__name__, _IN_MODEL, {})]
    while pending:
        place = pending.pop()
        if is_object(place.node) and isinstance(place.node.get("type"), str):
            place = _inside(place)
            loose.update(dict.fromkeys(_looseness(place)))
            converts_keys = converts_keys or _converts_keys(place)
        pending += _below(place)
    return KeyRules(tuple(sorted(loose)), converts_keys)


def _inside(place: _Place) -> _Place:
    """Return the place with what holds inside its node: models and dataclasses have a configuration of their own."""
    node, kind = place.node, place.node["type"]
    config = node.get("config")
    if kind == "typed-dict":
        config = place.config if config is None else config
        name = getattr(node.get("cls"), "__name__", config.get("title", "TypedDict"))
        return place._replace(owner=str(name), line=_ON_TYPED_DICT, config=config)
    if kind not in ("model", "dataclass"):
        return place
    line = _IN_MODEL
    if kind == "dataclass":
        own = "__pydantic_validator__" in vars(node["cls"])
        line = _ON_PYDANTIC_DATACLASS if own else _IN_DATACLASS
    return place._replace(owner=node["cls"].__name__, line=line, config=config or {})


def _looseness(place: _Place) -> List[LooseModel]:
    """Return why something that is given could vanish at this node."""
    node, kind, owner = place.node, place.node["type"], quote(place.owner)
    if kind in ("model-fields", "dataclass-args", "typed-dict"):
        extra = node.get("extra_behavior") or place.config.get("extra_fields_behavior") or "ignore"
        if extra != "forbid":
            does = "takes any key" if extra == "allow" else "passes over keys that it does not know"
            return [LooseModel(f"are checked by {owner}, which {does}", f"add to {owner}: {place.line}")]
    if kind.endswith("-field") and any(len(path) > 1 for path in _alias_paths(node)):
        field = str(node.get("name", place.label))
        message = f"are checked by {owner}, whose field {quote(field)} reads a part of another value, by an AliasPath"
        return [LooseModel(message, "give that value a model of its own: what else is in it would be passed over")]
    return []


def _alias_paths(node: Any) -> List[Any]:
    """Return the paths by which a field is read, where they are known as such."""
    alias = node.get("validation_alias")
    if not is_list(alias):
        return []
    return list(alias) if alias and is_list(alias[0]) else [alias]


def _converts_keys(place: _Place) -> bool:
    """Return whether this node is a mapping in which a key may be kept as another string."""
    keys = place.node.get("keys_schema")
    if keys is None or keys["type"] == "any":
        return False
    converted = any(keys.get(how) or place.config.get(f"str_{how}") for how in _CONVERSIONS)
    return bool(converted or keys["type"] != "str")


def _below(place: _Place) -> List[_Place]:
    """Return everything in a node, or in a list or mapping of nodes."""
    if is_object(place.node):
        is_node = isinstance(place.node.get("type"), str)
        return [
            place._replace(node=node, label=str(key))
            for key, node in place.node.items()
            if not (is_node and key in _NO_SCHEMAS)
        ]
    return [place._replace(node=node) for node in place.node] if is_list(place.node) else []
