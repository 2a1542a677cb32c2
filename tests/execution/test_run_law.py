"""A law: how a run ends depends on the plan and on what its steps do, not on who runs it, nor on colour or schedule."""

from __future__ import annotations

from typing import Any, Callable, Dict, List, Optional

from execution_helpers import COLOURS, Driver, coloured
from hypothesis import given, settings
from hypothesis import strategies as st

import wfplan
from wfplan import ExecutionStrategy, PermanentError, Progress, RetryPolicy, Step, StepCall, Workflow


@st.composite
def graphs(draw: st.DrawFn) -> List[Step]:
    """Up to seven steps, each with an outcome in its parameters."""
    steps: List[Step] = []
    for number in range(draw(st.integers(0, 7))):
        names = [step.name for step in steps]
        needs = draw(st.lists(st.sampled_from(names), unique=True, max_size=3)) if names else []
        steps.append(
            Step(
                name=f"s{number}",
                action=draw(st.sampled_from(COLOURS)),
                dependencies=needs,
                parameters={"failures": draw(st.sampled_from([0, 0, 0, 1, 2, 9])), "final": draw(st.booleans())},
                retry=RetryPolicy(max_attempts=draw(st.integers(1, 3))),
                locks=draw(st.lists(st.sampled_from(["x", "y"]), unique=True, max_size=2)),
                continue_on_failure=draw(st.booleans()),
                metadata={"execution_mode": "sequential"} if draw(st.integers(0, 5)) == 5 else {},
            )
        )
    return steps


def act(call: StepCall) -> Any:
    if call.attempt <= call.step.parameters["failures"]:
        raise (PermanentError if call.step.parameters["final"] else ValueError)(f"attempt {call.attempt}")
    return sorted(call.outputs)


class Acting:
    def execute(self, call: StepCall) -> Any:
        function: Callable[[], Any] = coloured(lambda: act(call), "plain" if call.step.action == "plain" else "async")
        return function()


def told(report: wfplan.ExecutionReport) -> Dict[str, Any]:
    return {
        name: (
            step.status,
            step.attempts,
            step.output,
            step.reason,
            step.root_cause,
            step.error and step.error.message,
        )
        for name, step in report.steps.items()
    }


def by_hand(plan: wfplan.ExecutionPlan, limit: Optional[int]) -> Dict[str, Any]:
    """What the state machine gives where each call is answered before the next one starts."""
    progress = Progress(plan, max_parallel=limit)
    now = 0.0
    while progress.is_active():
        for call in progress.get_ready(now):
            now += 1
            try:
                progress.done(call.step.name, act(call), now=now)
            except Exception as error:  # noqa: BLE001 - an outcome
                progress.failed(call.step.name, error, now=now)
    return told(progress.report())


@settings(max_examples=40)
@given(
    steps=graphs(),
    policy=st.sampled_from(["stop", "cancel", "skip-dependents"]),
    schedule=st.sampled_from(["batch", "eager"]),
    limit=st.sampled_from([1, 2, None]),
)
def test_run_and_arun_end_alike(steps: List[Step], policy: Any, schedule: Any, limit: Optional[int]) -> None:
    if policy != "skip-dependents":
        limit = 1  # where one failure ends all, the order decides
    strategy = ExecutionStrategy(on_failure=policy, schedule=schedule)
    plan = wfplan.plan(Workflow(steps=steps, execution_strategy=strategy))
    expected = by_hand(plan, limit)
    for driver in (Driver("run"), Driver("arun")):
        assert told(driver(plan, Acting(), max_parallel=limit)) == expected
