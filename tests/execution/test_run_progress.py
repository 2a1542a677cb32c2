"""A Progress in place of a plan: watched while it runs, continued where another left off."""

from __future__ import annotations

import asyncio
import threading
from typing import Any, List

from execution_helpers import SHORT, Driver, Recorder, plan_of

import wfplan
from wfplan import ExecutionReport, Progress, Step, StepCall, StepReport


def test_it_can_be_watched_from_another_thread(drive: Driver) -> None:
    names = [f"s{number}" for number in range(30)]
    plan = wfplan.plan({name: names[max(number - 1, 0) : number] for number, name in enumerate(names)})
    progress = Progress(plan)
    reports: List[ExecutionReport] = []
    over = threading.Event()

    def watch() -> None:
        while not over.is_set():
            report = progress.report()
            assert str(report)
            assert ExecutionReport.model_validate_json(report.model_dump_json()) == report
            assert progress.in_flight is not None
            assert progress.abandoned == ()
            reports.append(report)

    failures: List[BaseException] = []

    def guard() -> None:
        try:
            watch()
        except BaseException as error:  # noqa: BLE001 - told below
            failures.append(error)

    watcher = threading.Thread(target=guard)
    watcher.start()
    try:
        report = drive(progress, dict.fromkeys(names, lambda: asyncio.sleep(0.01)))
    finally:
        over.set()
        watcher.join()
    assert failures == []
    assert report.ok
    assert report.run_id == progress.run_id
    assert progress.report().statuses == report.statuses
    assert {seen.phase for seen in reports} >= {"executing"}
    done = [seen.counts["succeeded"] for seen in reports]
    assert done == sorted(done)


def test_the_settings_of_the_progress_hold(drive: Driver) -> None:
    running, most = [0], [0]

    async def act() -> None:
        running[0] += 1
        most[0] = max(most[0], running[0])
        await asyncio.sleep(0.01)
        running[0] -= 1

    plan = wfplan.plan({name: [] for name in "abcdef"})
    assert drive(Progress(plan, max_parallel=2, run_id="mine"), dict.fromkeys("abcdef", act)).run_id == "mine"
    assert most == [2]


def restored(*reports: StepReport, **fields: Any) -> Progress:
    plan = plan_of(
        Step(name="done"),
        Step(name="flying", dependencies=["done"], timeout_seconds=60, parameters={"x": 1}, **fields),
        Step(name="after", dependencies=["flying"]),
    )
    state = [
        StepReport(name="done", status="succeeded", attempts=1, started_at=1.0, ended_at=2.0, output="kept"),
        *reports,
    ]
    return Progress(plan, state, run_id="r")


FLYING = StepReport(
    name="flying", status="running", attempts=2, started_at=3.0, attempt_started_at=4.0, external_id="job"
)


def test_what_was_in_flight_is_the_same_attempt_again(drive: Driver) -> None:
    def act(call: StepCall) -> Any:
        return [call.attempt, call.idempotency_key, dict(call.outputs)]

    recorder = Recorder(act)
    progress = restored(FLYING)
    key = progress.in_flight[0].idempotency_key
    events: List[wfplan.Event] = []
    report = drive(progress, recorder, observers=[events.append])
    assert report.ok
    assert [call.step.name for call in recorder.calls] == ["flying", "after"]
    assert report.outputs["flying"] == [2, key, {"done": "kept"}]
    assert report.steps["flying"].attempts == 2
    assert report.steps["flying"].started_at == 3.0
    assert (events[0].kind, events[0].steps, events[0].ended_steps) == ("run-started", 3, 1)


def test_what_must_not_be_done_twice_fails_instead(drive: Driver) -> None:
    recorder = Recorder()
    report = drive(restored(FLYING, idempotent=False), recorder)
    assert report.statuses == {"done": "succeeded", "flying": "failed", "after": "skipped"}
    assert report.steps["flying"].reason == "outcome-unknown"
    assert report.steps["flying"].external_id == "job"
    assert recorder.calls == []
    assert recorder.closed == 1


def test_its_time_starts_anew(drive: Driver) -> None:
    async def act() -> None:
        await asyncio.sleep(60)

    plan = plan_of(Step(name="a", timeout_seconds=SHORT))
    state = [StepReport(name="a", status="running", attempts=1, started_at=1.0, attempt_started_at=1.0)]
    report = drive(Progress(plan, state), {"a": act})
    assert report.statuses == {"a": "timed_out"}


def test_one_that_has_ended(drive: Driver) -> None:
    plan = wfplan.plan({"a": [], "b": ["a"]})
    progress = Progress(plan, run_id="r")
    first = drive(progress, {"a": lambda: 1, "b": lambda: 1 / 0})
    recorder = Recorder()
    events: List[wfplan.Event] = []
    again = drive(progress, recorder, observers=[events.append])
    assert recorder.calls == []
    assert recorder.closed == 1
    assert again.statuses == first.statuses
    assert [event.kind for event in events] == ["run-started", "run-ended"]
    assert events[0].ended_steps == 2


def test_a_report_of_an_interrupted_run_goes_on(drive: Driver) -> None:
    plan = wfplan.plan({"a": [], "b": ["a"]})
    progress = Progress(plan, run_id="r")
    (call,) = progress.get_ready(now=5.0)
    progress.done(call.step.name, {"x": 1}, now=6.0)
    loaded = ExecutionReport.model_validate_json(progress.report().model_dump_json())
    report = drive(Progress(loaded.plan, loaded), {"a": lambda: 1 / 0, "b": lambda: "b"})
    assert report.run_id == "r"
    assert report.outputs == {"a": {"x": 1}, "b": "b"}
    assert report.steps["a"].ended_at == 6.0
