"""A model's remediation that dies halfway, is continued, fails, is rolled back, fixed and completed.

The "cluster" is a folder with a file for each setting, so that everything happens and nothing is broken.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Dict

import wfplan
from wfplan import Compensation, ExecutionReport, ExecutionStrategy, StepCall
from wfplan.execution.resume import resume_preview
from wfplan.execution.rollback import rollback_preview


class RolloutError(Exception):
    """The new pods do not become ready."""


# What the actions do.


def setting(*path: str) -> Path:
    """The file of a setting of the cluster."""
    file = Path(os.environ["REMEDIATION_CLUSTER"], *path)
    file.parent.mkdir(parents=True, exist_ok=True)
    return file


def put(value: str, *path: str) -> str:
    """Change a setting; its old value, which a compensation may need."""
    file = setting(*path)
    before = file.read_text(encoding="utf-8") if file.exists() else ""
    file.write_text(value, encoding="utf-8")
    return before


def capture_heap_dump(namespace: str, selector: str, pods: int) -> Dict[str, Any]:
    time.sleep(0.02)
    return {"file": f"/dumps/{namespace}.hprof", "pods": pods, "selector": selector}


def pause_autoscaler(namespace: str, autoscaler: str) -> str:
    return put("paused", namespace, autoscaler, "autoscaler")


def resume_autoscaler(namespace: str, autoscaler: str) -> str:
    return put("active", namespace, autoscaler, "autoscaler")


def scale_deployment(namespace: str, deployment: str, replicas: int) -> str:
    return put(str(replicas), namespace, deployment, "replicas")


def increase_memory_limit(namespace: str, deployment: str, memory: str) -> str:
    return put(memory, namespace, deployment, "memory")


def reduce_cache_size(namespace: str, configmap: str, cache_mb: int) -> str:
    return put(str(cache_mb), namespace, configmap, "cache")


async def restart_pods(namespace: str, selector: str) -> str:
    """Async functions may stand beside plain ones; these two restarts overlap."""
    if "REMEDIATION_HANGS" in os.environ:
        setting("restarting").touch()
        await asyncio.sleep(60)
    await asyncio.sleep(0.02)
    memory = setting(namespace, "payment-api", "memory").read_text(encoding="utf-8")
    if selector.endswith("zone=b") and memory == "1Gi":
        raise RolloutError("2 of 3 pods are not ready: out of memory")
    return f"restarted {selector} in {namespace}"


def verify_memory_usage(call: StepCall, **_: Any) -> str:
    """The call is handed over by its annotation; it holds what the dependencies gave."""
    return f"fine after {len(call.outputs)} restarts"


def notify_on_call(channel: str) -> str:
    return f"notified {channel}"


def put_back(call: StepCall, path: str) -> str:
    """A compensation knows what its own step gave: here, the value from before."""
    return put(call.outputs[call.step.name], *path.split("/"))


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
        put_back,
    )
}


# What undoes them, which the model did not say.


def make_plan() -> wfplan.ExecutionPlan:
    answer = (Path(__file__).parent / "payment-api.json").read_text(encoding="utf-8")
    workflow = wfplan.plan(wfplan.read(answer)).workflow
    for name, path in (
        ("pause_autoscaler", "autoscaler"),
        ("scale_deployment", "replicas"),
        ("increase_memory_limit", "memory"),
        ("reduce_cache_size", "cache"),
    ):
        undo = Compensation(action="put_back", parameters={"path": f"production/payment-api/{path}"})
        workflow = workflow.replace(name, rollback=undo)
    for name in ("restart_pods-rec-006", "restart_pods-rec-007"):
        workflow = workflow.replace(name, idempotent=True)  # a restart can be done again
    for name in ("capture_heap_dump", "verify_memory_usage"):
        workflow = workflow.replace(name, effect="read")  # there is nothing to undo
    return wfplan.plan(workflow, execution_strategy=ExecutionStrategy(rollback_on_failure=True))


# A run that has a hard time.


def die_halfway(folder: Path) -> None:
    """Run in another process, which is killed while pods are being restarted."""
    environment = {**os.environ, "REMEDIATION_HANGS": "1"}
    with subprocess.Popen([sys.executable, __file__, str(folder)], env=environment) as process:
        while not setting("restarting").exists():
            time.sleep(0.01)
        process.kill()


def tell(report: ExecutionReport) -> None:
    """Phase and statuses, without times, which differ from run to run."""
    counts = ", ".join(f"{number} {status}" for status, number in report.counts.items() if number)
    print(f"{report.phase}: {counts}")
    for step in report.steps.values():
        if step.error is not None:
            print(f"  {step.name} {step.status}: {step.error}")
    if report.undone:
        print(f"  undone: {', '.join(report.undone)}")


def tell_journal(path: Path) -> None:
    """The lines of a journal, shortened."""
    for line in path.read_text(encoding="utf-8").splitlines()[1:]:
        known = json.loads(line)
        step = known.get("step", {"name": known.get("phase")})
        print(f"  {known['event']:16}{known.get('purpose', 'execute'):12}{step['name']:24}{step.get('status', '')}")


def main(folder: Path) -> None:
    plan = make_plan()
    journal = folder / "run.jsonl"
    preview = rollback_preview(plan)
    print(f"cannot be undone: {', '.join(preview.irreversible)}")
    print(f"from batch {preview.point_of_no_return} on\n")

    print("killed in the middle:")
    die_halfway(folder)
    tell(ExecutionReport.from_journal(journal))

    print("\ngoes on where it was, and fails:")
    failed = wfplan.run(plan, FUNCTIONS, journal=journal, max_parallel=1)
    tell(failed)

    print("\nwith more memory:")
    parameters = {**plan.steps["increase_memory_limit"].parameters, "memory": "2Gi"}
    fixed = wfplan.plan(plan.workflow.replace("increase_memory_limit", parameters=parameters))
    print(f"  keeps {', '.join(resume_preview(fixed, failed).keeps)}")
    tell(wfplan.run(fixed, FUNCTIONS, resume=failed, journal=folder / "fixed.jsonl"))

    print("\nthe first journal:")
    tell_journal(journal)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        wfplan.run(make_plan(), FUNCTIONS, journal=Path(sys.argv[1], "run.jsonl"), max_parallel=1)
    else:
        with tempfile.TemporaryDirectory() as temporary:
            os.environ["REMEDIATION_CLUSTER"] = str(Path(temporary, "cluster"))
            main(Path(temporary))
