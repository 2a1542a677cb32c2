"""A run that is written down: what is in the file, who may have it, and what happens when it goes wrong."""

from __future__ import annotations

import errno
import json
import os
import signal
import stat
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path
from typing import Any, Callable, Dict, List

import pytest
from execution_helpers import SHORT, Driver, Gate, Recorder, fails, one, plan_of

import wfplan
from wfplan import (
    Compensation,
    ExecutionPlan,
    ExecutionReport,
    Progress,
    RefusedError,
    RetryPolicy,
    Step,
    StepCall,
    StopSignal,
)
from wfplan.execution.journal.file import JournalFile

CHAIN = plan_of(
    Step(name="a", parameters={"token": "secret"}),
    Step(name="b", dependencies=["a"]),
    Step(name="c", dependencies=["b"]),
)


def nothing(**_parameters: Any) -> int:
    return 0


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "run.jsonl"


def lines(path: Path) -> List[Dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def crash_before(path: Path, event: str, step: str) -> None:
    """Leave of a journal what would be there if the process had died before this was written."""
    kept: List[str] = []
    for line in path.read_text(encoding="utf-8").splitlines(keepends=True):
        known = json.loads(line)
        if known.get("event") == event and (known.get("step") or {}).get("name", "") == step:
            path.write_text("".join(kept), encoding="utf-8")
            return
        kept.append(line)
    raise AssertionError(f"no {event} of {step!r} in the journal")


def refused(drive: Driver, plan: Any, executor: Any, **keywords: Any) -> List[str]:
    with pytest.raises(RefusedError) as caught:
        drive(plan, executor, **keywords)
    return [problem.code for problem in caught.value.problems]


# What is in it.


def test_it_is_the_run(drive: Driver, path: Path) -> None:
    recorder = Recorder()
    report = drive(CHAIN, recorder, journal=path)
    assert report.ok
    assert ExecutionReport.from_journal(path) == report
    assert ExecutionReport.from_journal(str(path), CHAIN).plan == CHAIN
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    text = path.read_text(encoding="utf-8")
    assert "secret" not in text
    head = lines(path)[0]
    assert list(head)[:4] == ["wfplan_journal", "fingerprint", "run_id", "settings"]
    assert (head["wfplan_journal"], head["fingerprint"], head["run_id"]) == (2, CHAIN.fingerprint, report.run_id)
    assert [line["event"] for line in lines(path)[1:]] == ["attempt-started", "step-ended"] * 3 + ["end"]


def test_of_a_run_that_has_ended_the_report_is_given_and_nothing_runs(drive: Driver, path: Path) -> None:
    first = drive(CHAIN, {"a": nothing, "b": fails, "c": int}, journal=path)
    before = path.read_bytes()
    recorder = Recorder()
    again = drive(CHAIN, recorder, journal=path)
    assert again == first
    assert again.plan == CHAIN
    assert again.statuses == {"a": "succeeded", "b": "failed", "c": "skipped"}
    assert (recorder.calls, recorder.closed) == ([], 1)
    assert path.read_bytes() == before


def test_outputs_of_all_kinds_come_back_as_far_as_json_goes(drive: Driver, path: Path) -> None:
    outputs: List[Any] = [None, 0, -1.5, "é\u2028\ud7ff", [1, [2, {"x": None}]], {"a": {"b": []}}, True]
    plan = plan_of(*(Step(name=f"s{number}") for number in range(len(outputs) + 3)))
    lost: List[Any] = [{1, 2}, "\ud800", float("nan")]
    functions: Dict[str, Callable[[], Any]] = {
        f"s{number}": lambda output=output: output for number, output in enumerate([*outputs, *lost])
    }
    report = drive(plan, functions, journal=path)
    told = ExecutionReport.from_journal(path)
    assert [told.steps[f"s{number}"].output for number in range(len(outputs))] == outputs
    assert [step.output_not_kept for step in told.steps.values()][len(outputs) :] == [
        "builtins.set",
        "builtins.str",
        "builtins.float",
    ]
    assert told == ExecutionReport.model_validate_json(report.model_dump_json())


def test_it_can_be_read_while_it_is_written(drive: Driver, path: Path) -> None:
    seen: List[ExecutionReport] = []
    plan = plan_of(Step(name="a"), Step(name="b", dependencies=["a"]))
    drive(plan, {"a": lambda: 1, "b": lambda: seen.append(ExecutionReport.from_journal(path))}, journal=path)
    (report,) = seen
    assert not report.ended
    assert report.statuses == {"a": "succeeded", "b": "running"}
    assert report.plan is None
    assert "1 succeeded" in str(report)
    assert report.records()[0]["action"] == "a"


def test_retries_timeouts_and_skips_are_told(drive: Driver, path: Path, gate: Gate) -> None:
    calls: List[int] = []

    def flaky() -> int:
        calls.append(1)
        if len(calls) < 3:
            raise ValueError(len(calls))
        return 3

    plan = plan_of(
        Step(name="flaky", retry=RetryPolicy(max_attempts=3, delay_seconds=0.01)),
        Step(name="hangs", timeout_seconds=SHORT),
        Step(name="after", dependencies=["hangs"]),
        on_failure="skip-dependents",
    )
    report = drive(plan, {"flaky": flaky, "hangs": gate.hang, "after": int}, journal=path)
    assert ExecutionReport.from_journal(path) == report
    assert report.uncertain == ("hangs",)
    assert report.steps["hangs"].abandoned
    waiting = [line["step"] for line in lines(path)[1:] if line.get("step", {}).get("retry_at")]
    assert [(step["attempts"], step["status"]) for step in waiting] == [(1, "pending"), (2, "pending")]


def test_causes_that_turn_out_later_are_told(drive: Driver, path: Path) -> None:
    """`x` is skipped because of b, the second of what it needs; then a, which was declared first, fails too."""
    slow = threading.Event()

    def bad() -> None:
        raise ValueError

    def later() -> None:
        slow.wait(5)
        raise ValueError

    def release(event: wfplan.Event) -> None:
        if event.kind == "step-ended" and event.step == "x":
            slow.set()

    plan = plan_of(
        Step(name="a"), Step(name="b"), Step(name="x", dependencies=["a", "b"]), on_failure="skip-dependents"
    )
    report = drive(plan, {"a": later, "b": bad, "x": int}, journal=path, observers=[release])
    assert report.steps["x"].root_cause == "a"
    assert ExecutionReport.from_journal(path) == report
    told = [line["step"]["root_cause"] for line in lines(path)[1:] if line.get("step", {}).get("name") == "x"]
    assert told == ["b", "a"]


def test_the_name_that_the_backend_has_for_an_attempt_is_there_while_it_runs(drive: Driver, path: Path) -> None:
    def submit(call: StepCall) -> str:
        call.set_external_id("job-7")
        until = time.monotonic() + 5
        while time.monotonic() < until:
            told = ExecutionReport.from_journal(path).steps["a"]
            if told.external_id is not None:
                return told.external_id
            time.sleep(0.005)
        return "never"

    events: List[str] = []
    report = drive(one(), Recorder(submit), journal=path, observers=[lambda event: events.append(event.kind)])
    assert report.outputs == {"a": "job-7"}
    assert ExecutionReport.from_journal(path) == report
    assert "external-id-set" in events


# Who may have it.


def test_a_new_run_may_begin_in_an_empty_file_which_becomes_private(drive: Driver, path: Path) -> None:
    path.touch(0o644)
    path.chmod(0o644)
    assert drive(one(), Recorder(), journal=path).ok
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def unusable(tmp_path: Path, what: str) -> Path:
    if what == "a folder":
        return tmp_path
    if what == "in no folder":
        return tmp_path / "nowhere" / "run.jsonl"
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    return fifo


@pytest.mark.parametrize("what", ["a folder", "in no folder", "a pipe"])
def test_what_cannot_be_a_journal(drive: Driver, tmp_path: Path, what: str) -> None:
    recorder = Recorder()
    assert refused(drive, CHAIN, recorder, journal=unusable(tmp_path, what)) == ["journal-unusable"]
    assert (recorder.calls, recorder.closed) == ([], 1)


@pytest.mark.parametrize("wrong", [5, b"\0", "a\0b"])
def test_what_cannot_be_a_path(drive: Driver, wrong: Any) -> None:
    assert refused(drive, CHAIN, Recorder(), journal=wrong) == ["journal-unusable"]


def test_a_file_that_may_not_be_written(drive: Driver, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def deny(*_arguments: Any) -> int:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr("wfplan.execution.journal.file.os.open", deny)
    assert refused(drive, CHAIN, Recorder(), journal=path) == ["journal-unusable"]


def test_a_refused_run_leaves_no_file_and_no_lock(drive: Driver, path: Path) -> None:
    assert refused(drive, CHAIN, {"a": int}, journal=path) == ["unknown-action"] * 2
    assert not path.exists()
    path.touch()
    assert refused(drive, CHAIN, {"a": int}, journal=path) == ["unknown-action"] * 2
    assert path.exists()
    assert drive(CHAIN, Recorder(), journal=path).ok


def test_two_runs_at_once_are_one_too_many(drive: Driver, path: Path) -> None:
    inner: List[List[str]] = []

    def nested() -> None:
        with pytest.raises(RefusedError) as caught:
            wfplan.run(one("x"), {"x": int}, journal=path)
        inner.append([problem.code for problem in caught.value.problems])

    report = drive(one(), {"a": nested}, journal=path)
    assert report.ok, report
    assert inner == [["journal-unusable"]]
    assert ExecutionReport.from_journal(path) == report


HOLDER = """
    import os, sys, time
    from wfplan.execution.journal.file import JournalFile
    file = JournalFile(sys.argv[1])
    if sys.argv[2] == "fork" and os.fork() == 0:
        print("held", flush=True)
        time.sleep(60)
    if sys.argv[2] == "fork":
        time.sleep(60)
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.mark.parametrize(
    "how", ["plain", pytest.param("fork", marks=pytest.mark.skipif(sys.platform == "win32", reason="no fork"))]
)
def test_the_lock_dies_with_its_holder_and_not_with_the_children(drive: Driver, path: Path, how: str) -> None:
    command = [sys.executable, "-c", textwrap.dedent(HOLDER), str(path), how]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        try:
            assert refused(drive, CHAIN, Recorder(), journal=path) == ["journal-unusable"]
            os.kill(holder.pid, signal.SIGKILL)
            holder.wait()
            assert drive(CHAIN, Recorder(), journal=path).ok
        finally:
            os.killpg(holder.pid, signal.SIGKILL) if how == "fork" else None


def test_on_a_system_without_flock_the_file_is_locked_in_its_own_way(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    locked: List[Any] = []

    class Msvcrt:
        LK_NBLCK = 2

        @staticmethod
        def locking(descriptor: int, mode: int, count: int) -> None:
            where = os.lseek(descriptor, 0, os.SEEK_CUR)
            if locked:
                raise PermissionError(errno.EACCES, "Permission denied")
            locked.append((mode, count, where > 10**9))

    monkeypatch.setitem(sys.modules, "fcntl", None)
    monkeypatch.setitem(sys.modules, "msvcrt", Msvcrt)  # type: ignore[arg-type]
    file = JournalFile(path)
    assert locked == [(2, 1, True)]
    with pytest.raises(OSError, match="another run"):
        JournalFile(path)
    file.append(b"x\n")
    assert file.read() == b"x\n"
    file.close()
    file.close()


# What it goes on with.


def test_what_was_cut_off_goes_on(drive: Driver, path: Path) -> None:
    first = Recorder()
    run_id = drive(CHAIN, first, journal=path).run_id
    crash_before(path, "step-ended", "b")
    with path.open("ab") as file:
        file.write(b'{"at": 1.0, "event": "step-en')
    recorder = Recorder()
    report = drive(CHAIN, recorder, journal=path)
    assert report.ok
    assert report.run_id == run_id
    assert [call.step.name for call in recorder.calls] == ["b", "c"]
    again = recorder.calls[0]
    before = first.calls[1]
    assert (again.attempt, again.idempotency_key) == (before.attempt, before.idempotency_key)
    assert dict(again.outputs) == {"a": "a"}
    assert ExecutionReport.from_journal(path) == report


def test_the_settings_are_those_that_it_began_with(drive: Driver, path: Path) -> None:
    plan = plan_of(Step(name="a"), Step(name="b"), Step(name="c"))
    drive(plan, Recorder(), journal=path, schedule="eager", max_parallel=1, on_failure="skip-dependents", run_id="r")
    crash_before(path, "attempt-started", "b")
    other = {"schedule": "batch", "max_parallel": 2, "on_failure": "stop", "run_id": "s", "dry_run": True}
    codes = refused(drive, plan, Recorder(), journal=path, **other)
    assert codes == ["journal-mismatch"] * 5
    assert refused(drive, plan, Recorder(), journal=path, resume=drive(plan, Recorder())) == ["journal-mismatch"]
    recorder = Recorder()
    assert drive(plan, recorder, journal=path, schedule="eager", max_parallel=1, run_id="r").ok
    assert [call.step.name for call in recorder.calls] == ["b", "c"]


def test_what_must_not_be_done_twice_fails_where_nobody_knows(drive: Driver, path: Path) -> None:
    plan = plan_of(Step(name="a", idempotent=False), Step(name="b", dependencies=["a"]))
    drive(plan, Recorder(), journal=path)
    crash_before(path, "step-ended", "a")
    recorder = Recorder()
    report = drive(plan, recorder, journal=path)
    assert recorder.calls == []
    assert report.steps["a"].reason == "outcome-unknown"
    assert report.statuses == {"a": "failed", "b": "skipped"}
    assert report.uncertain == ("a",)
    assert ExecutionReport.from_journal(path) == report


def test_a_successor_of_an_output_that_was_lost_is_refused_by_name(drive: Driver, path: Path) -> None:
    plan = plan_of(Step(name="a"), Step(name="b", dependencies=["a"]))
    drive(plan, {"a": lambda: {1}, "b": lambda: 1}, journal=path)
    crash_before(path, "attempt-started", "b")
    with pytest.raises(RefusedError) as caught:
        drive(plan, Recorder(), journal=path)
    (problem,) = caught.value.problems
    assert (problem.code, problem.steps) == ("output-not-kept", ("b", "a"))


def test_a_clock_that_was_set_back_turns_no_time_around(
    drive: Driver, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drive(CHAIN, Recorder(), journal=path)
    crash_before(path, "attempt-started", "c")
    before = max(line["at"] for line in lines(path)[1:])
    monkeypatch.setattr("wfplan.execution.session.time.time", lambda: before - 86_400)
    report = drive(CHAIN, Recorder(), journal=path)
    started, ended = report.steps["c"].started_at, report.steps["c"].ended_at
    assert started is not None
    assert ended is not None
    assert before <= started <= ended < before + 60


@pytest.mark.parametrize("cancel", [False, True])
def test_a_run_that_was_asked_to_stop_does_not_go_on_after_a_crash(drive: Driver, path: Path, *, cancel: bool) -> None:
    stop = StopSignal()
    plan = plan_of(Step(name="a"), Step(name="b", dependencies=["a"]))
    drive(plan, {"a": lambda: stop.set(cancel=cancel) or time.sleep(0.05), "b": int}, journal=path, stop=stop)
    crash_before(path, "step-ended", "a")
    report = ExecutionReport.from_journal(path)
    assert report.stop_requested
    assert not report.ended
    recorder = Recorder()
    report = drive(plan, recorder, journal=path)
    assert report.statuses == {"a": "cancelled" if cancel else "succeeded", "b": "skipped"}
    assert [call.step.name for call in recorder.calls] == ([] if cancel else ["a"])
    assert report.stop_requested


def test_a_progress_may_be_written_down_too(drive: Driver, path: Path) -> None:
    recorder = Recorder()
    progress = Progress(CHAIN, run_id="mine")
    progress.get_ready(0)
    progress.done("a", "by hand", now=1)
    report = drive(progress, recorder, journal=path)
    assert report.outputs == {"a": "by hand", "b": "b", "c": "c"}
    assert ExecutionReport.from_journal(path) == report
    crash_before(path, "step-ended", "c")
    assert refused(drive, Progress(CHAIN), recorder, journal=path) == ["journal-mismatch"]
    assert drive(CHAIN, recorder, journal=path).outputs == report.outputs
    assert [call.step.name for call in recorder.calls] == ["b", "c", "c"]


# What it does not go on with.


def test_another_plan(drive: Driver, path: Path) -> None:
    drive(CHAIN, Recorder(), journal=path)
    other = wfplan.plan(CHAIN.workflow.replace("b", parameters={"x": 1}))
    assert refused(drive, other, Recorder(), journal=path) == ["journal-mismatch"]
    with pytest.raises(RefusedError, match="another plan"):
        ExecutionReport.from_journal(path, other)
    described = wfplan.plan(CHAIN.workflow.replace("b", description="what changes nothing"))
    assert drive(described, Recorder(), journal=path).ok


EDITS: Dict[str, Callable[[List[str]], List[str]]] = {
    "no JSON": lambda text: [*text[:2], "{'at': 1}", *text[2:]],
    "an empty line": lambda text: [*text[:2], "", *text[2:]],
    "half a line": lambda text: [*text[:2], text[2][:40], *text[3:]],
    "an unknown step": lambda text: [*text[:2], text[2].replace('"name": "a"', '"name": "z"'), *text[3:]],
    "an unknown field": lambda text: [*text[:2], text[2].replace('"status"', '"state"'), *text[3:]],
    "no step": lambda text: [*text[:2], '{"at": 1.0, "event": "step-ended"}', *text[2:]],
    "behind the end": lambda text: [*text, text[2]],
    "no header": lambda text: text[1:],
    "another version": lambda text: [text[0].replace('"wfplan_journal": 2', '"wfplan_journal": 1'), *text[1:]],
    "a broken header": lambda text: [text[0].replace('"schedule": "batch"', '"schedule": "later"'), *text[1:]],
    "a deep header": lambda text: ["[" * 100_000, *text[1:]],
    "another file": lambda _text: ["Dear diary,", "today"],
}


@pytest.mark.parametrize("edit", list(EDITS))
def test_what_was_edited_into_what_cannot_be_read(drive: Driver, path: Path, edit: str) -> None:
    drive(CHAIN, Recorder(), journal=path)
    text = path.read_text(encoding="utf-8").splitlines()
    path.write_text("\n".join(EDITS[edit](text)) + "\n", encoding="utf-8")
    before = path.read_bytes()
    recorder = Recorder()
    assert refused(drive, CHAIN, recorder, journal=path) == ["journal-unreadable"]
    assert (recorder.calls, recorder.closed) == ([], 1)
    assert path.read_bytes() == before
    with pytest.raises(RefusedError) as caught:
        ExecutionReport.from_journal(path)
    assert [problem.code for problem in caught.value.problems] == ["journal-unreadable"]
    assert "line " in str(caught.value)


def test_what_was_edited_into_what_cannot_be(drive: Driver, path: Path) -> None:
    drive(CHAIN, Recorder(), journal=path)
    text = path.read_text(encoding="utf-8").splitlines(keepends=True)
    path.write_text("".join([text[0], *text[3:5]]), encoding="utf-8")
    assert refused(drive, CHAIN, Recorder(), journal=path) == ["impossible-state"]


def test_what_is_not_even_a_line_is_cut_off_only_if_it_is_ours(drive: Driver, path: Path) -> None:
    path.write_bytes(b"a note without a line end")
    assert refused(drive, CHAIN, Recorder(), journal=path) == ["journal-unreadable"]
    assert path.read_bytes() == b"a note without a line end"
    for torn in (b"{", b'{"wfplan_journal": 1, "fingerp'):
        path.write_bytes(torn)
        assert drive(CHAIN, Recorder(), journal=path).ok
        assert ExecutionReport.from_journal(path).ok


def test_what_holds_nothing_tells_nothing(path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        ExecutionReport.from_journal(path)
    path.touch()
    with pytest.raises(RefusedError, match="nothing has happened"):
        ExecutionReport.from_journal(path)


# When it cannot be written.


class Disk:
    """Lets so many writes pass, then is full."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, writes: int) -> None:
        self.left = writes
        append = JournalFile.append

        def limited(file: JournalFile, data: bytes) -> None:
            self.left -= 1
            if self.left < 0:
                append(file, data[: len(data) // 2])
                raise OSError(errno.ENOSPC, "No space left on device")
            append(file, data)

        monkeypatch.setattr(JournalFile, "append", limited)


@pytest.mark.parametrize("writes", [0, 1, 2, 3])
def test_a_full_disk_stops_the_run_in_order(
    drive: Driver, path: Path, monkeypatch: pytest.MonkeyPatch, writes: int
) -> None:
    plan = plan_of(
        *(
            Step(name=name, dependencies=needs, rollback=Compensation(action="undo"))
            for name, needs in (("a", []), ("b", ["a"]), ("c", ["b"]))
        ),
        rollback_on_failure=True,
    )
    recorder = Recorder()
    with monkeypatch.context() as patch:
        Disk(patch, writes)
        report = drive(plan, recorder, journal=path)
    assert [problem.code for problem in report.problems] == ["journal-failed"]
    assert "No space left" in report.problems[0].message
    started = [call.step.name for call in recorder.calls]
    assert started == ["a", "b", "c"][:writes]
    assert report.phase == ("failed" if writes < 3 else "completed")
    assert report.rollback == {}
    if writes < 3:
        first = ["a", "b", "c"][writes]
        assert (report.steps[first].status, report.steps[first].reason) == ("cancelled", "journal-failed")
        assert report.uncertain == ()
    names = [call.step.name for call in recorder.calls]
    rest = Recorder()
    again = drive(plan, rest, journal=path)
    assert again.ok
    done = [call.step.name for call in rest.calls]  # half of a write may hold a whole line, or none
    assert done in [["a", "b", "c"][number:] for number in (max(writes - 1, 0), writes)]
    assert names == started


def test_what_runs_when_the_disk_is_full_may_finish(drive: Driver, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    quick_is_done = threading.Event()

    def slow() -> str:
        quick_is_done.wait(5)
        time.sleep(0.05)
        return "kept"

    plan = plan_of(Step(name="quick"), Step(name="slow"), Step(name="after", dependencies=["quick"]), schedule="eager")
    with monkeypatch.context() as patch:
        Disk(patch, 1)
        report = drive(plan, {"quick": quick_is_done.set, "slow": slow, "after": int}, journal=path)
    assert report.statuses == {"quick": "succeeded", "slow": "succeeded", "after": "cancelled"}
    assert report.outputs["slow"] == "kept"


FULL = """
    import resource, signal, sys, wfplan
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2500, 2500))
    plan = wfplan.plan({f"s{n}": [f"s{n - 1}"] if n else [] for n in range(50)})
    report = wfplan.run(plan, {f"s{n}": int for n in range(50)}, journal=sys.argv[1])
    print(report.phase, report.counts["succeeded"], [problem.code for problem in report.problems])
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no limits of this kind")
def test_a_limit_of_the_system_stops_the_run_too(path: Path) -> None:
    command = [sys.executable, "-c", textwrap.dedent(FULL), str(path)]
    unmeasured = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE")}
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60, env=unmeasured)
    assert done.stdout.startswith("failed ")
    assert done.stdout.endswith("['journal-failed']\n")
    assert path.stat().st_size == 2500


@pytest.mark.parametrize("how", ["removed", "replaced"])
def test_a_file_that_has_vanished_stops_the_run_in_order(drive: Driver, path: Path, how: str) -> None:
    def vanish() -> None:
        path.unlink()
        if how == "replaced":
            path.touch()

    recorder: List[str] = []
    functions: Dict[str, Any] = {"a": vanish, "b": lambda: recorder.append("b"), "c": int}
    plan = plan_of(Step(name="a"), Step(name="b", dependencies=["a"]), Step(name="c", dependencies=["b"]))
    report = drive(plan, functions, journal=path)
    assert [problem.code for problem in report.problems] == ["journal-failed"]
    assert report.statuses == {"a": "succeeded", "b": "cancelled", "c": "skipped"}
    assert recorder == []


def test_an_interrupt_in_a_step_suspends(drive: Driver, path: Path) -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt) as caught:
        drive(CHAIN, {"a": nothing, "b": interrupt, "c": int}, journal=path)
    report: Any = getattr(caught.value, "report", None)
    told = ExecutionReport.from_journal(path)
    assert (told.phase, told.suspended_in, told.ended) == ("suspended", "execute", False)
    assert told.statuses == {"a": "succeeded", "b": "failed", "c": "pending"}
    assert report is None or report == told
    again = drive(CHAIN, Recorder(), journal=path)
    assert (again.phase, again.run_id) == ("failed", told.run_id)
    assert again.statuses == {"a": "succeeded", "b": "failed", "c": "skipped"}


def test_no_descriptor_is_left(drive: Driver, path: Path, tmp_path: Path) -> None:
    folder = Path("/proc/self/fd")
    if not folder.exists():
        folder = Path("/dev/fd")
    drive(CHAIN, Recorder(), journal=path)
    drive(CHAIN, Recorder(), journal=path)
    refused(drive, CHAIN, Recorder(), journal=tmp_path)
    refused(drive, one(), Recorder(), journal=path)
    names = [os.readlink(link) for link in folder.iterdir() if link.is_symlink()]
    assert str(path) not in names


def plan_of_many(count: int) -> ExecutionPlan:
    return wfplan.plan([Step(name=f"s{number}") for number in range(count)])


def test_what_is_due_at_once_is_written_at_once(drive: Driver, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    writes: List[int] = []
    append = JournalFile.append

    def counted(file: JournalFile, data: bytes) -> None:
        writes.append(data.count(b"\n"))
        append(file, data)

    monkeypatch.setattr(JournalFile, "append", counted)
    assert drive(plan_of_many(50), Recorder(), journal=path, max_parallel=50).ok
    assert writes[0] == 51
    assert sum(writes) == 1 + 50 + 50 + 1


def test_the_size_is_proportional_to_the_steps(drive: Driver, tmp_path: Path) -> None:
    sizes = []
    for count in (50, 200):
        path = tmp_path / str(count)
        drive(plan_of_many(count), Recorder(), journal=path)
        sizes.append(path.stat().st_size / count)
    assert sizes[1] < 1.1 * sizes[0]
