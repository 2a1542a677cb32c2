"""What the service can do, and what it says of it, whatever a model says: catalog, policy, and what does the work."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any, Dict, List, Mapping

from pydantic import BaseModel, Field

from wfplan import Action, Compensation, ExecutionStrategy, StepCall
from wfplan.policy import Policy


class Namespace(BaseModel):
    namespace: str = Field(pattern="^[a-z0-9-]{1,63}$")


class Target(Namespace):
    name: str = Field(pattern="^[a-z0-9-]{1,63}$")


class Scaling(Target):
    replicas: int = Field(ge=0, le=50)


def deployment(target: Target) -> List[str]:
    return [f"{target.namespace}/deployment/{target.name}"]


def scale_back(target: Target) -> Compensation:
    return Compensation(action="scale_back", parameters=target.model_dump(include={"namespace", "name"}))


CATALOG = {
    "scale_deployment": Action(
        parameters=Scaling, effect="write", idempotent=True, locks=deployment, rollback=scale_back, timeout_seconds=300
    ),
    "restart_pods": Action(parameters=Target, effect="write", idempotent=True, locks=deployment, timeout_seconds=300),
    "verify": Action(parameters=Target, effect="read", idempotent=True, locks=deployment, timeout_seconds=60),
    "delete_namespace": Action(
        parameters=Namespace,
        effect="destructive",
        idempotent=True,
        locks=lambda it: [f"{it.namespace}/namespace/{it.namespace}"],
    ),
    "drain_node": Action(effect="destructive"),
}
POLICY = Policy(max_steps=50, approval_above_steps=10, max_parallel=4, deny_actions=["drain_node"])
STRATEGY = ExecutionStrategy(rollback_on_failure=True)
"""How a plan is run is not for a model to say either."""


class Cluster:
    """A stand-in for what does the work: it takes its time, and writes down when it begins and ends with something."""

    def __init__(self, log: Path, takes: Mapping[str, float]) -> None:
        self._log, self._takes = log, takes

    async def execute(self, call: StepCall) -> Dict[str, Any]:
        self._note("begins", call)
        await asyncio.sleep(self._takes.get(call.step.action, 0.1))
        self._note("ends", call)
        return {"action": call.step.action, **call.step.parameters}

    def _note(self, what: str, call: StepCall) -> None:
        line = {"what": what, "run": call.run_id, "step": call.step.name, "key": call.idempotency_key}
        with self._log.open("ab", buffering=0) as file:
            file.write(json.dumps(line).encode() + b"\n")
