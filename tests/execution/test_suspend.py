"""A run that is suspended goes on, and ends as it would have ended; steps that are held do not start."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path
from typing import Any, Dict, List

import pytest
from execution_helpers import SHORT, Driver, Gate, Recorder, fails, guarded, one, plan_of

import wfplan
from wfplan import Compensation, Event, ExecutionReport, Progress, RetryPolicy, Step, StepCall, StopSignal

CHAIN = wfplan.plan({"a": [], "b": ["a"], "c": ["b"]})


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "run.jsonl"


def suspending(stop: StopSignal, at: str, **how: bool) -> Recorder:
    """An executor that has the run suspended while it is in a step."""

    def act(call: StepCall) -> str:
        if call.step.name == at:
            stop.set(suspend=True, **how)
        return call.step.name

    return Recorder(act)


def keys(recorder: Recorder) -> Dict[str, str]:
    return {call.step.name: call.idempotency_key for call in recorder.calls}


@pytest.mark.parametrize("again", ["journal", "report", "report-from-json", "report-from-journal"])
def test_a_suspended_run_is_the_same_run_when_it_goes_on(drive: Driver, path: Path, again: str) -> None:
    stop = StopSignal()
    first = suspending(stop, "b")
    report = drive(CHAIN, first, journal=path, stop=stop)
    assert (report.phase, report.suspended_in, report.ended, report.ok) == ("suspended", "execute", False, False)
    assert report.statuses == {"a": "succeeded", "b": "succeeded", "c": "pending"}
    assert ExecutionReport.from_journal(path) == report
    with pytest.raises(wfplan.ExecutionError, match="the run is suspended: 1 of 3 steps have not ended"):
        report.raise_for_status()

    second = Recorder()
    loaded = ExecutionReport.model_validate_json(report.model_dump_json())
    keywords: Dict[str, Any] = {
        "journal": {"journal": path},
        "report": {"resume": report},
        "report-from-json": {"resume": loaded},
        "report-from-journal": {"resume": ExecutionReport.from_journal(path)},
    }[again]
    ended = drive(CHAIN, second, **keywords)
    assert (ended.phase, ended.run_id, ended.suspended_in) == ("completed", report.run_id, None)
    assert [call.step.name for call in second.calls] == ["c"]
    unbroken = Recorder()
    drive(CHAIN, unbroken, run_id=report.run_id)
    assert {**keys(first), **keys(second)} == keys(unbroken)


def test_a_suspended_report_resumed_otherwise_is_a_new_run(drive: Driver) -> None:
    stop = StopSignal()
    report = drive(CHAIN, suspending(stop, "a"), stop=stop)
    for other in ({"run_id": "mine"}, {"on_failure": "cancel"}, {"max_parallel": 1}):
        new = drive(CHAIN, Recorder(), resume=report, **other)
        assert new.ok
        assert new.run_id != report.run_id
        assert new.steps["a"].run_id == report.run_id
    changed = wfplan.plan(CHAIN.workflow.replace("c", action="other"))
    assert drive(changed, Recorder(), resume=report).run_id != report.run_id


def test_it_is_suspended_twice(drive: Driver, path: Path) -> None:
    for at, left in (("a", ["b", "c"]), ("b", ["c"])):
        stop = StopSignal()
        report = drive(CHAIN, suspending(stop, at), journal=path, stop=stop)
        assert [name for name, status in report.statuses.items() if status == "pending"] == left
    assert drive(CHAIN, Recorder(), journal=path).ok


def test_of_a_run_in_which_nothing_is_left_it_is_the_end(drive: Driver, path: Path) -> None:
    stop = StopSignal()
    report = drive(CHAIN, suspending(stop, "c"), journal=path, stop=stop)
    assert report.phase == "completed"
    assert ExecutionReport.from_journal(path) == report


def test_before_anything_has_begun(drive: Driver, path: Path) -> None:
    stop = StopSignal()
    stop.set(suspend=True)
    recorder = Recorder()
    report = drive(CHAIN, recorder, journal=path, stop=stop)
    assert (report.phase, recorder.calls) == ("suspended", [])
    assert ExecutionReport.from_journal(path) == report
    assert drive(CHAIN, Recorder(), journal=path).run_id == report.run_id


def test_what_fails_meanwhile_is_concluded_when_the_run_goes_on(drive: Driver, path: Path) -> None:
    """No skips, no retries, no rollback before."""
    stop = StopSignal()
    plan = plan_of(
        Step(name="a", rollback=Compensation(action="undo")),
        Step(name="b", dependencies=["a"]),
        Step(name="c", dependencies=["b"]),
        rollback_on_failure=True,
    )

    def act(call: StepCall) -> None:
        if call.step.name == "b":
            stop.set(suspend=True)
            raise ValueError

    report = drive(plan, Recorder(act), journal=path, stop=stop)
    assert (report.phase, report.suspended_in) == ("suspended", "execute")
    assert report.statuses == {"a": "succeeded", "b": "failed", "c": "pending"}
    assert report.rollback == {}
    second = Recorder()
    ended = drive(plan, second, journal=path)
    assert (ended.phase, ended.undone, ended.statuses["c"]) == ("rolled_back", ("a",), "skipped")
    assert [call.purpose for call in second.calls] == ["compensate"]


def test_a_retry_is_not_lost(drive: Driver, path: Path) -> None:
    stop = StopSignal()

    def act(_call: StepCall) -> None:
        stop.set(suspend=True)
        raise ValueError

    plan = one(retry=RetryPolicy(max_attempts=2))
    report = drive(plan, Recorder(act), journal=path, stop=stop)
    assert (report.phase, report.statuses, report.steps["a"].attempts) == ("suspended", {"a": "pending"}, 1)
    ended = drive(plan, Recorder(), journal=path)
    assert (ended.ok, ended.steps["a"].attempts) == (True, 2)


def test_what_is_cancelled_because_it_was_asked_to_end_is_made_again(drive: Driver, path: Path) -> None:
    stop = StopSignal()

    async def act() -> None:
        stop.set(suspend=True, cancel=True)
        await asyncio.sleep(60)

    report = drive(CHAIN, Recorder(lambda _call: act()), journal=path, stop=stop)
    assert (report.phase, report.statuses["a"]) == ("suspended", "running")
    assert ExecutionReport.from_journal(path) == report
    second = Recorder()
    ended = drive(CHAIN, second, journal=path)
    assert ended.ok
    assert [(call.step.name, call.attempt) for call in second.calls] == [("a", 1), ("b", 1), ("c", 1)]


def test_what_must_not_be_done_twice_is_as_at_a_crash(drive: Driver, path: Path) -> None:
    stop = StopSignal()

    async def act() -> None:
        stop.set(suspend=True, cancel=True)
        await asyncio.sleep(60)

    plan = one(idempotent=False)
    assert drive(plan, Recorder(lambda _call: act()), journal=path, stop=stop).phase == "suspended"
    ended = drive(plan, Recorder(), journal=path)
    assert (ended.statuses, ended.steps["a"].reason) == ({"a": "failed"}, "outcome-unknown")


def test_what_does_not_end_in_time_is_made_again() -> None:
    """By the clock of the progress: a suspended run waits for what runs, and when it was asked to end, only so long."""
    progress = Progress(plan_of(Step(name="a"), Step(name="b"), max_parallel=2), run_id="r")
    progress.get_ready(0)
    progress.suspend(now=1)
    assert progress.is_active()
    assert progress.get_cancellations() == ()
    progress.suspend(cancel=True, grace_seconds=10, now=2)
    assert set(progress.get_cancellations()) == {"a", "b"}
    assert progress.next_deadline == 12
    progress.cancelled("b", now=3)
    assert progress.is_active()
    assert progress.get_ready(12) == ()
    assert not progress.is_active()
    progress.done("a", "late", now=13)
    report = progress.report()
    assert (report.phase, report.statuses) == ("suspended", {"a": "running", "b": "running"})
    again = Progress(progress.plan, report)
    assert [(call.step.name, call.run_id) for call in again.restart_in_flight(20)] == [("a", "r"), ("b", "r")]


def test_it_is_suspended_in_its_dry_run(drive: Driver, path: Path) -> None:
    stop = StopSignal()
    plan = plan_of(Step(name="a"), Step(name="b", dependencies=["a"]), dry_run_first=True)
    first = suspending(stop, "b")
    first.supports_dry_run = True  # type: ignore[attr-defined]
    report = drive(plan, first, journal=path, stop=stop)
    assert (report.phase, report.suspended_in) == ("suspended", "dry_run")
    assert {name: step.status for name, step in report.dry_run.items()} == {"a": "succeeded", "b": "succeeded"}
    assert report.statuses == {"a": "pending", "b": "pending"}
    assert ExecutionReport.from_journal(path) == report
    second = Recorder()
    second.supports_dry_run = True  # type: ignore[attr-defined]
    assert drive(plan, second, journal=path).ok
    assert [call.purpose for call in second.calls] == ["execute", "execute"]


def test_a_mere_dry_run_that_is_over_is_over(drive: Driver) -> None:
    stop = StopSignal()
    recorder = suspending(stop, "a")
    recorder.supports_dry_run = True  # type: ignore[attr-defined]
    assert drive(one(), recorder, dry_run=True, stop=stop).phase == "completed"


def test_a_signal_alone_still_ends_a_run_and_also_after_a_suspension(drive: Driver, path: Path) -> None:
    stop = StopSignal()

    def act(_call: StepCall) -> None:
        stop.set(suspend=True)
        stop.set()

    report = drive(CHAIN, Recorder(act), journal=path, stop=stop)
    assert (report.phase, report.stop_requested) == ("failed", True)
    assert report.statuses == {"a": "succeeded", "b": "skipped", "c": "skipped"}


def test_observers_are_told(drive: Driver, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "wfplan")
    stop, events = StopSignal(), []  # type: ignore[var-annotated]
    report = drive(CHAIN, suspending(stop, "a"), stop=stop, observers=[events.append], run_id="r")
    assert (events[-1].kind, events[-1].phase, events[-1].report) == ("run-suspended", "suspended", report)
    assert caplog.messages[-1] == "run r is suspended"


def test_a_step_that_timed_out_and_is_left_behind_is_not_waited_for(drive: Driver, gate: Gate, path: Path) -> None:
    stop = StopSignal()
    plan = plan_of(Step(name="a", timeout_seconds=SHORT, retry=RetryPolicy(max_attempts=2)), Step(name="b"))
    told = threading.Event()

    def observe(event: Event) -> None:
        if (event.kind, event.status) == ("attempt-ended", "timed_out"):
            stop.set(suspend=True)
            told.set()

    report = drive(plan, {"a": gate.hang, "b": lambda: told.wait(20)}, journal=path, stop=stop, observers=[observe])
    assert (report.phase, report.statuses) == ("suspended", {"a": "running", "b": "succeeded"})
    assert [problem.code for problem in report.problems] == ["abandoned"]
    ended = drive(plan, {"a": int, "b": fails}, journal=path)
    assert (ended.ok, ended.steps["a"].attempts) == (True, 2)


class TestHold:
    PLAN = wfplan.plan({"a": [], "b": [], "c": ["b"], "d": ["a"]})

    def test_all_else_runs_and_then_the_run_is_suspended(self, drive: Driver, path: Path) -> None:
        report = drive(self.PLAN, Recorder(), hold=["b"], schedule="eager", journal=path)
        assert (report.phase, report.suspended_in, report.held) == ("suspended", "execute", ("b",))
        assert report.statuses == {"a": "succeeded", "b": "pending", "c": "pending", "d": "succeeded"}
        assert ExecutionReport.from_journal(path) == report
        again = Recorder()
        kept = drive(self.PLAN, again, journal=path)
        assert (kept.held, again.calls) == (("b",), [])
        assert drive(self.PLAN, again, journal=path, hold=["c"]).held == ("c",)
        assert ExecutionReport.from_journal(path).held == ("c",)
        assert [call.step.name for call in again.calls] == ["b"]
        ended = drive(self.PLAN, again, journal=path, hold=())
        assert (ended.phase, ended.held, ended.run_id) == ("completed", (), report.run_id)
        assert [call.step.name for call in again.calls] == ["b", "c"]

    def test_in_batches_the_later_ones_wait(self, drive: Driver) -> None:
        report = drive(self.PLAN, Recorder(), hold=["b"])
        assert report.statuses == {"a": "succeeded", "b": "pending", "c": "pending", "d": "pending"}
        again = drive(self.PLAN, Recorder(), resume=report)
        assert (again.phase, again.run_id, again.held) == ("suspended", report.run_id, ("b",))
        assert drive(self.PLAN, Recorder(), resume=report, hold=()).ok

    def test_when_the_run_stops_they_are_skipped(self, drive: Driver) -> None:
        report = drive(self.PLAN, {"a": fails, "b": int, "c": int, "d": int}, hold=["b"])
        assert (report.phase, report.statuses["b"]) == ("failed", "skipped")

    def test_the_rest_waits_for_retries(self, drive: Driver) -> None:
        plan = plan_of(Step(name="a", retry=RetryPolicy(max_attempts=2, delay_seconds=SHORT)), Step(name="b"))
        calls: List[int] = []

        def flaky() -> None:
            calls.append(1)
            if len(calls) == 1:
                raise ValueError

        assert drive(plan, {"a": flaky, "b": int}, hold=["b"]).statuses == {"a": "succeeded", "b": "pending"}

    @pytest.mark.parametrize("hold", ["b", 3, ["b", "bb"], [None], [[]]])
    def test_what_is_not_a_step_is_refused(self, drive: Driver, hold: Any) -> None:
        recorder = Recorder()
        with pytest.raises(wfplan.RefusedError) as caught:
            drive(self.PLAN, recorder, hold=hold)
        assert [problem.code for problem in caught.value.problems] == ["invalid-setting"]
        assert recorder.calls == []

    def test_the_nearest_name_is_told(self, drive: Driver) -> None:
        with pytest.raises(wfplan.RefusedError, match='did you mean "verify"'):
            drive(wfplan.plan({"verify": []}), Recorder(), hold=["verfy"])

    def test_a_dry_run_does_not_ask(self, drive: Driver) -> None:
        recorder = Recorder()
        recorder.supports_dry_run = True  # type: ignore[attr-defined]
        plan = plan_of(Step(name="a"), Step(name="b"), dry_run_first=True)
        report = drive(plan, recorder, hold=["b"])
        assert {step.status for step in report.dry_run.values()} == {"succeeded"}
        assert report.statuses == {"a": "succeeded", "b": "pending"}

    def test_a_suspended_progress_goes_on_as_another(self, drive: Driver) -> None:
        progress = Progress(one(), hold=["a"])
        assert (progress.is_active(), progress.phase, progress.held) == (False, "suspended", ("a",))
        with pytest.raises(wfplan.RefusedError, match="the Progress is suspended"):
            drive(progress, Recorder())
        assert drive(Progress(one(), progress.report(), hold=()), Recorder()).ok


class TestReportOfAnError:
    def test_it_is_found_on_the_error_its_context_and_its_cause(self) -> None:
        report = wfplan.run(one(), {"a": int})
        error = wfplan.ExecutionError(report)
        assert ExecutionReport.of(error) is report
        for attribute in ("__context__", "__cause__"):
            outer = KeyboardInterrupt()
            setattr(outer, attribute, error)
            assert ExecutionReport.of(outer) is report

    def test_there_may_be_none(self) -> None:
        first, second = ValueError(), KeyError()
        first.__context__, second.__context__ = second, first
        assert ExecutionReport.of(first) is None
        second.report = "mine"  # type: ignore[attr-defined]
        assert ExecutionReport.of(second) is None


class TestStream:
    @staticmethod
    def events(*arguments: Any, leave_at: str = "", **keywords: Any) -> List[Event]:
        async def main() -> List[Event]:
            told: List[Event] = []
            stream = wfplan.astream(*arguments, **keywords)
            async for event in stream:
                told.append(event)
                if event.kind == leave_at:
                    break
            await stream.aclose()  # type: ignore[attr-defined]
            return told

        return guarded(lambda: asyncio.run(main()))

    def test_every_event_and_the_report_with_the_last(self) -> None:
        observed: List[Event] = []
        told = self.events(CHAIN, Recorder(), observers=[observed.append])
        assert told == observed
        assert told[-1].kind == "run-ended"
        assert told[-1].report is not None
        assert told[-1].report.ok
        assert "report" not in told[-1].model_dump()

    def test_of_a_run_that_has_ended_the_report_is_all(self, path: Path) -> None:
        report = wfplan.run(CHAIN, Recorder(), journal=path)
        (event,) = self.events(CHAIN, Recorder(), journal=path)
        assert (event.kind, event.report) == ("run-ended", report)

    def test_leaving_it_suspends_the_run(self, path: Path) -> None:
        told = self.events(
            CHAIN, {name: lambda: asyncio.sleep(0) for name in "abc"}, journal=path, leave_at="step-ended"
        )
        assert told[-1].step == "a"
        report = ExecutionReport.from_journal(path)
        assert (report.phase, report.statuses["a"]) == ("suspended", "succeeded")
        assert wfplan.run(CHAIN, Recorder(), journal=path).run_id == report.run_id

    @pytest.mark.parametrize("wrong", [{"max_parallel": 0}, {"observers": 3}])
    def test_a_refusal_is_raised_at_the_first_step(self, wrong: Any) -> None:
        with pytest.raises(wfplan.RefusedError):
            self.events(CHAIN, Recorder(), **wrong)
