"""The rules that a model is given with a request: what a schema cannot state, and an example."""

from __future__ import annotations

import json
from typing import Any, Dict, List

from wfplan.catalog import Catalog
from wfplan.names import quote
from wfplan.prompting.schema import DescribedAction, describe_actions

__all__ = ["example_recommendations", "prompt_instructions"]

_FORM = """\
Answer with one JSON object and nothing else: no text before or after it, no code fence, no comments.
Its only key is "recommendations": a list of what you propose to do, empty if nothing has to be done.

Each recommendation has these {count} keys, in this order:
{keys}

A recommendation never depends on itself, neither directly nor by way of others. State only what really has to wait: \
recommendations that do not need one another may run at the same time.
Never state how to execute (parallel, sequential, in which batch): that is derived from the dependencies.
"""
_TO_ANOTHER_TASK = "An answer to another task, for its form only:"

_KEYS = {
    "id": 'a string of 1 to 128 characters, such as "rec-001", that no other recommendation of the answer has.',
    "action": "what to do, by the name that you were given for it, if you were given one.",
    "description": "in a sentence or two, what this does here, why, and what has to be finished before.",
    "parameters": 'a list of objects with the keys "name" and "value", both strings ("5", "true"); no name twice; empty '
    "if there are none.",
    "dependencies": "a list of the ids of those recommendations of this answer that have to be finished before this "
    "one may start; empty if there are none.",
    "confidence": "a number from 0 to 1 for how sure you are, or null if you cannot say.",
}
_KEYS_WITH_CATALOG = {
    **{key: _KEYS[key] for key in ("id", "description")},
    "action": "what to do: an object with one key, the name of one of the actions below. Its value is an object with "
    "the parameters of this action, by their names, or null if it takes none; where the schema of the answer wants a "
    "string there, one that holds this object.",
    **{key: _KEYS[key] for key in ("dependencies", "confidence")},
}


def prompt_instructions(catalog: Catalog | None = None) -> str:
    """Return rules and one example for a prompt: with a schema for what it cannot state, without one for all.

    The string ends with the example, the only braces in it, an answer that `recommendation_schema` allows.

    Args:
        catalog: The actions to list, with what the models of their parameters say of themselves. The example has other
            actions, in the same form.

    Raises:
        ValueError: The catalog is invalid or empty, or an action has the name of a field.
    """
    if catalog is None:
        rules = _rules(_KEYS)
    else:
        actions = "\n".join(map(_action_in_words, describe_actions(catalog)))
        rules = f"{_rules(_KEYS_WITH_CATALOG)}\nThe actions, and there are no others:\n{actions}\n"
    answers = ",\n".join(map(json.dumps, example_recommendations(with_catalog=catalog is not None)))
    return f'{rules}\n{_TO_ANOTHER_TASK}\n{{"recommendations": [\n{answers}\n]}}'


def _rules(keys: Dict[str, str]) -> str:
    told = "\n".join(f'- "{key}": {rule}' for key, rule in keys.items())
    return _FORM.format(count={5: "five", 6: "six"}[len(keys)], keys=told)


def _action_in_words(action: DescribedAction) -> str:
    head = f"- {quote(action.name, len(action.name))}"
    if action.description:
        head += f": {' '.join(action.description.split())}"
    if not action.parameters:
        return f"{head} (no parameters)"
    return "\n".join((head, *(f"  - {parameter}" for parameter in action.parameters)))


def _with_action_as_key(example: Dict[str, Any]) -> Dict[str, Any]:
    """Return a recommendation in the form that the schema of a catalog asks for."""
    pairs = example["parameters"]
    parameters = {pair["name"]: int(pair["value"]) if pair["value"].isdecimal() else pair["value"] for pair in pairs}
    return {**{key: example[key] for key in _KEYS_WITH_CATALOG}, "action": {example["action"]: parameters or None}}


def example_recommendations(*, with_catalog: bool = False) -> List[Dict[str, Any]]:
    """Return an answer as a model should write it: a diamond, two that need not wait for each other, and one for both."""
    return list(map(_with_action_as_key, _examples())) if with_catalog else _examples()


def _examples() -> List[Dict[str, Any]]:
    return [
        {
            "id": "rec-001",
            "action": "pause_writes",
            "description": "Stop new orders, so that nothing is lost. Nothing has to be done before.",
            "parameters": [{"name": "service", "value": "orders"}],
            "dependencies": [],
            "confidence": 0.9,
        },
        {
            "id": "rec-002",
            "action": "resize_volume",
            "description": "Make room, since the disk is full. Writes have to be paused.",
            "parameters": [{"name": "volume", "value": "orders-db"}, {"name": "gigabytes", "value": "200"}],
            "dependencies": ["rec-001"],
            "confidence": 0.8,
        },
        {
            "id": "rec-003",
            "action": "rotate_logs",
            "description": "Remove old logs from the other disk. Writes have to be paused; no need of the new volume.",
            "parameters": [{"name": "keep_days", "value": "7"}],
            "dependencies": ["rec-001"],
            "confidence": None,
        },
        {
            "id": "rec-004",
            "action": "resume_writes",
            "description": "Take orders again. The volume has to have room, and the logs have to be gone.",
            "parameters": [],
            "dependencies": ["rec-002", "rec-003"],
            "confidence": 0.85,
        },
    ]
