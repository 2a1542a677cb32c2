"""What a catalog allows, as a model is told it: a branch of a JSON schema for each action, and each action in words."""

from __future__ import annotations

import json
from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Sequence, Tuple, Type

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema

from wfplan.action_parameters import parameter_names
from wfplan.catalog import Catalog, as_catalog
from wfplan.intake.parameter_pairs import means_a_field
from wfplan.json_values import is_list, is_object
from wfplan.models import Recommendation
from wfplan.names import quote
from wfplan.problems import Problem, ProblemList

__all__ = ["DescribedAction", "action_branches", "closed_object", "describe_actions", "on_one_line", "quote_whole"]

_VALUE_LEVEL = 6  # of document, list, item, action, branch, and then the parameters
_MOST_LEVELS = 10
_MOST_LEVELS_TOLD = 6
_LONGEST_SHOWN = 200
_LONG_ENUM = (250, 15_000)  # an enum of more values than this may have no more characters than that

_TYPES: Mapping[type, str] = {
    str: "string",
    bool: "boolean",
    int: "integer",
    float: "number",
    type(None): "null",
}
_WORDS = {
    "string": "text",
    "boolean": "true or false",
    "integer": "whole number",
    "number": "number",
    "null": "null",
}
"""The types of single values, and what they are called."""

_FORMATS = frozenset("date-time time date duration email hostname ipv4 ipv6 uuid".split())
"""Those that strict modes know."""

_BOUNDS = {
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
}
"""What strict modes do not take, or not all of them, in words."""


class DescribedAction(NamedTuple):
    """An action of a catalog, as far as it can be told."""

    name: str
    description: str
    """What the model of its parameters says of itself."""
    parameters: Tuple[str, ...]
    """Each in words; none, if it takes none."""
    strict: Optional[Dict[str, Any]]
    """The schema of its parameters; None, if no strict mode would take one, or if there are none."""


def describe_actions(catalog: Catalog) -> List[DescribedAction]:
    """The actions of a catalog, in its order; raises ValueError if it is none, or if nobody could answer with it."""
    problems = ProblemList()
    actions = as_catalog(catalog, problems)
    if actions is None:
        raise ValueError("; ".join(map(_in_full, problems.listed())))
    if not actions:
        raise ValueError("the catalog is empty: there is nothing that a model could recommend")
    taken = [name for name in actions if means_a_field(name, Recommendation.model_fields)]
    if taken:
        raise ValueError(
            f"in an answer, {quote(taken[0])} would be taken for a field of a recommendation, not for an action: "
            "give the action another name in the catalog"
        )
    return [_describe(name, action.parameters) for name, action in actions.items()]


def _in_full(problem: Problem) -> str:
    return f"{problem.message} ({problem.suggestion})" if problem.suggestion else problem.message


def action_branches(actions: Sequence[DescribedAction], around: Dict[str, Any]) -> List[Dict[str, Any]]:
    """The schema of `{action: parameters}` for each action, so that all of them fit into the schema around them.

    Each is allowed its least at first: null where it takes no parameters, else one text with all of them. Then one
    after the other is given the schema of its own parameters, as long as the limits of the providers last. Raises
    ValueError if not even the least of all is within them.
    """
    branches = [_branch(action, _least(action)) for action in actions]
    size = sum((_size_of(branch) for branch in branches), _size_of(around))
    exceeded = size.exceeded()
    if exceeded is not None:
        raise ValueError(f"the schema of this catalog would have {exceeded}: ask with fewer actions at a time")
    for position, action in enumerate(actions):
        if action.strict is not None:
            better = _branch(action, action.strict)
            changed = size + _size_of(better) - _size_of(branches[position])
            if changed.exceeded() is None:
                branches[position], size = better, changed
    return branches


def closed_object(properties: Dict[str, Dict[str, Any]], description: str = "") -> Dict[str, Any]:
    """The schema of an object with just these properties."""
    return {
        "type": "object",
        **_described(description),
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def quote_whole(name: str) -> str:
    """A name in quotes, however long it is: it has to be repeated."""
    return quote(name, len(name))


def on_one_line(text: str) -> str:
    """A text of several lines as one."""
    return " ".join(text.split())


def _branch(action: DescribedAction, parameters: Dict[str, Any]) -> Dict[str, Any]:
    return closed_object({action.name: parameters}, action.description)


def _least(action: DescribedAction) -> Dict[str, Any]:
    """What an action is given where nothing else is possible.

    An object that has to be empty is refused by a strict mode, so there is null for it. One text can hold what no
    strict schema can say: any keys, any values, any depth.
    """
    if not action.parameters:
        return {"type": "null", "description": "It takes no parameters."}
    told = "; ".join(action.parameters)
    return {"type": "string", "description": f"A text that holds its parameters as one JSON object: {told}"}


class _Size:
    """How much of what providers limit a schema has."""

    def __init__(self, amounts: Sequence[int]) -> None:
        self._amounts = amounts

    def exceeded(self) -> str | None:
        """What there is too much of, if there is."""
        for amount, (most, noun) in zip(self._amounts, _LIMITS):
            if amount > most:
                return f"{amount:,} {noun}, and at most {most:,} are possible"
        return None

    def __add__(self, other: _Size) -> _Size:
        return _Size([one + two for one, two in zip(self._amounts, other._amounts)])

    def __sub__(self, other: _Size) -> _Size:
        return _Size([one - two for one, two in zip(self._amounts, other._amounts)])


_LIMITS = (
    (5_000, "properties"),  # OpenAI
    (120_000, "characters in names and enum values"),  # OpenAI
    (1_000, "enum values"),  # OpenAI
    (16, "unions"),  # Anthropic
)


def _size_of(schema: Dict[str, Any]) -> _Size:
    properties = characters = values = unions = 0
    pending = [schema]
    while pending:
        node = pending.pop()
        names, enum, choices = node.get("properties", {}), node.get("enum", ()), node.get("anyOf")
        properties += len(names)
        characters += sum(map(len, names)) + sum(map(len, enum))
        values += len(enum)
        unions += choices is not None
        pending += [*names.values(), *(choices or ()), *([node["items"]] if "items" in node else ())]
    return _Size((properties, characters, values, unions))


def _describe(name: str, model: Optional[Type[BaseModel]]) -> DescribedAction:
    if model is None:
        return DescribedAction(name, "", (), None)
    try:
        parts = _ModelSchema(model)
        told = () if parts.is_empty else parts.in_words()
        return DescribedAction(name, parts.description, told, parts.strict() if told else None)
    except Exception:  # noqa: BLE001 - it cannot be said, or is code of somebody else's that fails
        return DescribedAction(name, "", tuple(map(quote_whole, parameter_names(model))), None)


class _UnsayableError(Exception):
    """Something that no strict mode takes."""


class _Silent(GenerateJsonSchema):
    """Makes no warning of a default that JSON cannot hold: there, none is told."""

    ignored_warning_kinds = {"skipped-choice", "non-serializable-default"}  # noqa: RUF012 - as pydantic declares it


_Refs = Tuple[str, ...]
"""The references on the way to a schema: one that occurs again would go on for ever."""


class _ModelSchema:
    """The JSON schema that pydantic makes of a model, to be said in the words of strict modes and of people."""

    def __init__(self, model: Type[BaseModel]) -> None:
        raw = model.model_json_schema(schema_generator=_Silent)
        self._definitions: Dict[str, Any] = {f"#/$defs/{name}": part for name, part in raw.get("$defs", {}).items()}
        self._root, self._refs = self._resolve(raw, ())
        self._properties_left = _LIMITS[0][0]
        self.description: str = self._root.get("description", "")

    @property
    def is_empty(self) -> bool:
        """Whether nothing can be in it."""
        return (
            self._root.get("type") == "object"
            and not self._root.get("properties")
            and not self._root.get("additionalProperties", True)
        )

    def _resolve(self, node: Any, refs: _Refs) -> Tuple[Dict[str, Any], _Refs]:
        """The schema itself where there is a reference to it; what stands beside the reference counts more."""
        found = list(refs)
        while is_object(node):
            parts = node.get("allOf", ())
            if "$ref" in node:
                reference = str(node["$ref"])
                if reference in found or reference not in self._definitions:
                    break
                found.append(reference)
                inner = self._definitions[reference]
            elif len(parts) == 1:
                inner = parts[0]
            else:
                return node, tuple(found)
            node = {**inner, **{key: value for key, value in node.items() if key not in ("$ref", "allOf")}}
        raise _UnsayableError

    # For strict modes.

    def strict(self) -> Dict[str, Any] | None:
        """The schema of the parameters that all strict modes take; None if there is none."""
        try:
            made = self._strict({**self._root, "description": ""}, self._refs, _VALUE_LEVEL)
        except _UnsayableError:
            return None
        return made if "properties" in made else None

    def _strict(
        self, given: Any, refs: _Refs, level: int, description: str = "", notes: Sequence[str] = ()
    ) -> Dict[str, Any]:
        """A schema, with what cannot be in it told in its description.

        `description` and `notes` are what was said around it.
        """
        if level > _MOST_LEVELS:
            raise _UnsayableError
        node, refs = self._resolve(given, refs)
        description = description or node.get("description", "")
        notes = (*_notes(node), *notes)
        choices = _choices(node)
        if len(choices) > 1:
            return self._strict_union(choices, refs, level, description, notes)
        told = _tell(description, notes)
        if "properties" in node:
            return self._strict_object(node["properties"], refs, level, told)
        kind = node.get("type")
        if kind == "array" and "prefixItems" not in node:
            return {"type": kind, **_described(told), "items": self._strict(node.get("items"), refs, level + 1)}
        return _strict_value(node, description, notes)

    def _strict_union(
        self, choices: Sequence[Any], refs: _Refs, level: int, description: str, notes: Sequence[str]
    ) -> Dict[str, Any]:
        """A union, with what is said of it in its first branch that is not null: beside `anyOf` nothing may stand."""
        first = next((choice for choice in choices if choice.get("type") != "null"), None)
        branches = [
            self._strict(choice, refs, level + 1, description, notes)
            if choice is first
            else self._strict(choice, refs, level + 1)
            for choice in choices
        ]
        keys = [next(iter(branch["properties"])) for branch in branches if "properties" in branch]
        if len(set(keys)) < len(keys):
            raise _UnsayableError
        return {"anyOf": branches}

    def _strict_object(self, properties: Dict[str, Any], refs: _Refs, level: int, told: str) -> Dict[str, Any]:
        self._properties_left -= len(properties)
        if self._properties_left < 0 or not properties:
            raise _UnsayableError
        return closed_object(
            {name: self._strict(inner, refs, level + 1) for name, inner in properties.items()},
            told,
        )

    # For people, and for models that no schema holds.

    def in_words(self) -> Tuple[str, ...]:
        """The parameters, each in words."""
        return self._fields_in_words(self._root, self._refs, 1) or (self._in_words(self._root, self._refs, 1),)

    def _fields_in_words(self, node: Dict[str, Any], refs: _Refs, level: int) -> Tuple[str, ...]:
        required = node.get("required", ())
        return tuple(
            self._field_in_words(name, inner, refs, level, needed=name in required)
            for name, inner in node.get("properties", {}).items()
        )

    def _field_in_words(self, name: str, given: Dict[str, Any], refs: _Refs, level: int, *, needed: bool) -> str:
        words = self._in_words(given, refs, level)
        if not needed and "default" not in given:
            words += ", may be left out"
        description = given.get("description") or ""
        return f"{quote_whole(name)} ({words})" + (f": {on_one_line(description)}" if description else "")

    def _in_words(self, given: Any, refs: _Refs, level: int) -> str:
        """A value: what it may be, within which bounds."""
        try:
            node, refs = self._resolve(given, refs)
        except _UnsayableError:
            return "object like the one that it is in"
        form = f"format {node['format']}" if isinstance(node.get("format"), str) else ""
        return ", ".join(filter(None, (self._type_in_words(node, refs, level), form, *_notes(node))))

    def _type_in_words(self, node: Dict[str, Any], refs: _Refs, level: int) -> str:
        if level > _MOST_LEVELS_TOLD:
            return "a JSON value"
        kind = node.get("type")
        if "enum" in node or "const" in node:
            return _one_of(_values_of(node))
        choices = _choices(node)
        if choices:
            return " or ".join(_grouped(self._in_words(choice, refs, level + 1)) for choice in choices)
        if "properties" in node:
            return f"object with ({'; '.join(self._fields_in_words(node, refs, level + 1))})"
        if kind == "object":
            values = node.get("additionalProperties")
            inner = self._in_words(values, refs, level + 1) if is_object(values) else "any JSON value"
            return f"object with keys of any name, for each {_grouped(inner)}"
        if kind == "array":
            return self._list_in_words(node, refs, level + 1)
        return _WORDS.get(str(kind), "any JSON value")

    def _list_in_words(self, node: Dict[str, Any], refs: _Refs, level: int) -> str:
        if "prefixItems" in node:
            parts = [_grouped(self._in_words(part, refs, level)) for part in node["prefixItems"]]
            return f"list of {', then '.join(parts)}"
        return f"list of {_grouped(self._in_words(node.get('items', {}), refs, level))}"


def _choices(node: Dict[str, Any]) -> Sequence[Any]:
    """The alternatives of a union; of a set of values of several types, too."""
    choices: Sequence[Any] = node.get("anyOf", node.get("oneOf", ()))
    if choices or "enum" not in node:
        return choices
    groups: Dict[type, List[Any]] = {}
    for value in node["enum"]:
        groups.setdefault(value.__class__, []).append(value)
    if len(groups) < 2:
        return ()
    return [{"type": "null"} if group == [None] else {"enum": group} for group in groups.values()]


def _strict_value(node: Dict[str, Any], description: str, notes: Sequence[str]) -> Dict[str, Any]:
    """The schema of a value that is neither an object nor a list."""
    kind, values, said = node.get("type"), _values_of(node), {}
    if values:
        kind = _TYPES.get(values[0].__class__)
        if kind == "string" and _is_enum(values):
            said = {"enum": list(values)}
        elif kind != "null":
            notes = (_one_of(values), *notes)
    elif kind == "string" and node.get("format") in _FORMATS:
        said = {"format": node["format"]}
    elif "format" in node:
        notes = (f"format {node['format']}", *notes)
    if str(kind) not in _WORDS:
        raise _UnsayableError
    return {"type": kind, **_described(_tell(description, notes)), **said}


def _tell(description: str, notes: Sequence[str]) -> str:
    told = ", ".join(notes)
    return f"{description} ({told})" if description and told else description or told


def _values_of(node: Dict[str, Any]) -> Sequence[Any]:
    return [node["const"]] if "const" in node else node.get("enum", ())


def _is_enum(values: Sequence[str]) -> bool:
    """Whether strict modes take these texts for an enum: Gemini no empty one, OpenAI not many that are long."""
    most, characters = _LONG_ENUM
    return all(values) and (len(values) <= most or sum(map(len, values)) <= characters)


def _one_of(values: Sequence[Any]) -> str:
    shown = ", ".join(map(_show, values))
    return f"one of {shown}" if len(values) > 1 else f"always {shown}"


def _grouped(words: str) -> str:
    """Words that stay together among others."""
    if words.startswith("object with (") and words.endswith(")"):
        return words
    return f"({words})" if ", " in words or " or " in words else words


def _notes(node: Dict[str, Any]) -> Tuple[str, ...]:
    """The bounds and the default of a value, in words."""
    notes = [words.format(_show(_whole(node[key]))) for key, words in _BOUNDS.items() if key in node]
    if node.get("uniqueItems"):
        notes.append("no two alike")
    if is_list(node.get("examples")):
        notes.append(f"for example {', '.join(map(_show, node['examples']))}")
    if "default" in node:
        notes.append(f"default: {_show(_in_order(node))}")
    return tuple(notes)


def _whole(bound: Any) -> Any:
    """A bound without a decimal point that says nothing."""
    return int(bound) if isinstance(bound, float) and bound.is_integer() else bound


def _in_order(node: Dict[str, Any]) -> Any:
    """The default of a value; that of a set, which comes in any order, sorted."""
    default = node["default"]
    if is_list(default) and any(part.get("uniqueItems") for part in (node, *_choices(node))):
        return sorted(default, key=_show)
    return default


def _show(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= _LONGEST_SHOWN else text[: _LONGEST_SHOWN - 3] + "..."


def _described(description: str) -> Dict[str, str]:
    return {"description": description} if description else {}
