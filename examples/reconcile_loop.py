"""A controller with a loop of its own: on every tick it rebuilds the progress from the reports that it has stored.

Nothing is kept in memory between two ticks but a JSON text, as a Kubernetes controller keeps the status of a resource.
Jobs are started by their idempotency key, so a tick that was cut off and is made again starts nothing twice.
"""

from __future__ import annotations

from typing import Dict

import wfplan
from wfplan import ExecutionReport, Progress, RetryPolicy, Step, StepCall


class Jobs:
    """A job service, as a stand-in: a job takes two seconds, and the first restart of pod-b fails."""

    def __init__(self) -> None:
        self.started: Dict[str, float] = {}
        self.failing = {"restart-pod-b"}

    def start(self, call: StepCall, now: float) -> None:
        """Start a job, unless there is one of this name: attempts of one step differ by their number."""
        name = f"{call.idempotency_key[:16]}-{call.attempt}"
        if name not in self.started:
            self.started[name] = now
            call.set_external_id(name)

    def outcome(self, step: str, name: str, now: float) -> str:
        if now < self.started[name] + 2:
            return "running"
        if step in self.failing:
            self.failing.discard(step)
            return "failed"
        return "succeeded"


def tick(plan: wfplan.ExecutionPlan, stored: str, jobs: Jobs, now: float) -> str:
    """One turn of the loop: from the stored report to the next one."""
    state = ExecutionReport.model_validate_json(stored).steps.values() if stored else ()
    progress = Progress(plan, state, run_id="incident-42", schedule="eager", on_failure="skip-dependents")
    known = progress.report().steps
    for call in progress.in_flight:
        name = call.step.name
        outcome = jobs.outcome(name, str(known[name].external_id), now)
        if outcome == "succeeded":
            progress.done(name, {"job": known[name].external_id}, now=now)
        elif outcome == "failed":
            progress.failed(name, "the job failed", now=now)
    for call in progress.get_ready(now):
        jobs.start(call, now)
    return progress.report().model_dump_json()


def main() -> None:
    steps = [
        Step(name="scale"),
        Step(name="restart-pod-a", dependencies=["scale"]),
        Step(name="restart-pod-b", dependencies=["scale"], retry=RetryPolicy(max_attempts=2, delay_seconds=3)),
        Step(name="verify", dependencies=["restart-pod-a", "restart-pod-b"], timeout_seconds=30),
    ]
    plan, jobs, stored = wfplan.plan(steps), Jobs(), ""
    for now in range(60):
        stored = tick(plan, stored, jobs, float(now))
        report = ExecutionReport.model_validate_json(stored)
        print(f"{now:2} s", *(f"{name}: {status}" for name, status in report.statuses.items()), sep="  ")
        if report.phase != "executing":
            print(f"{report.phase}, {len(jobs.started)} jobs, makespan {report.makespan:g} s")
            return


if __name__ == "__main__":
    main()
