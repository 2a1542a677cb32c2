"""What reading answers costs: a clean one beside the canonical reader alone, and untidy ones beside the clean one."""

from __future__ import annotations

import argparse
import json
from typing import Any, Dict, List
from unittest import mock

from timing import Contenders, median, race, ratio

import wfplan

STEPS = 10_000
ALIASES = {"id": "step_id", "action": "tool", "dependencies": "depends_on", "parameters": "args"}


def answer() -> List[Dict[str, Any]]:
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
        for number in range(STEPS)
    ]


def read(text: str) -> None:
    assert wfplan.read(text).ok


def read_canonically(text: str) -> None:
    """Without what was added for answers that are none: nothing but the parse, the models and the graph."""
    with mock.patch("wfplan.intake.reader.report_lookalikes"):
        read(text)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    items = answer()
    clean = json.dumps({"recommendations": items})
    fenced = f"Sure, here it is:\n```json\n{json.dumps({'recommendations': items}, indent=1)}\n```\nGood luck!"
    renamed = json.dumps({"plan": [{ALIASES.get(key, key): value for key, value in item.items()} for item in items]})
    contenders: Contenders = {
        "clean, by the canonical reader alone": lambda: read_canonically(clean),
        "clean": lambda: read(clean),
        "in prose and a code block": lambda: read(fenced),
        "other names of keys": lambda: read(renamed),
    }
    seconds = race(contenders, arguments.rounds)
    first = next(iter(seconds.values()))
    print(f"| {STEPS:,} recommendations | time | beside the first |")
    print("|---|---|---|")
    for label, values in seconds.items():
        print(f"| {label} | {1e3 * median(values):,.0f} ms | {ratio(values, first):.2f} x |")


if __name__ == "__main__":
    main()
