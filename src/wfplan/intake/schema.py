"""What a model is asked for: the JSON schema of an answer, and the rules that a schema cannot state."""

from __future__ import annotations

import json
from typing import Any, Dict, List

__all__ = ["example_recommendations", "prompt_instructions", "recommendation_schema"]

_RULES = """\
Answer with one JSON object and nothing else: no text before or after it, no code fence, no comments.
Its only key is "recommendations": a list of what you propose to do, empty if nothing has to be done.

Each recommendation has these six keys, in this order:
- "id": a text of 1 to 128 characters, such as "rec-001", that no other recommendation of the answer has.
- "action": what to do, by the name that you were given for it, if you were given one.
- "description": in a sentence or two, what this does here, why, and what has to be finished before.
- "parameters": a list of objects with the keys "name" and "value", both texts ("5", "true"); no name twice; empty if \
there are none.
- "dependencies": a list of the ids of those recommendations of this answer that have to be finished before this one \
may start; empty if there are none.
- "confidence": a number from 0 to 1 for how sure you are, or null if you cannot say.

A recommendation never depends on itself, neither directly nor by way of others. State only what really has to wait: \
recommendations that do not need one another may run at the same time.
Never state how to execute (parallel, sequential, in which batch): that is derived from the dependencies.

An answer to another task, for its form only:"""


def recommendation_schema() -> Dict[str, Any]:
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
    """
    pair = _object(
        "One parameter.",
        name=_text("Name of the parameter; no other of this recommendation has it."),
        value=_text('Its value as a text, a number or truth value too: "5", "true".'),
    )
    recommendation = _object(
        "One thing to do. Never state an execution mode (parallel, sequential): it is derived from the dependencies.",
        id=_text('Unique in this answer, 1 to 128 characters, such as "rec-001".'),
        action=_text("What to do, by the name that was given for it, if one was given."),
        description=_text("What this does here, why, and what has to be finished before, in a sentence or two."),
        parameters=_list("What the action needs to know; empty if nothing.", pair),
        dependencies=_list(
            "Those that have to be finished before this one may start; empty if none. Only ids of other "
            "recommendations in this answer, each at most once, and no cycles: none depends on itself, directly or by "
            "way of others.",
            _text("The id of another recommendation in this answer."),
        ),
        confidence={
            "anyOf": [
                {"type": "number", "description": "From 0 to 1: how sure you are; null if you cannot say."},
                {"type": "null"},
            ]
        },
    )
    return _object(
        "What is proposed to be done.",
        recommendations=_list("Empty if nothing has to be done.", recommendation),
    )


def prompt_instructions() -> str:
    """Rules and one example, to be put into a prompt: with a schema for what it cannot state, without one for all.

    The text ends with the example, the only braces in it, an answer that `recommendation_schema` allows.
    """
    answers = ",\n".join(map(json.dumps, example_recommendations()))
    return f'{_RULES}\n{{"recommendations": [\n{answers}\n]}}'


def example_recommendations() -> List[Dict[str, Any]]:
    """An answer as a model should write it: a diamond, two that need not wait for one another, and one for both."""
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


def _object(description: str, /, **properties: Dict[str, Any]) -> Dict[str, Any]:
    return {
        "type": "object",
        "description": description,
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _list(description: str, items: Dict[str, Any]) -> Dict[str, Any]:
    return {"type": "array", "description": description, "items": items}


def _text(description: str) -> Dict[str, Any]:
    return {"type": "string", "description": description}
