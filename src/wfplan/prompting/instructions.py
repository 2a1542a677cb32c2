"""Instructions for a prompt: the rules that a schema cannot state, and an example."""

from __future__ import annotations

import json
from typing import Any, Dict, List

from wfplan._internal.messages import quote
from wfplan.catalog.actions import Catalog
from wfplan.prompting.schema import DescribedAction, describe_actions

__all__ = ["example_recommendations", "prompt_instructions"]

_RULES = """\
Answer with one JSON object and nothing else: no text before or after it, no code fence, no comments.
Its only key is "recommendations": a list of what you propose to do, empty if nothing needs to be done.

Each recommendation has these keys, in this order:
{keys}

A recommendation must not depend on itself, directly or through others. List only real dependencies: recommendations \
that do not need each other may run at the same time.
Never state how to run them (in parallel, in sequence, in which batch): that is derived from the dependencies.
"""
_EXAMPLE_FOLLOWS = "An answer to another task, for its form only:"

_KEYS = {
    "id": 'a string of 1 to 128 characters, such as "rec-001", that is unique in this answer.',
    "action": "what to do. If you were given names for actions, one of them.",
    "description": "one or two sentences: what this does, why, and what must finish first.",
    "parameters": 'a list of objects with the keys "name" and "value", both strings ("5", "true"), each name at most '
    "once; empty if there are none.",
    "dependencies": "a list of the ids of the recommendations in this answer that must finish before this one may "
    "start; empty if there are none.",
    "confidence": "a number from 0 to 1 for how sure you are, or null if you cannot say.",
}
_KEYS_WITH_CATALOG = {
    "id": _KEYS["id"],
    "description": _KEYS["description"],
    "action": "an object with one key, the name of one of the actions below. Its value is an object with the "
    "parameters of this action, or null if it takes none. If the schema of the answer asks for a string there, the "
    "string holds this object as JSON.",
    "dependencies": _KEYS["dependencies"],
    "confidence": _KEYS["confidence"],
}


def prompt_instructions(catalog: Catalog | None = None) -> str:
    """Return rules and one example for a prompt.

    Put them beside a schema for what it cannot state, or use them alone. They end with the example, an answer that
    `recommendation_schema` allows.

    Args:
        catalog: The actions to list, each with the docstring and the JSON schema of its parameters' model. The example
            shows other actions, in the same form. None leaves the actions open.

    Returns:
        Plain text of several lines.

    Raises:
        ValueError: The catalog is invalid or empty, or `read` would take an action in it for a field.
    """
    if catalog is None:
        rules = _rules(_KEYS)
    else:
        actions = "\n".join(map(_list_action, describe_actions(catalog)))
        rules = f"{_rules(_KEYS_WITH_CATALOG)}\nThe actions, and there are no others:\n{actions}\n"
    answers = ",\n".join(map(json.dumps, example_recommendations(with_catalog=catalog is not None)))
    return f'{rules}\n{_EXAMPLE_FOLLOWS}\n{{"recommendations": [\n{answers}\n]}}'


def _rules(keys: Dict[str, str]) -> str:
    return _RULES.format(keys="\n".join(f'- "{key}": {rule}' for key, rule in keys.items()))


def _list_action(action: DescribedAction) -> str:
    name = quote(action.name, len(action.name))  # whole, however long: it is to be repeated
    head = f"- {name}: {' '.join(action.description.split())}" if action.description else f"- {name}"
    if not action.json_schema:
        return f"{head} (no parameters)"
    return f"{head}\n  parameters of this JSON schema: {action.json_schema}"


def example_recommendations(*, with_catalog: bool = False) -> List[Dict[str, Any]]:
    """Return an answer as a model should write it: a diamond, in which two need not wait for each other."""
    return list(map(_with_action_as_key, _examples())) if with_catalog else _examples()


def _with_action_as_key(example: Dict[str, Any]) -> Dict[str, Any]:
    """Return a recommendation in the form that the schema of a catalog asks for."""
    pairs = example["parameters"]
    parameters = {pair["name"]: int(pair["value"]) if pair["value"].isdecimal() else pair["value"] for pair in pairs}
    return {**{key: example[key] for key in _KEYS_WITH_CATALOG}, "action": {example["action"]: parameters or None}}


def _examples() -> List[Dict[str, Any]]:
    return [
        {
            "id": "rec-001",
            "action": "pause_writes",
            "description": "Stop new orders, so that nothing is lost. Nothing must finish first.",
            "parameters": [{"name": "service", "value": "orders"}],
            "dependencies": [],
            "confidence": 0.9,
        },
        {
            "id": "rec-002",
            "action": "resize_volume",
            "description": "Make room, since the disk is full. Writes must be paused first.",
            "parameters": [{"name": "volume", "value": "orders-db"}, {"name": "gigabytes", "value": "200"}],
            "dependencies": ["rec-001"],
            "confidence": 0.8,
        },
        {
            "id": "rec-003",
            "action": "rotate_logs",
            "description": "Remove old logs from the other disk. Writes must be paused first, the volume may wait.",
            "parameters": [{"name": "keep_days", "value": "7"}],
            "dependencies": ["rec-001"],
            "confidence": None,
        },
        {
            "id": "rec-004",
            "action": "resume_writes",
            "description": "Take orders again. The volume must have room and the old logs must be gone first.",
            "parameters": [],
            "dependencies": ["rec-002", "rec-003"],
            "confidence": 0.85,
        },
    ]
