"""The pictures that the documentation shows; run this file to draw them anew."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Callable, Dict

import wfplan
from wfplan import ExecutionReport, Recommendation, StepReport
from wfplan.execution.step_errors import StepError
from wfplan.render import svg

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "docs" / "pictures"


def example() -> wfplan.ExecutionPlan:
    return wfplan.plan(wfplan.read((ROOT / "examples" / "payment-api.json").read_bytes()))


def run_of_the_example() -> ExecutionReport:
    """As it may have gone: the memory limit could not be raised."""
    plan = example()
    seconds = {
        "capture_heap_dump": 48.2,
        "pause_autoscaler": 0.31,
        "scale_deployment": 22.4,
        "increase_memory_limit": 5.0,
    }
    steps: Dict[str, StepReport] = {}
    for batch in plan.batches:
        for name in batch.steps:
            fields: Dict[str, Any] = {
                "status": "skipped",
                "reason": "run-stopped",
                "root_cause": "increase_memory_limit",
            }
            if name in seconds:
                fields = {"status": "succeeded", "attempts": 1, "started_at": 0.0, "ended_at": seconds[name]}
            if name == "increase_memory_limit":
                fields.update(status="failed", error=StepError(type="QuotaError", message="2Gi requested, 1Gi left"))
            steps[name] = StepReport(name=name, action=plan.steps[name].action, batch=batch.number, **fields)
    in_order = {name: steps[name] for name in plan.steps}
    undone = {"pause_autoscaler": StepReport(name="pause_autoscaler", status="succeeded", attempts=1)}
    return ExecutionReport(plan=plan, run_id="r-1", phase="rolled_back", stopped=True, steps=in_order, rollback=undone)


def real_workflow() -> wfplan.ExecutionPlan:
    """The second largest graph of the corpus of science workflows that is drawn step by step."""
    lines = (ROOT / "tests" / "corpora" / "pegasus_dax.jsonl").read_text(encoding="utf-8").splitlines()
    record = next(found for found in map(json.loads, lines) if len(found["steps"]) == 39)
    return wfplan.plan([Recommendation(**step) for step in record["steps"]], naming="id")


def thousand_steps() -> wfplan.ExecutionPlan:
    edges: Dict[str, Any] = {}
    for place in range(1000):
        level = int(place**0.42)
        edges[f"step-{place}"] = (
            [f"step-{other}" for other in (place - 1, place // 2) if int(other**0.42) < level] if place else []
        )
    return wfplan.plan(edges)


PICTURES: Dict[str, Callable[[], Any]] = {
    "payment-api.svg": example,
    "payment-api-run.svg": run_of_the_example,
    "science.svg": real_workflow,
    "thousand-steps.svg": thousand_steps,
}

if __name__ == "__main__":
    for name, make in PICTURES.items():
        (FOLDER / name).write_text(svg(make()), encoding="utf-8")
