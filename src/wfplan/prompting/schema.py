"""The JSON schema of an answer, for the structured output of a model."""

from __future__ import annotations

import json
from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Tuple, Type

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema

from wfplan.action_parameters import parameter_names
from wfplan.catalog import Catalog, as_catalog
from wfplan.intake.items import means_a_field
from wfplan.json_values import is_list, is_object
from wfplan.models import Recommendation
from wfplan.names import quote
from wfplan.problems import ProblemList

__all__ = ["DescribedAction", "describe_actions", "recommendation_schema"]

_MOST_PROPERTIES = 5_000  # OpenAI
_MOST_CHARACTERS = 120_000  # of names and enum values, OpenAI
_MOST_UNIONS = 14  # of sixteen unions (Anthropic), `action` and `confidence` are two
_MOST_VALUES = 250
_LONGEST_SHOWN = 200
_ID = 'Unique in this answer, 1 to 128 characters, such as "rec-001".'

_KINDS = {"string": "string", "boolean": "true or false", "integer": "whole number", "number": "number", "null": "null"}
_BOUNDS: Mapping[str, str] = {
    "minimum": "at least {}",
    "exclusiveMinimum": "more than {}",
    "maximum": "at most {}",
    "exclusiveMaximum": "less than {}",
    "multipleOf": "a multiple of {}",
    "minLength": "length at least {}",
    "maxLength": "length at most {}",
    "minItems": "length at least {}",
    "maxItems": "length at most {}",
    "pattern": "matching {}",
    "format": "format {}",
    "default": "default: {}",
}
"""What strict modes do not take, or not all of them, in words."""


class DescribedAction(NamedTuple):
    """An action of a catalog, as it is described to a model; the description is that of its parameters' model."""

    name: str
    description: str
    parameters: Tuple[str, ...]
    """Each in words; none, if it takes none."""
    schema: Optional[Dict[str, Any]]
    """The schema of its parameters, if the model is flat: single values, and lists of them."""


def recommendation_schema(catalog: Catalog | None = None) -> Dict[str, Any]:
    """Return the JSON schema of `{"recommendations": [...]}`, for the structured output of a model.

    It keeps to what the strict modes of OpenAI, Anthropic and Gemini all accept:

    - All properties are required and no others allowed. What cannot be said is null, by `anyOf`.
    - No bounds, no default, no `oneOf`, `allOf`, `not`, `const`, `$ref` or title: descriptions say it, and `read` checks.
    - No free object: `parameters` is a list of names and values.

    A model writes the fields in the order of `required`, and what it has written bears on what it writes next.

    With a catalog, `action` is `{action: parameters}`, with a branch for each action. An action whose model is flat has
    a schema of its own parameters there, one without parameters has null; any other takes one string that holds its
    parameters as JSON.

    Args:
        catalog: The actions that there are; None leaves the action open.

    Returns:
        A new schema at each call.

    Raises:
        ValueError: The catalog is invalid, empty or too large, or an action has the name of a field.

    >>> schema = recommendation_schema()
    >>> schema["properties"]["recommendations"]["items"]["required"]
    ['id', 'action', 'description', 'parameters', 'dependencies', 'confidence']
    >>> from wfplan import Action
    >>> item = recommendation_schema({"verify": Action()})["properties"]["recommendations"]["items"]
    >>> item["required"], item["properties"]["action"]["anyOf"][0]["required"]
    (['id', 'description', 'action', 'dependencies', 'confidence'], ['verify'])
    """
    description = _string("What this does here, why, and what has to be finished before, in a sentence or two.")
    dependencies = _list(
        "Those that have to be finished before this one may start; empty if none. Only ids of other recommendations in "
        "this answer, each at most once, and no cycles: none depends on itself, directly or by way of others.",
        _string("The id of another recommendation in this answer."),
    )
    sure = {"type": "number", "description": "From 0 to 1: how sure you are; null if you cannot say."}
    confidence = {"anyOf": [sure, {"type": "null"}]}
    if catalog is not None:
        fields = {"id": _string(_ID), "description": description, "action": {"anyOf": _branches(describe_actions(catalog))}}
    else:
        pair = _object(
            "One parameter.",
            name=_string("Name of the parameter; no other of this recommendation has it."),
            value=_string('Its value as a string, a number or truth value too: "5", "true".'),
        )
        action = _string("What to do, by the name that was given for it, if one was given.")
        fields = {"id": _string(_ID), "action": action, "description": description}
        fields["parameters"] = _list("What the action needs to know; empty if nothing.", pair)
    recommendation = _object(
        "One thing to do. Never state an execution mode (parallel, sequential): it is derived from the dependencies.",
        **fields,
        dependencies=dependencies,
        confidence=confidence,
    )
    every = _list("Empty if nothing has to be done.", recommendation)
    return _object("What is proposed to be done.", recommendations=every)


def describe_actions(catalog: Catalog) -> List[DescribedAction]:
    """Return the actions of a catalog, in its order. Raise ValueError if no model could answer with it."""
    problems = ProblemList()
    actions = as_catalog(catalog, problems)
    if actions is None:
        raise ValueError("; ".join(problem.message for problem in problems.listed()))
    if not actions:
        raise ValueError("the catalog is empty: there is nothing that a model could recommend")
    taken = [name for name in actions if means_a_field(name, Recommendation.model_fields)]
    if taken:
        raise ValueError(
            f"in an answer, {quote(taken[0])} would be read as a field of a recommendation, not as an action: "
            "give the action another name in the catalog"
        )
    return [_describe(name, action.parameters) for name, action in actions.items()]


def _branches(actions: List[DescribedAction]) -> List[Dict[str, Any]]:
    """Return the schema of `{action: parameters}` for each action, flat ones as long as the providers' limits last."""
    unions = 0
    branches: List[Dict[str, Any]] = []
    for action in actions:
        schema = action.schema
        inner = [] if schema is None else list(schema["properties"].values())
        more = sum("anyOf" in each for each in inner)
        fits = schema is not None and unions + more <= _MOST_UNIONS
        unions += more if fits else 0
        branches.append(_object(action.description, **{action.name: schema if schema and fits else _least(action)}))
    if not _fit(branches):
        branches = [_object(action.description, **{action.name: _least(action)}) for action in actions]
    if not _fit(branches):
        raise ValueError(f"{len(actions):,} actions are too many for any schema: ask with fewer actions at a time")
    return branches


def _fit(branches: List[Dict[str, Any]]) -> bool:
    inner = [schema for branch in branches for schema in branch["properties"].values()]
    names = [name for each in (*branches, *inner) for name in each.get("properties", ())]
    fields = [field for each in inner for field in each.get("properties", {}).values()]
    values = [value for field in fields for value in field.get("enum", ())]
    characters = sum(map(len, names)) + sum(map(len, values))
    return len(names) < _MOST_PROPERTIES - 20 and characters < _MOST_CHARACTERS - 1_000 and len(values) <= 1_000


def _least(action: DescribedAction) -> Dict[str, Any]:
    """Return what an action takes where its parameters have no schema of their own."""
    if not action.parameters:
        return {"type": "null", "description": "It takes no parameters."}
    return _string(f"A string that holds its parameters as one JSON object: {'; '.join(action.parameters)}")


class _Silent(GenerateJsonSchema):
    """Makes no warning of a default that JSON cannot hold: there, none is described."""

    ignored_warning_kinds = {"skipped-choice", "non-serializable-default"}  # noqa: RUF012 - as pydantic declares it


def _describe(name: str, model: Optional[Type[BaseModel]]) -> DescribedAction:
    if model is None:
        return DescribedAction(name, "", (), None)
    try:
        raw = model.model_json_schema(schema_generator=_Silent)
    except Exception:  # noqa: BLE001 - a third-party type without a schema
        return DescribedAction(name, "", tuple(quote(key, len(key)) for key in parameter_names(model)), None)
    definitions = {f"#/$defs/{key}": part for key, part in raw.get("$defs", {}).items()}
    fields = {key: _resolve(part, definitions) for key, part in raw.get("properties", {}).items()}
    required = raw.get("required", ())
    words = tuple(_in_words(key, field, needed=key in required) for key, field in fields.items())
    if not fields and (raw.get("type") != "object" or raw.get("additionalProperties")):
        words = ("a JSON value" if raw.get("type") != "object" else "keys of any name",)
    flat = {key: _flat(field) for key, field in fields.items()}
    is_flat = bool(flat) and None not in flat.values() and not raw.get("additionalProperties")
    schema = _object("", **{key: field for key, field in flat.items() if field is not None}) if is_flat else None
    return DescribedAction(name, raw.get("description", ""), words, schema)


def _resolve(node: Dict[str, Any], definitions: Mapping[str, Dict[str, Any]]) -> Dict[str, Any]:
    """Return a field with what it refers to in its place, as far as that is a single value."""
    parts = node.get("allOf", ())
    inner = definitions.get(str(node.get("$ref")), {}) if "$ref" in node else parts[0] if len(parts) == 1 else None
    if inner is None:
        return node
    resolved = definitions.get(str(inner.get("$ref")), inner)
    return {**resolved, **{key: value for key, value in node.items() if key not in ("$ref", "allOf")}}


def _flat(node: Dict[str, Any], notes: str = "") -> Dict[str, Any] | None:
    """Return the schema of a single value, of one that may be null, or of a list of such; None for anything else."""
    words = "; ".join(filter(None, (node.get("description", ""), notes or _notes(node))))
    choices = node.get("anyOf", ())
    if choices:
        one = [choice for choice in choices if choice.get("type") != "null"]
        inner = _flat({**one[0], "description": words}) if len(one) == 1 < len(choices) else None
        return None if inner is None or "anyOf" in inner else {"anyOf": [inner, {"type": "null"}]}
    described = {"description": words} if words else {}
    kind = node.get("type")
    if kind == "array" and is_object(node.get("items")) and "prefixItems" not in node:
        items = _flat(node["items"])
        return None if items is None or items.get("type") == "array" else {"type": "array", **described, "items": items}
    values = [node["const"]] if "const" in node else node.get("enum", [])
    if any(not isinstance(value, str) or not value for value in values) or len(values) > _MOST_VALUES:
        return None
    return {"type": kind, **described, **({"enum": list(values)} if values else {})} if kind in _KINDS else None


def _in_words(name: str, node: Dict[str, Any], *, needed: bool) -> str:
    """Return a parameter in words: what it may be, within which bounds, and what it is for."""
    kinds = [_KINDS.get(str(each.get("type")), "JSON value") for each in node.get("anyOf", [node])]
    values = node.get("enum") or ([node["const"]] if "const" in node else [])
    kind = "one of " + ", ".join(map(_show, values)) if values else " or ".join(dict.fromkeys(kinds))
    if node.get("type") == "array" and is_object(node.get("items")):
        kind = f"list of {_KINDS.get(str(node['items'].get('type')), 'JSON value')}s"
    optional = "" if needed or "default" in node else "may be left out"
    said = ", ".join(filter(None, (kind, _notes(node), optional)))
    described = " ".join(str(node.get("description", "")).split())
    return f"{quote(name, len(name))} ({said})" + (f": {described}" if described else "")


def _notes(node: Dict[str, Any]) -> str:
    """Return the bounds and the default of a value in words."""
    return ", ".join(words.format(_show(node[key])) for key, words in _BOUNDS.items() if key in node)


def _show(value: Any) -> str:
    whole = int(value) if isinstance(value, float) and value.is_integer() else value
    text = json.dumps(sorted(whole, key=str) if is_list(whole) else whole, ensure_ascii=False, default=str)
    return text if len(text) <= _LONGEST_SHOWN else text[: _LONGEST_SHOWN - 3] + "..."


def _object(description: str, /, **properties: Dict[str, Any]) -> Dict[str, Any]:
    described = {"description": description} if description else {}
    kind = {"type": "object", **described, "properties": properties}
    return {**kind, "required": list(properties), "additionalProperties": False}


def _list(description: str, items: Dict[str, Any]) -> Dict[str, Any]:
    return {"type": "array", "description": description, "items": items}


def _string(description: str) -> Dict[str, Any]:
    return {"type": "string", "description": description}
