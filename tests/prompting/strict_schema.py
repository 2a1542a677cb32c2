"""What the strict modes of three providers refuse in a JSON schema, as far as their rules are known."""

from __future__ import annotations

import re
from typing import Any, Dict, Iterator, List, Tuple

KNOWN = frozenset(
    "type description properties required additionalProperties items minItems anyOf enum format pattern".split()
)
"""Accepted by all three, under conditions."""

REFUSED: Dict[str, frozenset[str]] = {
    "openai": frozenset(
        """
        oneOf allOf not if then else dependentRequired dependentSchemas default minLength maxLength patternProperties
        propertyNames minProperties maxProperties uniqueItems contains minContains maxContains unevaluatedProperties
        unevaluatedItems
        """.split()
    ),
    "anthropic": frozenset(
        "minimum maximum exclusiveMinimum exclusiveMaximum multipleOf minLength maxLength maxItems".split()
    ),
    "gemini": frozenset("$ref $defs const title exclusiveMinimum exclusiveMaximum".split()),
}
FORMATS = frozenset("date-time time date duration email hostname ipv4 ipv6 uuid".split())

MAX_PROPERTIES, MAX_DEPTH, MAX_CHARACTERS, MAX_ENUM_VALUES = 5_000, 10, 120_000, 1_000  # OpenAI
LONG_ENUM = (250, 15_000)  # OpenAI: an enum of more values than this may have no more characters than that
MAX_UNIONS = 16  # Anthropic

Found = Iterator[Tuple[str, str]]
"""Who refuses, and why."""


def violations(schema: Dict[str, Any]) -> List[str]:
    """Everything in a schema that one of the three refuses, as `provider path: reason`."""
    found = [f"{provider} : {reason}" for provider, reason in _of_root(schema)]
    nodes = list(walk(schema))
    for path, node in nodes:
        found += [f"{provider} {path}: {reason}" for provider, reason in _of_node(path, node)]
    found += [f"{provider} : {reason}" for provider, reason in _of_size(nodes)]
    return found


def walk(schema: Dict[str, Any]) -> Iterator[Tuple[str, Dict[str, Any]]]:
    """The schema and those in it, with their JSON pointers; of what is too deep, the first level beyond."""
    pending: List[Tuple[str, Any, int]] = [("", schema, 1)]
    while pending:
        path, node, depth = pending.pop()
        yield path, node
        if depth <= MAX_DEPTH:
            pending += [(f"{path}/{inner}", child, depth + 1) for inner, child in _children(node)]


def _children(node: Dict[str, Any]) -> Iterator[Tuple[str, Dict[str, Any]]]:
    for key in ("properties", "$defs"):
        yield from ((f"{key}/{name}", child) for name, child in node.get(key, {}).items())
    for key in ("anyOf", "oneOf", "allOf"):
        yield from ((f"{key}/{position}", child) for position, child in enumerate(node.get(key, ())))
    yield from ((key, node[key]) for key in ("items", "not", "if", "then", "else") if key in node)


def _of_root(schema: Dict[str, Any]) -> Found:
    if schema.get("type") != "object":
        yield "openai", "the root is no object"


def _of_node(path: str, node: Dict[str, Any]) -> Found:
    yield from _of_keys(node)
    yield from _of_type(node)
    yield from _of_values(node)
    if "anyOf" in node:
        yield from _of_choice(node)
    if "$ref" in node and len(node) > 1:
        yield "openai", "siblings of $ref"
    if f"#{path}/".startswith(f"{node.get('$ref')}/"):
        yield "anthropic", "recursion"


def _of_keys(node: Dict[str, Any]) -> Found:
    for provider, refused in REFUSED.items():
        yield from ((provider, f"{key} is refused") for key in sorted(refused & node.keys()))
    for key in sorted(node.keys() - KNOWN - frozenset().union(*REFUSED.values())):
        yield "all", f"{key} is unknown"


def _of_type(node: Dict[str, Any]) -> Found:
    if node.get("type") == "object":
        yield from _of_object(node)
    if node.get("type") == "array" and not node.get("items"):
        yield "openai", "items without a type"
    if isinstance(node.get("type"), list):
        yield "gemini", "a list of types"
    if not {"type", "anyOf", "oneOf", "allOf", "$ref"} & node.keys():
        yield "openai", "no type"


def _of_values(node: Dict[str, Any]) -> Found:
    if node.get("minItems", 0) > 1:
        yield "anthropic", "minItems above 1"
    if not all(isinstance(value, str) for value in node.get("enum", ())):
        yield "gemini", "enum of other values than texts"
    if "" in node.get("enum", ()):
        yield "gemini", "an empty value in an enum"
    if len(node.get("enum", ())) > LONG_ENUM[0] and sum(len(str(value)) for value in node["enum"]) > LONG_ENUM[1]:
        yield "openai", "an enum too long"
    if node.get("format", "date") not in FORMATS:
        yield "openai", "unknown format"
    if re.search(r"\(\?<?[=!]", node.get("pattern", "")):
        yield "openai", "pattern that looks around"


def _of_object(node: Dict[str, Any]) -> Found:
    if node.get("additionalProperties") is not False:
        yield "all", "additionalProperties is not false"
    if not node.get("properties"):
        yield "openai", "an object that has to be empty"
    if node.get("required", []) != list(node.get("properties", {})):
        yield "openai", "required does not list all properties in their order"


def _of_choice(node: Dict[str, Any]) -> Found:
    if len(node) > 1:
        yield "gemini", "fields beside anyOf"
    firsts = [next(iter(branch["properties"]), None) for branch in node["anyOf"] if "properties" in branch]
    if len(set(firsts)) < len(firsts):
        yield "openai", "branches share their first key"


def _of_size(nodes: List[Tuple[str, Dict[str, Any]]]) -> Found:
    names = [name for _, node in nodes for name in (*node.get("properties", ()), *node.get("$defs", ()))]
    values = [value for _, node in nodes for value in node.get("enum", ())]
    if sum(len(node.get("properties", ())) for _, node in nodes) > MAX_PROPERTIES:
        yield "openai", "too many properties"
    if sum(len(str(text)) for text in (*names, *values)) > MAX_CHARACTERS:
        yield "openai", "too many characters"
    if len(values) > MAX_ENUM_VALUES:
        yield "openai", "too many enum values"
    if sum("anyOf" in node or isinstance(node.get("type"), list) for _, node in nodes) > MAX_UNIONS:
        yield "anthropic", "too many unions"
    if depth_of(nodes) > MAX_DEPTH:
        yield "openai", "too deep"


def depth_of(nodes: List[Tuple[str, Dict[str, Any]]]) -> int:
    """Levels of schemas within schemas, which is at least what any provider counts."""
    steps = re.compile(r"/(?:(?:properties|\$defs|anyOf|oneOf|allOf)/[^/]*|items|not|if|then|else)")
    return 1 + max(len(steps.findall(path)) for path, _ in nodes)
