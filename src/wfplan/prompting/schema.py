"""The JSON schema of an answer, for the structured output of a model."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any, Container, Dict, List, Mapping, NamedTuple, Optional, Sequence, Type

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema

from wfplan._internal.messages import quote
from wfplan.catalog.actions import Catalog, as_catalog
from wfplan.catalog.parameters import parameter_names
from wfplan.intake import read
from wfplan.problems import ProblemCollector, RefusedError, refusal

__all__ = ["DescribedAction", "describe_actions", "recommendation_schema"]

_Schema = Dict[str, Any]

# The first three are limits of OpenAI, the last one is Anthropic's.
_LIMITS = {"properties": 5_000, "characters in names and enum values": 120_000, "enum values": 1_000, "unions": 16}
_LEVELS_OF_A_PARAMETER = 4  # of ten (OpenAI); six are around it
_LONGEST_ENUM = 250  # OpenAI bounds the characters of a longer one
_TYPES = frozenset("array boolean integer null number string".split())
_FORMATS = frozenset("date-time time date duration email hostname ipv4 ipv6 uuid".split())


class DescribedAction(NamedTuple):
    """An action of a catalog, as it is described to a model."""

    name: str
    description: str  # the docstring of the model of its parameters
    json_schema: str  # of its parameters; empty if it takes none
    strict: Optional[_Schema]  # the same for strict modes; None unless the parameters are flat


def recommendation_schema(catalog: Catalog | None = None) -> Dict[str, Any]:
    """Return the JSON schema of `{"recommendations": [...]}`, for the structured output of a model.

    It keeps to what the strict modes of OpenAI, Anthropic and Gemini all accept:

    - All properties are required and no others allowed (OpenAI, Anthropic). What cannot be said is null, by `anyOf`:
      the older of Gemini's two interfaces refuses a list of types, and anything beside `anyOf`.
    - No bounds (Anthropic), no default, `oneOf`, `allOf` or `not` (OpenAI), no `$ref`, `const` or title (Gemini).
      Descriptions state what these would, and `read` checks it.
    - No object with keys of any name (OpenAI): without a catalog, `parameters` is a list of names and values.

    A model writes the fields in the order of `required`: first what the later ones follow from.

    With a catalog, `action` holds an action and its parameters, `{"action": {"scale": {"replicas": 3}}}`, in a branch
    for each action; the action is the key since branches must not share their first key (OpenAI). Flat parameters
    (single values, and lists of them) have a schema of their own, as long as the limits of the providers last; an
    action without parameters takes null, any other one string that holds its parameters as JSON.

    Args:
        catalog: The actions to choose from. None leaves the action open.

    Returns:
        A new dictionary at each call.

    Raises:
        ValueError: The catalog is invalid, empty or too large, or `read` would take an action in it for a field.

    >>> schema = recommendation_schema()
    >>> schema["properties"]["recommendations"]["items"]["required"]
    ['id', 'action', 'description', 'parameters', 'dependencies', 'confidence']
    """
    description = _string("What this does, why, and what must finish first, in one or two sentences.")
    if catalog is not None:
        around = _answer(description=description, action={"anyOf": []})
        branches = _branches(describe_actions(catalog), _size(around))
        return _answer(description=description, action={"anyOf": branches})
    pair = _object(
        "One parameter.",
        name=_string("Name of the parameter, at most once in a recommendation."),
        value=_string('Its value as a string, even if it is a number or a truth value: "5", "true".'),
    )
    return _answer(
        action=_string("What to do. If you were given names for actions, one of them."),
        description=description,
        parameters=_list("What the action needs to know; empty if nothing.", pair),
    )


def _answer(**fields: _Schema) -> _Schema:
    """Return the schema of an answer whose recommendations have these fields, between `id` and `dependencies`."""
    sure = {"type": "number", "description": "From 0 to 1: how sure you are; null if you cannot say."}
    recommendation = _object(
        "One thing to do. Never state an execution mode (parallel, sequential): it is derived from the dependencies.",
        id=_string('Unique in this answer, 1 to 128 characters, such as "rec-001".'),
        **fields,
        dependencies=_list(
            "The recommendations that must finish before this one may start; empty if there are none. Only ids of "
            "other recommendations in this answer, each at most once. No cycles: a recommendation must not depend on "
            "itself, directly or through others.",
            _string("The id of another recommendation in this answer."),
        ),
        confidence={"anyOf": [sure, {"type": "null"}]},
    )
    recommendations = _list("What you propose to do; empty if nothing needs to be done.", recommendation)
    return _object("The whole answer.", recommendations=recommendations)


def describe_actions(catalog: Catalog) -> List[DescribedAction]:
    """Return the actions of a catalog, in its order. Raise RefusedError if no model could answer with it."""
    problems = ProblemCollector()
    actions = as_catalog(catalog, problems)
    if actions is None:
        raise RefusedError(problems.as_tuple())
    if not actions:
        raise refusal("the catalog is empty", "add the actions that a model may recommend")
    for name in actions:
        # The reader itself is asked, so that the two cannot disagree on the names of fields.
        if not read([{"id": "1", "action": {name: None}}], strict=True).ok:
            raise refusal(
                f"in an answer, {quote(name)} would be read as a field of a recommendation, not as an action",
                "rename the action in the catalog",
            )
    return [_describe(name, action.parameters) for name, action in actions.items()]


def _describe(name: str, model: Type[BaseModel] | None) -> DescribedAction:
    if model is None:
        return DescribedAction(name, "", "", None)
    try:
        schema: _Schema = model.model_json_schema(schema_generator=_ParametersSchema)
    except Exception:  # noqa: BLE001 - a type without a schema, or third-party code that fails
        schema = {"type": "object", "properties": {key: {} for key in parameter_names(model)}}
    description = schema.pop("description", "")
    if schema.get("type") == "object" and not schema.get("properties") and schema.get("additionalProperties") is False:
        return DescribedAction(name, description, "", None)
    return DescribedAction(name, description, _to_json(schema), _strict_parameters(schema))


class _ParametersSchema(GenerateJsonSchema):
    """Leaves out titles that repeat names and defaults that JSON cannot hold, and gives a default set an order."""

    ignored_warning_kinds = {"skipped-choice", "non-serializable-default"}  # noqa: RUF012 - as pydantic declares it

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ARG002 - as pydantic calls it
        return False

    def encode_default(self, dft: Any) -> Any:
        encoded = super().encode_default(dft)
        return sorted(encoded, key=_to_json) if isinstance(dft, (set, frozenset)) else encoded


def _branches(actions: Sequence[DescribedAction], size: Counter[str]) -> List[_Schema]:
    """Return the schema of `{action: parameters}` for each action; all of them fit into one of this size."""
    branches = [_branch(action) for action in actions]
    size = sum(map(_size, branches), size)
    if _excess(size):
        raise refusal(f"the schema of this catalog would have {_excess(size)}", "ask with fewer actions at a time")
    for position, action in enumerate(actions):
        branch = _branch(action, action.strict)
        larger = size - _size(branches[position]) + _size(branch)
        if not _excess(larger):
            branches[position], size = branch, larger
    return branches


def _branch(action: DescribedAction, parameters: _Schema | None = None) -> _Schema:
    """Return the schema of `{action: parameters}`: without a schema, parameters are one string."""
    if not action.json_schema:
        parameters = {"type": "null", "description": "It takes no parameters."}
    elif parameters is None:
        parameters = _string(f"A string that holds its parameters as JSON, of the JSON schema {action.json_schema}")
    return _object(action.description or action.name, **{action.name: parameters})


def _excess(size: Counter[str]) -> str:
    over = (what for what, limit in _LIMITS.items() if size[what] > limit)
    return ", ".join(f"{size[what]:,} {what} (at most {_LIMITS[what]:,} are possible)" for what in over)


def _size(schema: _Schema) -> Counter[str]:
    """Count what the providers limit."""
    names, values, choices = schema.get("properties", {}), schema.get("enum", ()), schema.get("anyOf", ())
    counts = (len(names), sum(map(len, (*names, *values))), len(values), int("anyOf" in schema))
    inner = [*names.values(), *choices, *([schema["items"]] if "items" in schema else ())]
    return sum(map(_size, inner), Counter(dict(zip(_LIMITS, counts))))


def _strict_parameters(schema: _Schema) -> _Schema | None:
    """Return the schema of parameters for strict modes, or None if they are not flat."""
    definitions = {f"#/$defs/{name}": part for name, part in schema.get("$defs", {}).items()}
    if not schema.get("properties") or schema.get("additionalProperties"):
        return None
    try:
        parameters = {name: _strict(part, definitions) for name, part in schema["properties"].items()}
    except Exception:  # noqa: BLE001 - not flat, or written by hand, and then it may hold anything
        return None
    return _object("Its parameters.", **parameters)


def _strict(given: _Schema, definitions: Mapping[str, _Schema], levels: int = _LEVELS_OF_A_PARAMETER) -> _Schema:
    """Return the strict schema of a flat parameter, with what it cannot state in its description."""
    node = _inline(given, definitions)
    if "anyOf" in node:
        first, *others = node.pop("anyOf")
        choices = [{**_inline(first, definitions), **node}, *others]  # nothing may stand beside `anyOf`
        return {"anyOf": [_strict(choice, definitions, levels - 1) for choice in choices]}
    kind, values = node["type"], [node["const"]] if "const" in node else node.get("enum", [])
    own = {"format": node["format"]} if node.get("format") in _FORMATS else {}
    if levels < 1 or kind not in _TYPES:
        raise ValueError(kind)
    if kind == "array":
        own["items"] = _strict(node["items"], definitions, levels - 1)
    if kind == "string" and values and all(values) and len(values) <= _LONGEST_ENUM:  # Gemini: no empty value
        own["enum"] = list(values)
    return {"type": kind, **_described(node, {*own, "type", "description", "title", "const"}), **own}


def _inline(node: _Schema, definitions: Mapping[str, _Schema]) -> _Schema:
    """Return a schema with what it refers to in its place; what stands beside the reference counts more."""
    inner = node["allOf"][0] if len(node.get("allOf", ())) == 1 else node  # as older versions of pydantic refer
    own = {key: value for key, value in node.items() if key not in ("allOf", "$ref")}
    return {**(definitions[inner["$ref"]] if "$ref" in inner else inner), **own}


def _described(node: _Schema, stated: Container[str]) -> _Schema:
    """Return the description of a value, with bounds, default and whatever else is not `stated` in its schema."""
    notes = ", ".join(f"{key} {_to_json(value)}" for key, value in node.items() if key not in stated)
    description = node.get("description", "")
    words = f"{description} ({notes})" if description and notes else description or notes
    return {"description": words} if words else {}


def _object(description: str, /, **properties: _Schema) -> _Schema:
    return {
        "type": "object",
        "description": description,
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _list(description: str, items: _Schema) -> _Schema:
    return {"type": "array", "description": description, "items": items}


def _string(description: str) -> _Schema:
    return {"type": "string", "description": description}


def _to_json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
