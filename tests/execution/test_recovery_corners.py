"""What is rare on the way back: each of these once went wrong."""

from __future__ import annotations

import asyncio
import enum
import json
import logging
import os
import threading
import time
from collections import OrderedDict
from pathlib import Path
from typing import Any, Callable, Dict, List, NamedTuple

import pytest
from execution_helpers import SHORT, Driver, Gate, Recorder, fails, plan_of

import wfplan
from wfplan import (
    Compensation,
    ExecutionPlan,
    ExecutionReport,
    Problem,
    Progress,
    RefusedError,
    RetryPolicy,
    Step,
    StepCall,
    StepReport,
    StopSignal,
)
from wfplan.execution.journal import file as journal_file
from wfplan.execution.journal.file import JournalFile
from wfplan.execution.resume import resume_preview
from wfplan.execution.rollback import rollback_plan


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "run.jsonl"


def undoable(name: str, *needs: str, **fields: Any) -> Step:
    return Step(name=name, dependencies=needs, rollback=Compensation(action=f"undo-{name}"), **fields)


class Acting(Recorder):
    """Fails where it is told to: by name, or by purpose and name."""

    supports_dry_run = True

    def __init__(self, *bad: Any) -> None:
        super().__init__(lambda call: fails() if {call.step.name, (call.purpose, call.step.name)} & set(bad) else 1)

    def done(self, purpose: str = "execute") -> List[str]:
        return [call.step.name for call in self.calls if call.purpose == purpose]


def keep(path: Path, wanted: Callable[[Dict[str, Any]], bool], *, also: bool = True) -> None:
    """Cut a journal behind the first line that is wanted, or before it."""
    kept: List[str] = []
    for line in path.read_text(encoding="utf-8").splitlines(keepends=True):
        if wanted(json.loads(line)):
            path.write_text("".join([*kept, line] if also else kept), encoding="utf-8")
            return
        kept.append(line)
    raise AssertionError("no such line")


def is_about(event: str, name: str, purpose: str = "execute") -> Callable[[Dict[str, Any]], bool]:
    def look(line: Dict[str, Any]) -> bool:
        about = (line.get("event"), line.get("step", {"name": ""})["name"], line.get("purpose", "execute"))
        return about == (event, name, purpose)

    return look


CHAIN = plan_of(
    undoable("a"), undoable("b", "a"), undoable("c", "b"), Step(name="d", dependencies=["c"]), rollback_on_failure=True
)


def test_what_is_in_flight_is_beyond_its_dry_run(drive: Driver, path: Path) -> None:
    plan = plan_of(Step(name="a"), Step(name="b", dependencies=["a"]), dry_run_first=True)
    drive(plan, Acting(), journal=path)
    keep(path, is_about("attempt-started", "a"))
    executor = Acting()
    assert drive(plan, executor, resume=ExecutionReport.from_journal(path, plan)).ok
    assert (executor.done(), executor.done("dry_run")) == (["a", "b"], [])


def test_no_step_has_begun_while_its_dry_run_has_not_ended() -> None:
    plan = plan_of(Step(name="a"), dry_run_first=True)
    running = StepReport(name="a", status="running", attempts=1, started_at=0, attempt_started_at=0)
    report = ExecutionReport(
        plan=plan, run_id="r", phase="executing", steps={"a": running}, dry_run={"a": StepReport(name="a")}
    )
    with pytest.raises(RefusedError, match="dry run has not ended"):
        Progress(plan, report)


def test_what_a_resumed_run_knows_is_written_at_once_or_not_at_all(drive: Driver, path: Path) -> None:
    plan = plan_of(Step(name="a"), Step(name="b", dependencies=["a"]), Step(name="c", dependencies=["b"]))
    report = drive(plan, Acting("c"))
    drive(plan, Acting(), resume=report, journal=path)
    whole = path.read_bytes()
    for length in range(0, len(whole) + 1, 7):
        path.write_bytes(whole[:length])
        executor = Acting()
        assert drive(plan, executor, resume=report, journal=path).ok
        assert executor.done() in (["c"], [])


def test_the_dependents_of_a_failed_compensation_are_undone_and_stay_so(drive: Driver) -> None:
    report = drive(CHAIN, Acting("d", ("compensate", "c")))
    assert (report.phase, report.undone) == ("failed", ("b", "a"))
    executor = Acting()
    assert drive(CHAIN, executor, resume=report).phase == "rolled_back"
    assert executor.done("compensate") == ["c"]


@pytest.mark.parametrize("told", ["attempt-started", "step-ended"])
def test_a_rollback_of_which_only_the_beginning_is_known_goes_on(drive: Driver, path: Path, told: str) -> None:
    drive(CHAIN, Acting("d"), journal=path)
    keep(path, is_about(told, "c", "compensate"))
    report = ExecutionReport.from_journal(path, CHAIN)
    executor = Acting()
    again = drive(CHAIN, executor, resume=report)
    assert again.phase == "rolled_back"
    assert (executor.done(), executor.done("compensate")) == (
        [],
        ["c", "b", "a"] if told == "attempt-started" else ["b", "a"],
    )


def test_a_compensation_that_was_in_flight_is_made_again_under_the_same_key(drive: Driver, path: Path) -> None:
    first = Acting("d")
    drive(CHAIN, first, journal=path)
    keep(path, is_about("attempt-started", "b", "compensate"))
    executor = Acting()
    drive(CHAIN, executor, resume=ExecutionReport.from_journal(path))
    keys = [
        next(c.idempotency_key for c in known.calls if c.purpose == "compensate" and c.step.name == "b")
        for known in (first, executor)
    ]
    assert keys[0] == keys[1]


def test_what_came_back_late_waits_for_its_retry_and_holds_nothing(drive: Driver, path: Path) -> None:
    copy = path.with_name("copy")
    plan = plan_of(
        Step(name="a", timeout_seconds=0.3, locks=["x"], retry=RetryPolicy(max_attempts=2, delay_seconds=0.3)),
        Step(name="b", locks=["x"]),
        schedule="eager",
    )

    def slow() -> None:
        time.sleep(0.4 if not copy.exists() else 0)

    functions: Dict[str, Any] = {"a": slow, "b": lambda: copy.write_bytes(path.read_bytes())}
    assert drive(plan, functions, journal=path).ok
    report = ExecutionReport.from_journal(copy)
    assert (report.steps["a"].status, report.steps["b"].status) == ("pending", "running")
    assert report.steps["a"].retry_at is not None
    assert drive(plan, Acting(), journal=copy).ok


class Strange(dict):  # type: ignore[type-arg]
    def items(self) -> Any:
        raise RuntimeError("changed size during iteration")


class Loud(type):
    @property
    def __module__(cls) -> str:  # type: ignore[override]
        raise RuntimeError("no module")


class Nameless(metaclass=Loud):
    pass


class Surrogate:
    pass


Surrogate.__qualname__ = "\ud800"


class Colour(str, enum.Enum):
    RED = "red"


class Number(int):
    def __abs__(self) -> int:
        raise RuntimeError

    def __int__(self) -> int:
        raise RuntimeError


@pytest.mark.parametrize("output", [Strange(a=1), Nameless(), Surrogate()], ids=["strange", "nameless", "surrogate"])
def test_an_output_of_any_class_ends_no_run(drive: Driver, path: Path, output: Any) -> None:
    plan = plan_of(Step(name="a"), Step(name="b", dependencies=["a"]))
    functions: Dict[str, Callable[[], Any]] = {"a": lambda: output, "b": fails}
    report = drive(plan, functions, journal=path)
    assert report.outputs["a"] is output
    told = ExecutionReport.from_journal(path)
    assert told.steps["a"].output_not_kept
    assert ExecutionReport.model_validate_json(report.model_dump_json()) == told
    second = path.with_name("second")
    assert drive(plan, Acting(), resume=report, journal=second).ok
    assert drive(plan, Acting(), journal=second).ok


def test_an_exception_of_any_class_ends_no_run(drive: Driver, path: Path) -> None:
    class QuietError(ValueError):
        pass

    QuietError.__qualname__ = "\ud800"

    def act() -> None:
        raise QuietError

    report = drive(plan_of(Step(name="a")), {"a": act}, journal=path)
    assert ExecutionReport.from_journal(path) == report
    assert "ud800" in str(report.steps["a"].error)


def test_values_of_derived_classes_are_marked_as_not_kept(drive: Driver, path: Path) -> None:
    """JSON would give something else back."""

    class Pair(NamedTuple):
        one: int

    outputs: Dict[str, Any] = {
        "a": Colour.RED,
        "b": [Number(7)],
        "c": {Colour.RED: 1.5},
        "d": Pair(1),
        "e": OrderedDict(a=1),
        "f": [{"x": Pair(1)}],
    }
    functions: Dict[str, Any] = {name: lambda value=value: value for name, value in outputs.items()}
    report = drive(plan_of(*(Step(name=name) for name in outputs)), functions, journal=path)
    loaded = ExecutionReport.model_validate_json(report.model_dump_json())
    for told in (ExecutionReport.from_journal(path), loaded):
        assert told.outputs == dict.fromkeys(outputs)
        assert all(step.output_not_kept for step in told.steps.values())


@pytest.mark.parametrize("settings", [{"max_parallel": 2}, {"mode": "sequential"}])
def test_the_call_that_began_a_journal_goes_on_with_it(drive: Driver, path: Path, settings: Dict[str, Any]) -> None:
    plan = plan_of(Step(name="a"), Step(name="b"), **settings)
    report = drive(plan, Acting(), journal=path, max_parallel=5)
    assert drive(plan, Acting(), journal=path, max_parallel=5) == report


def test_an_id_that_is_the_name_of_another_step_identifies_neither(drive: Driver) -> None:
    steps = (Step(name="x", action="act", recommendation_id="y"), Step(name="y", action="act"))
    plan = plan_of(*steps, Step(name="z", dependencies=["x", "y"]))
    executor = Acting()
    assert drive(plan, executor, resume=drive(plan, Acting("z"))).ok
    assert executor.done() == ["z"]


def test_a_dry_run_that_was_stopped_stays_so() -> None:
    plan = plan_of(Step(name="a", retry=RetryPolicy(max_attempts=3)), dry_run_first=True)
    progress = Progress(plan, run_id="r")
    progress.get_ready(0)
    progress.stop(now=0)
    restored = Progress(plan, ExecutionReport.model_validate_json(progress.report().model_dump_json()))
    assert restored.report() == progress.report()
    for known in (progress, restored):
        known.failed("a", "e", now=1)
        assert known.get_ready(1) == ()
        assert not known.is_active()


def test_a_mere_dry_run_that_is_restored_stays_one() -> None:
    plan = plan_of(Step(name="a"), Step(name="b", dependencies=["a"]))
    progress = Progress(plan, dry_run=True)
    progress.get_ready(0)
    progress = Progress(plan, progress.report())
    progress.done("a", now=1)
    (call,) = progress.get_ready(1)
    assert call.purpose == "dry_run"
    progress.done("b", now=1)
    assert progress.phase == Progress(plan, progress.report()).phase == "completed"


def test_a_signal_is_written_down_before_what_follows_from_it(drive: Driver, path: Path) -> None:
    stop = StopSignal()
    plan = plan_of(Step(name="a"), Step(name="b", dependencies=["a"]))
    drive(plan, {"a": stop.set, "b": int}, stop=stop, journal=path)
    events = [json.loads(line).get("event") for line in path.read_text(encoding="utf-8").splitlines()]
    assert events == [None, "attempt-started", "stop", "step-ended", "step-ended", "end"]


def test_what_was_in_flight_behind_a_tolerated_failure_is_continued(drive: Driver, path: Path) -> None:
    plan = plan_of(Step(name="a", continue_on_failure=True), Step(name="b", dependencies=["a"]))
    drive(plan, Acting("a"), journal=path)
    keep(path, is_about("attempt-started", "b"))
    report = ExecutionReport.from_journal(path)
    assert resume_preview(plan, report).continues == ("b",)
    executor = Acting()
    assert drive(plan, executor, resume=report).ok
    assert executor.done() == ["b"]


@pytest.mark.parametrize("change", [{"name": "new"}, {"parameters": {"x": 1}}, {"action": "other"}])
def test_what_must_not_be_done_twice_is_not_done_under_another_guise(drive: Driver, change: Dict[str, Any]) -> None:
    old = Step(name="a", action="act", recommendation_id="rec", idempotent=False)
    running = StepReport(name="a", recommendation_id="rec", status="running", attempts=1, attempt_started_at=0.0)
    report = ExecutionReport(plan=plan_of(old), run_id="r", phase="executing", steps={"a": running})
    executor = Acting()
    again = drive(plan_of(old.model_copy(update=change)), executor, resume=report)
    assert executor.calls == []
    assert [step.reason for step in again.steps.values()] == ["outcome-unknown"]
    assert again.uncertain == tuple(again.steps)


def test_a_compensation_that_is_blocked_stops_no_other(drive: Driver, gate: Gate) -> None:
    plan = plan_of(
        undoable("a"),
        undoable("b", "a", locks=["x"]),
        Step(name="c", dependencies=["b"], locks=["x"], timeout_seconds=SHORT),
        rollback_on_failure=True,
    )
    executor = Recorder(lambda call: gate.hang() if call.step.name == "c" else None)
    report = drive(plan, executor)
    assert {name: (step.status, step.reason) for name, step in report.rollback.items()} == {
        "b": ("skipped", "blocked-by-abandoned-call"),
        "a": ("succeeded", None),
    }
    assert Progress(plan, report).report().rollback == report.rollback


def test_a_compensation_is_called_without_an_output_that_was_lost(drive: Driver, path: Path) -> None:
    plan = plan_of(undoable("a"), Step(name="b", dependencies=["a"]), rollback_on_failure=True)
    drive(plan, Recorder(lambda call: fails() if call.step.name == "b" else object()), journal=path)
    keep(path, is_about("attempt-started", "a", "compensate"), also=False)
    executor = Acting()
    assert drive(plan, executor, journal=path).phase == "rolled_back"
    (call,) = executor.calls
    assert dict(call.outputs) == {}


def full_after(patch: pytest.MonkeyPatch, writes: int) -> None:
    left = [writes]
    append = JournalFile.append

    def limited(file: JournalFile, data: bytes) -> None:
        left[0] -= 1
        if left[0] < 0:
            raise OSError(28, "No space left on device")
        append(file, data)

    patch.setattr(JournalFile, "append", limited)


def test_what_a_dead_process_had_started_stays_uncertain_when_the_disk_is_full(
    drive: Driver, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = plan_of(Step(name="a"))
    drive(plan, Acting(), journal=path)
    keep(path, is_about("attempt-started", "a"))
    with monkeypatch.context() as patch:
        full_after(patch, 0)
        report = drive(plan, Acting(), journal=path)
    assert (report.statuses, report.uncertain) == ({"a": "cancelled"}, ("a",))


def test_a_compensation_that_never_began_leaves_nothing_uncertain(
    drive: Driver, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = plan_of(undoable("a"), Step(name="b", dependencies=["a"]), rollback_on_failure=True)
    executor = Acting("b")
    with monkeypatch.context() as patch:
        full_after(patch, 2)
        report = drive(plan, executor, journal=path)
    assert executor.done("compensate") == []
    assert (report.rollback["a"].status, report.rollback["a"].reason) == ("cancelled", "journal-failed")
    assert report.uncertain == ()
    assert drive(plan, executor, resume=report).phase == "rolled_back"


def test_a_disk_that_is_full_at_the_end_is_told(drive: Driver, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        full_after(patch, 2)
        report = drive(plan_of(Step(name="a")), Acting(), journal=path)
    assert report.ok
    assert [problem.code for problem in report.problems] == ["journal-failed"]
    assert drive(plan_of(Step(name="a")), Acting(), journal=path).ok


def test_a_step_may_change_the_folder(drive: Driver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "other").mkdir()
    plan = plan_of(Step(name="a"), Step(name="b", dependencies=["a"]))
    assert drive(plan, {"a": lambda: os.chdir("other"), "b": int}, journal="run.jsonl").ok
    assert ExecutionReport.from_journal(tmp_path / "run.jsonl").ok


def test_a_validation_that_removes_the_journal_is_a_refusal_all_the_same(drive: Driver, path: Path) -> None:
    class Vandal(Recorder):
        def validate(self, plan: ExecutionPlan) -> List[Problem]:
            path.unlink()
            return [Problem(code="unsupported", severity="error", message="no")]

    with pytest.raises(RefusedError):
        drive(plan_of(Step(name="a")), Vandal(), journal=path)


@pytest.mark.parametrize("name", ["wfplan-run", "wfplan-call"])
def test_a_system_without_threads(drive: Driver, path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Under `run` there is no run, and no lock is left; under `arun` the journal is written without a thread."""
    start = threading.Thread.start

    def refuse(thread: threading.Thread) -> None:
        if thread.name == name:
            raise RuntimeError("can't start new thread")
        start(thread)

    async def act() -> int:
        return 1

    plan = plan_of(Step(name="a"))
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", refuse)
        if name == "wfplan-run" and not drive.is_async:
            with pytest.raises(RuntimeError):
                drive(plan, {"a": act}, journal=path)
        else:
            assert drive(plan, {"a": act}, journal=path).ok
    assert drive(plan, {"a": act}, journal=path).ok


def test_a_session_that_cannot_be_leaves_no_lock(drive: Driver, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(wfplan.execution.preparation.PreparedRun, "open_journal", lambda self: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            drive(plan_of(Step(name="a")), Acting(), journal=path)
    assert drive(plan_of(Step(name="a")), Acting(), journal=path).ok


def test_a_driver_that_fails_leaves_no_lock(drive: Driver, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(Progress, "get_ready", lambda self, now: 1 / 0)
        for keywords in ({"journal": path}, {}):
            with pytest.raises(ZeroDivisionError):
                drive(plan_of(Step(name="a")), Acting(), **keywords)
    assert drive(plan_of(Step(name="a")), Acting(), journal=path).ok


def test_an_opening_that_fails_leaves_no_lock(drive: Driver, path: Path) -> None:
    class Executor:
        @property
        def execute(self) -> Any:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        drive(plan_of(Step(name="a")), Executor(), journal=path)
    assert drive(plan_of(Step(name="a")), Acting(), journal=path).ok


def test_a_pipe_is_not_waited_for(path: Path) -> None:
    os.mkfifo(path)
    with pytest.raises(OSError, match="not a regular file"):
        ExecutionReport.from_journal(path)
    with pytest.raises(IsADirectoryError):
        ExecutionReport.from_journal(path.parent)


def test_a_resumed_run_has_the_id_that_it_is_given(drive: Driver) -> None:
    plan = plan_of(Step(name="a"))
    report = drive(plan, Acting("a"))
    assert drive(plan, Acting(), resume=report, run_id="mine").run_id == "mine"
    with pytest.raises(RefusedError, match="run_id"):
        drive(plan, Acting(), resume=report, run_id="")


def test_what_is_no_report_cannot_be_resumed_into_a_journal_either(drive: Driver, path: Path) -> None:
    plan = plan_of(Step(name="a"))
    drive(plan, Acting(), journal=path)
    wrong: Any = "report"
    with pytest.raises(RefusedError, match="resume"):
        drive(plan, Acting(), journal=path, resume=wrong)


def test_many_wide_layers_without_compensation_make_no_large_plan() -> None:
    """60 steps, each of which stands between 200 that are undone late and 60 that are undone early."""
    late = [undoable(f"late{n}") for n in range(200)]
    between = [Step(name=f"between{n}", dependencies=[step.name for step in late]) for n in range(60)]
    early = [undoable(f"early{n}", *(step.name for step in between)) for n in range(60)]
    plan = plan_of(*late, *between, *early)
    edges = sum(len(step.dependencies) for step in plan.workflow.steps)
    undoing = rollback_plan(plan, plan.steps)
    assert sum(len(step.dependencies) for step in undoing.workflow.steps) < edges
    numbers = {name: batch.number for batch in undoing.batches for name in batch.steps}
    assert max(numbers[step.name] for step in early) < min(numbers[step.name] for step in late)


def test_a_call_knows_the_run_that_its_key_is_of(drive: Driver) -> None:
    seen: List[StepCall] = []
    plan = plan_of(Step(name="a"))
    drive(plan, Recorder(seen.append), run_id="mine")
    assert [call.run_id for call in seen] == ["mine"]


def test_a_forked_child_lets_go_of_the_journals_of_its_parent(path: Path) -> None:
    file = JournalFile(path)
    journal_file._forget_in_child()
    JournalFile(path).close()
    file.close()


def test_cancelling_the_task_while_its_journal_is_written(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    writing = threading.Event()
    append = JournalFile.append

    def slow(file: JournalFile, data: bytes) -> None:
        writing.set()
        time.sleep(0.1)
        append(file, data)

    async def main() -> None:
        task = asyncio.ensure_future(wfplan.arun(plan_of(Step(name="a")), {"a": int}, journal=path))
        await asyncio.get_running_loop().run_in_executor(None, writing.wait)
        task.cancel()
        await task

    monkeypatch.setattr(JournalFile, "append", slow)
    with pytest.raises(asyncio.CancelledError):
        asyncio.run(main())
    report = ExecutionReport.from_journal(path)
    assert (report.phase, report.statuses) in (("suspended", {"a": "pending"}), ("completed", {"a": "succeeded"}))


def test_what_was_left_behind_by_a_process_that_is_gone_holds_nothing() -> None:
    plan = plan_of(
        undoable("a"),
        Step(name="b", dependencies=["a"], timeout_seconds=1),
        rollback_on_failure=True,
        max_parallel=2,
    )
    progress = Progress(plan)
    progress.get_ready(0)
    progress.done("a", now=0)
    progress.get_ready(0)
    progress.get_ready(1)
    (call,) = progress.get_ready(2)
    assert call.purpose == "compensate"
    again = Progress(plan, progress.report())
    assert [call.purpose for call in again.restart_in_flight(3)] == ["compensate"]
    assert again.abandoned == ()
    again.done("a", now=3)
    assert again.phase == "rolled_back"


def test_reports_of_what_is_no_step_cannot_be(drive: Driver) -> None:
    report = drive(plan_of(Step(name="a")), Acting())
    with pytest.raises(ValueError, match="not a step of the run"):
        ExecutionReport.model_validate({**vars(report), "rollback": {"b": StepReport(name="b")}})


def test_reports_are_equal_if_they_tell_the_same_of_the_same_plan(drive: Driver, path: Path) -> None:
    plan = plan_of(Step(name="a"))
    report = drive(plan, Acting(), journal=path)
    other = drive(plan_of(Step(name="a", parameters={"x": 1})), Acting(), run_id=report.run_id)
    told = ExecutionReport.from_journal(path)
    assert report == told
    assert report != other
    assert told != other
    assert report != 5


def test_a_key_that_was_taken_out_of_a_journal_identifies_nothing(drive: Driver, path: Path) -> None:
    plan = plan_of(Step(name="a"), Step(name="b", dependencies=["a"]))
    drive(plan, Acting("b"), journal=path)
    kept = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    for line in kept:
        line.pop("key", None)
    path.write_text("".join(json.dumps(line) + "\n" for line in kept), encoding="utf-8")
    assert not resume_preview(plan, ExecutionReport.from_journal(path)).ok


def test_a_loop_of_its_own_is_told_of_external_ids_by_the_next_look() -> None:
    progress = Progress(plan_of(Step(name="a")))
    told: List[Any] = []
    progress.subscribe(lambda event: told.append((event.kind, event.external_id)))
    (call,) = progress.get_ready(0)
    call.set_external_id("job-7")
    progress.get_ready(0)
    assert told[-1] == ("external-id-set", "job-7")


def test_external_ids_are_logged(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG, logger="wfplan"):
        wfplan.run(plan_of(Step(name="a")), Recorder(lambda call: call.set_external_id("job-7")))
    assert 'step "a" is known as "job-7"' in caplog.text
