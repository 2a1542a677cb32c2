"""Runs whose processes are killed at any moment go on where they were, and end as if nothing had happened."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any, Callable, Dict, List, NamedTuple, Sequence, Tuple

import pytest
from killed_run import (
    KILLS,
    PROMISES,
    SCHEDULES,
    Death,
    Traces,
    all_steps,
    begun,
    called_under_another_key,
    difference,
    expected_end,
    is_unrepeatable,
    outline,
    traces_from,
)

import wfplan
from wfplan import ExecutionReport, Step

pytestmark = [pytest.mark.slow, pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")]


class Runs(NamedTuple):
    seed: int
    unbroken: Dict[Tuple[str, str], Dict[str, Any]]
    """By case and schedule, the outline of the end."""
    killed: List[Traces]


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Runs:
    seed = random.SystemRandom().randrange(1_000_000)
    unbroken: Dict[Tuple[str, str], Dict[str, Any]] = {}
    killed: List[Traces] = []
    for traces in traces_from("kill", str(seed), folder=tmp_path_factory.mktemp("killed")):
        kind = traces.told["case"], traces.told["schedule"]
        if kind in unbroken:
            killed.append(traces)
        else:
            assert not traces.deaths
            unbroken[kind] = outline(traces.report)
    return Runs(seed, unbroken, killed)


def phase_of(death: Death) -> str:
    known = death.known
    if known is None or known.ended:
        return "before" if known is None else "after"
    if known.rollback:
        return "rollback"
    return "execution" if any(step.attempts for step in known.steps.values()) else "dry run"


def moments_of(death: Death) -> List[str]:
    """Where the calls were that were in flight."""
    calls = begun(death.before)
    ended = {(effect.purpose, effect.step, effect.attempt) for effect in death.before if effect.what == "end"}
    found: List[str] = []
    for purpose, step in all_steps(death.known) if death.known else ():
        if step.status == "running":
            began = any(call.attempt == step.attempts for call in calls.get((purpose, step.name), ()))
            is_over = (purpose, step.name, step.attempts) in ended
            found.append("done, and not yet written" if is_over else "at work" if began else "written, and not called")
    return found


def test_processes_are_killed_two_hundred_times_in_every_phase_and_at_every_moment(runs: Runs) -> None:
    deaths = [death for traces in runs.killed for death in traces.deaths]
    phases = Counter(map(phase_of, deaths))
    moments = Counter(moment for death in deaths for moment in moments_of(death))
    print(f"seed {runs.seed}: {dict(phases)}, {dict(moments)}")
    assert len(deaths) == sum(KILLS.values()) * len(SCHEDULES) == 200
    for phase in ("dry run", "execution", "rollback"):
        assert phases[phase] >= 5, (runs.seed, phases)
    for moment in ("at work", "written, and not called", "done, and not yet written"):
        assert moments[moment] >= 1, (runs.seed, moments)


@pytest.mark.parametrize("promise", PROMISES, ids=lambda promise: promise.__name__.replace("_", "-"))
def test_no_promise_is_broken_at_any_kill(promise: Callable[[Sequence[Death]], List[str]], runs: Runs) -> None:
    broken = [f"{traces.name}: {told}" for traces in runs.killed for told in promise(traces.deaths)]
    assert not broken, f"seed {runs.seed}: {broken[:5]}"


def test_every_call_of_a_run_has_the_key_of_its_step_in_this_run_whatever_process_makes_it(runs: Runs) -> None:
    broken = [
        f"{traces.name}: {told}"
        for traces in runs.killed
        for told in called_under_another_key(traces.plan, traces.report.run_id, traces.effects)
    ]
    assert not broken, f"seed {runs.seed}: {broken[:5]}"


def test_what_must_not_be_done_twice_and_was_in_flight_fails_as_outcome_unknown(runs: Runs) -> None:
    """How many of them a random kill hits is a matter of luck, and may be none; the next test kills in such a step."""
    for traces in runs.killed:
        for death in traces.deaths:
            for purpose, step in all_steps(death.known) if death.known else ():
                if step.status == "running" and is_unrepeatable(traces.plan, purpose, step.name):
                    told = traces.report.steps[step.name]
                    assert (told.status, told.reason) == ("failed", "outcome-unknown"), (runs.seed, traces.name, told)
                    assert step.name in traces.report.uncertain, (runs.seed, traces.name)


DIES_IN_A_STEP = """
import asyncio, os, signal, sys
import wfplan
from wfplan import ExecutionPlan

def die():
    os.kill(os.getpid(), signal.SIGKILL)

plan = ExecutionPlan.model_validate_json(sys.argv[1])
functions = {"before": lambda: 1, "once": die, "after": lambda: 2}
given = {"journal": sys.argv[2], "schedule": sys.argv[3]}
if sys.argv[4] == "run":
    wfplan.run(plan, functions, **given)
else:
    asyncio.run(wfplan.arun(plan, functions, **given))
"""


@pytest.mark.parametrize("driver", ["run", "arun"])
@pytest.mark.parametrize("schedule", SCHEDULES)
def test_a_process_that_is_killed_in_what_must_not_be_done_twice_does_not_do_it_again(
    schedule: Any, driver: str, tmp_path: Path
) -> None:
    once = Step(name="once", idempotent=False, dependencies=["before"])
    plan = wfplan.plan([Step(name="before"), once, Step(name="after", dependencies=["once"])])
    journal = tmp_path / "journal"
    command = [sys.executable, "-c", DIES_IN_A_STEP, plan.model_dump_json(), str(journal), schedule, driver]
    assert subprocess.run(command, check=False).returncode == -signal.SIGKILL
    assert ExecutionReport.from_journal(journal).steps["once"].status == "running"
    called: List[str] = []
    functions = {name: (lambda name=name: called.append(name)) for name in ("before", "once", "after")}
    report = wfplan.run(plan, functions, journal=journal, schedule=schedule)
    assert called == []
    assert report.statuses == {"before": "succeeded", "once": "failed", "after": "skipped"}
    assert report.steps["once"].reason == "outcome-unknown"
    assert report.uncertain == ("once",)


def test_the_end_is_that_of_an_unbroken_run(runs: Runs) -> None:
    for traces in runs.killed:
        unbroken = runs.unbroken[traces.told["case"], traces.told["schedule"]]
        differs = difference(expected_end(unbroken, traces), outline(traces.report))
        assert not differs, f"seed {runs.seed}, {traces.name}: {differs[:5]}"


def test_an_unbroken_run_ends_as_its_plan_says(runs: Runs) -> None:
    phases = {kind: end["run"][0] for kind, end in runs.unbroken.items()}
    expected = {
        "passing": "completed",
        "failing": "failed",
        "undone": "rolled_back",
        "tried-and-undone": "rolled_back",
    }
    assert phases == {(case, schedule): phase for case, phase in expected.items() for schedule in SCHEDULES}
    assert all(len(end["execute"]) == 60 for end in runs.unbroken.values())


def test_the_journal_tells_the_same_end_as_the_report(runs: Runs) -> None:
    for traces in runs.killed:
        told = ExecutionReport.from_journal(traces.journal, traces.plan)
        assert told == traces.report, (
            f"seed {runs.seed}, {traces.name}: {difference(outline(told), outline(traces.report))}"
        )


def test_no_journal_tells_of_a_success_that_a_later_one_has_forgotten(runs: Runs) -> None:
    for traces in runs.killed:
        states = [death.known for death in traces.deaths if death.known] + [traces.report]
        for earlier, later in zip(states, states[1:]):
            succeeded = [
                {(purpose, step.name) for purpose, step in all_steps(state) if step.status == "succeeded"}
                for state in (earlier, later)
            ]
            assert succeeded[0] <= succeeded[1], f"seed {runs.seed}, {traces.name}"
