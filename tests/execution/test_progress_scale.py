"""A run is linear in its steps and dependencies, whatever it is that they wait for.

Nothing is timed. The sizes are such that linear work takes a second or so; what is quadratic would take minutes.
"""

from __future__ import annotations

from collections import deque
from typing import Any, Callable, Deque, List

import pytest

from wfplan import ExecutionStrategy, Step, Workflow, plan
from wfplan.execution.progress import Progress

pytestmark = pytest.mark.scale

MANY = 20_000
NAMES = [f"s{number}" for number in range(MANY)]
HINT = {"execution_mode": "sequential"}


def _chain() -> List[Step]:
    return [Step(name=name, dependencies=NAMES[max(number - 1, 0) : number]) for number, name in enumerate(NAMES)]


def _fan_out() -> List[Step]:
    return [Step(name="hub"), *(Step(name=name, dependencies=["hub"]) for name in NAMES)]


def _fan_in() -> List[Step]:
    return [*map(_named, NAMES), Step(name="hub", dependencies=NAMES)]


def _one_lock() -> List[Step]:
    return [Step(name=name, locks=["x"]) for name in NAMES]


def _one_by_one() -> List[Step]:
    return [Step(name="first", metadata=HINT), *map(_named, NAMES)]


def _named(name: str) -> Step:
    return Step(name=name)


@pytest.mark.parametrize("steps", [_chain, _fan_out, _fan_in, _one_lock, _one_by_one])
@pytest.mark.parametrize("schedule", ["batch", "eager"])
def test_a_run_of_many_steps(steps: Callable[[], List[Step]], schedule: Any) -> None:
    made = plan(Workflow(steps=steps(), execution_strategy=ExecutionStrategy(schedule=schedule)))
    progress = Progress(made)
    in_flight: Deque[str] = deque()
    now = 0
    while progress.is_active():
        in_flight.extend(call.step.name for call in progress.get_ready(now))
        now += 1
        progress.done(in_flight.popleft(), now=now)
    assert progress.phase == "completed"
    assert not in_flight


def test_a_hundred_thousand_steps_in_layers_with_failures_and_locks() -> None:
    """Every tenth step of the first layers fails; what hangs on it is skipped, the rest is done."""
    width, depth = 1000, 100
    steps = [
        Step(
            name=f"{layer}-{place}",
            dependencies=[f"{layer - 1}-{place}"] if layer else [],
            locks=[f"lock-{place % 7}"] if layer % 10 == 0 else [],
        )
        for layer in range(depth)
        for place in range(width)
    ]
    progress = Progress(plan(steps), schedule="eager", on_failure="skip-dependents", max_parallel=64)
    in_flight: Deque[str] = deque()
    while progress.is_active():
        in_flight.extend(call.step.name for call in progress.get_ready(now=0))
        name = in_flight.popleft()
        layer, place = map(int, name.split("-"))
        if place % 10 == 0 and layer == place % 50:
            progress.failed(name, "on purpose", now=0)
        else:
            progress.done(name, now=0)
    report = progress.report()
    failed = [name for name, status in report.statuses.items() if status == "failed"]
    assert sorted(failed) == sorted(f"{place % 50}-{place}" for place in range(0, width, 10))
    assert report.counts["skipped"] == sum(depth - 1 - place % 50 for place in range(0, width, 10))
    assert report.counts["succeeded"] == depth * width - report.counts["skipped"] - len(failed)
    again = Progress(progress.plan, report, schedule="eager", on_failure="skip-dependents")
    assert again.report().statuses == report.statuses
