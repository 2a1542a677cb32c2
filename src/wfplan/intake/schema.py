"""What a model is asked for: the JSON schema of an answer, and the rules that a schema cannot state."""

from __future__ import annotations

import json
from typing import Any, Dict, List

from wfplan.catalog import Catalog
from wfplan.intake.catalog_schema import (
    DescribedAction,
    action_branches,
    closed_object,
    describe_actions,
    on_one_line,
    quote_whole,
)

__all__ = ["example_recommendations", "prompt_instructions", "recommendation_schema"]

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
    "id": 'a text of 1 to 128 characters, such as "rec-001", that no other recommendation of the answer has.',
    "action": "what to do, by the name that you were given for it, if you were given one.",
    "description": "in a sentence or two, what this does here, why, and what has to be finished before.",
    "parameters": 'a list of objects with the keys "name" and "value", both texts ("5", "true"); no name twice; empty '
    "if there are none.",
    "dependencies": "a list of the ids of those recommendations of this answer that have to be finished before this "
    "one may start; empty if there are none.",
    "confidence": "a number from 0 to 1 for how sure you are, or null if you cannot say.",
}
_KEYS_WITH_CATALOG = {
    **{key: _KEYS[key] for key in ("id", "description")},
    "action": "what to do: an object with one key, the name of one of the actions below. Its value is an object with "
    "the parameters of this action, by their names, or null if it takes none; where the schema of the answer wants a "
    "text there, one that holds this object.",
    **{key: _KEYS[key] for key in ("dependencies", "confidence")},
}


def recommendation_schema(catalog: Catalog | None = None) -> Dict[str, Any]:
    """The JSON schema of `{"recommendations": [...]}`, for the structured output of a model; a new one at each call.

    It keeps to what the strict modes of OpenAI, Anthropic and Gemini all accept. Each rule and where it comes from:

    - All properties are required and no others allowed (OpenAI, Anthropic). What cannot be said is null: `anyOf` with
      null, which all three accept, where a list of types is refused by the older of Gemini's two interfaces. It stands
      there without a description beside it, since Gemini's function declarations take `anyOf` only alone.
    - No bounds (Anthropic; OpenAI refuses those of lengths), no default, no `oneOf`, `allOf`, `not` (OpenAI), no
      `$ref`, no title (Gemini). What these would say is in the descriptions, and `read` checks it.
    - No free object: OpenAI would only let it be empty. So `parameters` is a list of names and values.

    A model writes the fields in the order of `required`, and what it has written bears on what it writes next. So first
    which one this is and what to do (`id`, `action`), then why and after what (`description`), then what follows from
    that (`parameters`, `dependencies`), last the verdict on all of it (`confidence`).

    >>> schema = recommendation_schema()
    >>> schema["properties"]["recommendations"]["items"]["required"]
    ['id', 'action', 'description', 'parameters', 'dependencies', 'confidence']

    With a catalog, `action` is one of its actions together with the parameters that this one takes, after the reasoning
    that it follows from:

    - The branches of `anyOf` must not share their first key (OpenAI), and there is no `const` (Gemini). So the action
      is the key: `{"action": {"scale": {"replicas": 3}}}`, or null for the parameters where there are none.
    - What no strict mode takes (recursion, keys of any name, any value, tuples), or not so much of it (levels, unions,
      properties), is asked for as one text that holds the parameters as JSON. This goes for whole actions: in the
      order of the catalog, each keeps a schema of its own as long as the limits of the providers last.

    Raises ValueError if the catalog is none or empty, if an action in it has the name of a field of a recommendation,
    or if it is too large for any schema.

    >>> from wfplan import Action
    >>> schema = recommendation_schema({"verify": Action()})
    >>> item = schema["properties"]["recommendations"]["items"]
    >>> item["required"], item["properties"]["action"]["anyOf"][0]["required"]
    (['id', 'description', 'action', 'dependencies', 'confidence'], ['verify'])
    """
    if catalog is not None:
        return _catalog_schema(catalog)
    pair = _object(
        "One parameter.",
        name=_text("Name of the parameter; no other of this recommendation has it."),
        value=_text('Its value as a text, a number or truth value too: "5", "true".'),
    )
    return _answer_schema(
        id=_id(),
        action=_text("What to do, by the name that was given for it, if one was given."),
        description=_description(),
        parameters=_list("What the action needs to know; empty if nothing.", pair),
        dependencies=_dependencies(),
        confidence=_confidence(),
    )


def prompt_instructions(catalog: Catalog | None = None) -> str:
    """Rules and one example, to be put into a prompt: with a schema for what it cannot state, without one for all.

    The text ends with the example, the only braces in it, an answer that `recommendation_schema` allows.

    With a catalog, the rules list its actions, with what their parameters and the models of these say of themselves.
    The example has other actions, in the same form. Raises ValueError where `recommendation_schema` does, but for a
    catalog that is merely large.
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
    head = f"- {quote_whole(action.name)}"
    if action.description:
        head += f": {on_one_line(action.description)}"
    if not action.parameters:
        return f"{head} (no parameters)"
    return "\n".join((head, *(f"  - {parameter}" for parameter in action.parameters)))


def _with_action_as_key(example: Dict[str, Any]) -> Dict[str, Any]:
    """A recommendation in the form that the schema of a catalog asks for."""
    pairs = example["parameters"]
    parameters = {pair["name"]: int(pair["value"]) if pair["value"].isdecimal() else pair["value"] for pair in pairs}
    return {**{key: example[key] for key in _KEYS_WITH_CATALOG}, "action": {example["action"]: parameters or None}}


def example_recommendations(*, with_catalog: bool = False) -> List[Dict[str, Any]]:
    """An answer as a model should write it: a diamond, two that need not wait for one another, and one for both."""
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


def _catalog_schema(catalog: Catalog) -> Dict[str, Any]:
    branches: List[Dict[str, Any]] = []
    schema = _answer_schema(
        id=_id(),
        description=_description(),
        action={"anyOf": branches},
        dependencies=_dependencies(),
        confidence=_confidence(),
    )
    branches += action_branches(describe_actions(catalog), schema)
    return schema


def _answer_schema(**fields: Dict[str, Any]) -> Dict[str, Any]:
    recommendation = _object(
        "One thing to do. Never state an execution mode (parallel, sequential): it is derived from the dependencies.",
        **fields,
    )
    return _object(
        "What is proposed to be done.",
        recommendations=_list("Empty if nothing has to be done.", recommendation),
    )


def _id() -> Dict[str, Any]:
    return _text('Unique in this answer, 1 to 128 characters, such as "rec-001".')


def _description() -> Dict[str, Any]:
    return _text("What this does here, why, and what has to be finished before, in a sentence or two.")


def _dependencies() -> Dict[str, Any]:
    return _list(
        "Those that have to be finished before this one may start; empty if none. Only ids of other "
        "recommendations in this answer, each at most once, and no cycles: none depends on itself, directly or by "
        "way of others.",
        _text("The id of another recommendation in this answer."),
    )


def _confidence() -> Dict[str, Any]:
    return {
        "anyOf": [
            {"type": "number", "description": "From 0 to 1: how sure you are; null if you cannot say."},
            {"type": "null"},
        ]
    }


def _object(description: str, /, **properties: Dict[str, Any]) -> Dict[str, Any]:
    return closed_object(properties, description)


def _list(description: str, items: Dict[str, Any]) -> Dict[str, Any]:
    return {"type": "array", "description": description, "items": items}


def _text(description: str) -> Dict[str, Any]:
    return {"type": "string", "description": description}
