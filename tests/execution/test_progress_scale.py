"""A run is linear in its steps and dependencies, whatever it is that they wait for.

Nothing is timed. The sizes are such that linear work takes a second or so; what is quadratic would take minutes.
"""

from __future__ import annotations

from collections import deque
from typing import Any, Callable, Deque, List

import pytest

from wfplan import ExecutionStrategy, Step, Workflow, plan
from wfplan.execution.progress import Progress

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
