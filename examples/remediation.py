"""A model's remediation, run with real functions: once to its end, once with a failure, in both schedules.

The "cluster" is a dictionary, so that everything happens and nothing is broken.
"""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any, Dict, Tuple

import wfplan
from wfplan import StepCall
from wfplan.models import Schedule

CLUSTER: Dict[str, Any] = {}
SCHEDULES: Tuple[Schedule, ...] = ("batch", "eager")


class RolloutError(Exception):
    """The new pods do not become ready."""


def capture_heap_dump(namespace: str, selector: str, pods: int) -> Dict[str, Any]:
    time.sleep(0.02)
    return {"file": f"/dumps/{namespace}.hprof", "pods": pods, "selector": selector}


def pause_autoscaler(namespace: str, autoscaler: str) -> None:
    CLUSTER[f"{namespace}/{autoscaler}"] = "paused"


def resume_autoscaler(namespace: str, autoscaler: str) -> None:
    CLUSTER[f"{namespace}/{autoscaler}"] = "active"


def scale_deployment(namespace: str, deployment: str, replicas: int) -> Dict[str, int]:
    before, CLUSTER[f"{namespace}/{deployment}/replicas"] = 3, replicas
    return {"before": before, "after": replicas}


def increase_memory_limit(namespace: str, deployment: str, memory: str) -> None:
    CLUSTER[f"{namespace}/{deployment}/memory"] = memory


def reduce_cache_size(namespace: str, configmap: str, cache_mb: int) -> None:
    CLUSTER[f"{namespace}/{configmap}/cache"] = cache_mb


async def restart_pods(namespace: str, selector: str) -> str:
    """Async functions may stand beside plain ones; these two restarts overlap."""
    await asyncio.sleep(0.02)
    if CLUSTER.get("image is broken") and selector.endswith("zone=b"):
        raise RolloutError("2 of 3 pods are not ready")
    return f"restarted {selector} in {namespace}"


def verify_memory_usage(call: StepCall, **_: Any) -> str:
    """The call is handed over by its annotation; it holds what the dependencies gave."""
    return f"fine after {len(call.outputs)} restarts"


def notify_on_call(channel: str) -> str:
    return f"told {channel}"


FUNCTIONS = {
    function.__name__: function
    for function in (
        capture_heap_dump,
        pause_autoscaler,
        resume_autoscaler,
        scale_deployment,
        increase_memory_limit,
        reduce_cache_size,
        restart_pods,
        verify_memory_usage,
        notify_on_call,
    )
}


def tell(report: wfplan.ExecutionReport) -> None:
    """Phase and statuses, without times, which differ from run to run."""
    print(f"{report.phase}: {', '.join(f'{number} {status}' for status, number in report.counts.items() if number)}")
    for step in report.steps.values():
        if step.error is not None:
            print(f"  {step.name} {step.status}: {step.error}")
        elif step.status == "skipped":
            print(f"  {step.name} skipped, because of {step.root_cause}")


def main() -> None:
    answer = (Path(__file__).parent / "payment-api.json").read_text(encoding="utf-8")
    plan = wfplan.plan(wfplan.read(answer))

    for schedule in SCHEDULES:
        report = wfplan.run(plan, FUNCTIONS, schedule=schedule)
        print(f"{schedule}: {report.steps['verify_memory_usage'].output}")
        tell(report)

    CLUSTER["image is broken"] = True
    for schedule in SCHEDULES:
        print(f"\n{schedule}, with a broken image:")
        tell(wfplan.run(plan, FUNCTIONS, schedule=schedule))


if __name__ == "__main__":
    main()
