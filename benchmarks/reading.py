"""What reading answers costs: a clean one beside the canonical reader, untidy ones beside the clean one.

The canonical reader is the least that anybody has to do: pydantic parses the JSON into the models, and the graph is
looked at. YAML is compared with its parser's own events, of which a document has to be made yet.
"""

from __future__ import annotations

import argparse
import json
import sys
import timeit
from typing import Any, Dict, List, Tuple

from pydantic import BaseModel
from timing import Contenders, median, race, ratio

import wfplan

STEPS = 10_000
NAMES = {"id": "step_id", "action": "tool", "dependencies": "depends_on", "parameters": "args"}
CLEAN, CANONICAL, EVENTS = "clean", "canonical reader", "YAML, its events alone"


class Answer(BaseModel):
    """What a clean answer is."""

    recommendations: Tuple[wfplan.Recommendation, ...]


def answer(steps: int) -> List[Dict[str, Any]]:
    """Recommendations as a model would write them, each of which needs three before it."""
    return [
        {
            "id": f"rec-{number:05}",
            "action": "restart_pods",
            "description": "Restart the pods of one zone, so that they take the new limit.",
            "parameters": {"namespace": "production", "selector": f"app=payment-api,zone={number}"},
            "dependencies": [f"rec-{other:05}" for other in range(max(number - 3, 0), number)],
            "confidence": 0.9,
        }
        for number in range(steps)
    ]


def as_yaml(items: List[Dict[str, Any]]) -> str:
    """A block for each item, as people and tools write it."""
    lines = ["recommendations:"]
    for item in items:
        for position, (key, value) in enumerate(item.items()):
            lines.append(f"{'  ' if position else '- '}{key}: {json.dumps(value)}")
    return "\n".join(lines) + "\n"


def read(text: str) -> None:
    """By the library; nothing is refused."""
    assert wfplan.read(text).ok


def read_canonically(text: str) -> None:
    """What no reader can do without."""
    recommendations = Answer.model_validate_json(text).recommendations
    assert wfplan.Reading(recommendations=recommendations).ok


def read_events(text: str) -> None:
    """By the parser that the library uses, without making anything of it."""
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    for _ in yaml.parse(text, Loader=loader):
        pass


def print_table(rounds: int) -> None:
    """Each way of writing the same answer."""
    items = answer(STEPS)
    clean = json.dumps({"recommendations": items})
    fenced = f"Sure, here it is:\n```json\n{json.dumps({'recommendations': items}, indent=1)}\n```\nGood luck!"
    renamed = json.dumps({"plan": [{NAMES.get(key, key): value for key, value in item.items()} for item in items]})
    yaml_text = as_yaml(items)
    contenders: Contenders = {
        CANONICAL: lambda: read_canonically(clean),
        CLEAN: lambda: read(clean),
        "in prose and a code block": lambda: read(fenced),
        "other names of fields": lambda: read(renamed),
        EVENTS: lambda: read_events(yaml_text),
        "YAML": lambda: read(yaml_text),
    }
    aims = {CLEAN: (CANONICAL, 1.1), "in prose and a code block": (CLEAN, 2.5), "other names of fields": (CLEAN, 4.0)}
    aims["YAML"] = (EVENTS, 2.0)
    seconds = race(contenders, rounds)
    print(f"| {STEPS:,} recommendations | time | beside | | at most |")
    print("|---|---|---|---|---|")
    for label, values in seconds.items():
        beside, aim = aims.get(label, ("", 0.0))
        compared = f"{beside} | {ratio(values, seconds[beside]):.2f} x | {aim} x" if beside else " | | "
        print(f"| {label} | {1e3 * median(values):,.0f} ms | {compared} |")


def print_small_answer(rounds: int) -> None:
    """String to plan, as it happens for each answer of a model: the least of many runs."""
    clean = json.dumps({"recommendations": answer(10)})
    fenced = f"Sure, here it is:\n```json\n{clean}\n```\n"
    print("\n| 10 recommendations, string to plan | time | at most |")
    print("|---|---|---|")
    for label, text in (("clean", clean), ("in prose and a code block", fenced)):
        times = timeit.repeat(lambda text=text: wfplan.plan(wfplan.read(text)), number=100, repeat=rounds)  # type: ignore[misc]
        print(f"| {label} | {min(times) / 100 * 1e3:.3f} ms | 0.5 ms |")


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    print(f"Python {sys.version.split()[0]}, {arguments.rounds} rounds\n")
    print_table(arguments.rounds)
    print_small_answer(arguments.rounds)


if __name__ == "__main__":
    main()
