"""What executors, functions and exceptions may do wrong: no hang, nothing lost, nothing taken for a success."""

from __future__ import annotations

import asyncio
import functools
import os
import pickle
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any, AsyncIterator, Dict, Iterator, List

import pytest
from execution_helpers import SHORT, Driver, Recorder, fails, make_flaky, one, plan_of

import wfplan
from wfplan import ExecutionReport, FunctionExecutor, PermanentError, Progress, RetryPolicy, Step, StepCall
from wfplan.execution.functions import _apply
from wfplan.execution.interface import PendingOutput
from wfplan.execution.outputs import as_json, own_copy
from wfplan.execution.step_errors import RemoteError, StepError

if sys.version_info < (3, 11):
    from exceptiongroup import ExceptionGroup  # pytest brings it along


def generates() -> Iterator[int]:
    yield 1


async def generates_async() -> AsyncIterator[int]:
    yield 1


class Generating:
    def __call__(self) -> Iterator[int]:
        yield 1


class TestGenerators:
    @pytest.mark.parametrize("function", [generates, generates_async, functools.partial(generates), Generating()])
    def test_a_generator_function_is_refused(self, drive: Driver, function: Any) -> None:
        with pytest.raises(wfplan.RefusedError, match="is a generator function: to call it runs nothing"):
            drive(one(), {"a": function})

    def test_so_is_one_in_an_executor(self, drive: Driver) -> None:
        class Executor:
            def execute(self, _call: StepCall) -> Iterator[int]:
                yield 1

        with pytest.raises(wfplan.RefusedError, match="execute of the Executor is a generator function"):
            drive(one(), Executor())

    @pytest.mark.parametrize("function", [generates, generates_async])
    def test_what_gives_a_generator_all_the_same_fails(self, drive: Driver, function: Any) -> None:
        plan = one(retry=RetryPolicy(max_attempts=3))
        report = drive(plan, {"a": lambda: function()})  # noqa: PLW0108 - it must not look like what it is
        assert (report.statuses, report.steps["a"].attempts) == ({"a": "failed"}, 1)
        assert "in which nothing has run" in report.steps["a"].error.message  # type: ignore[union-attr]


class AsyncObserver:
    async def __call__(self, _event: wfplan.Event) -> None:
        pass


async def observe(_event: wfplan.Event) -> None:
    pass


@pytest.mark.parametrize("observer", [observe, AsyncObserver(), functools.partial(observe), generates])
def test_an_async_observer_is_refused(drive: Driver, observer: Any) -> None:
    recorder = Recorder()
    with pytest.raises(wfplan.RefusedError, match=r"wfplan\.astream"):
        drive(one(), recorder, observers=[observer])
    assert recorder.calls == []


class Empty(PendingOutput):
    def __init__(self) -> None:
        pass


class SourAwaitable:
    """Something to await that is a coroutine for asyncio, and does not like to be closed."""

    def __await__(self) -> Any:
        return asyncio.sleep(0).__await__()

    def send(self, value: Any) -> Any:
        raise StopIteration(value)

    def throw(self, *error: Any) -> Any:
        raise error[0]

    def close(self) -> None:
        raise ValueError("sour")


class TestHangs:
    @pytest.mark.parametrize("is_async", [False, True])
    def test_a_pending_output_without_a_future(self, drive: Driver, is_async: bool) -> None:
        class Plain:
            def execute(self, _call: StepCall) -> Any:
                return Empty()

        class Async:
            async def execute(self, _call: StepCall) -> Any:
                return Empty()

        report = drive(one(), Async() if is_async else Plain())
        assert report.steps["a"].error.type == "AttributeError"  # type: ignore[union-attr]

    def test_an_awaitable_that_cannot_be_closed(self, drive: Driver) -> None:
        report = drive(wfplan.plan({"a": [], "b": ["a"]}), Recorder(lambda _call: SourAwaitable()))
        assert report.ended


class NeedsTwoError(Exception):
    def __init__(self, one: int, two: int) -> None:
        super().__init__(f"{one} and {two}")


class UnpicklableError(PermanentError):
    def __reduce__(self) -> Any:
        raise TypeError("no")


def raise_needs_two() -> None:
    raise NeedsTwoError(1, 2)


def raise_unpicklable() -> None:
    raise UnpicklableError("not a second time")


def give_one() -> int:
    return 1


@pytest.mark.skipif(sys.platform == "win32", reason="slow to start")
def test_an_exception_that_cannot_be_unpickled_leaves_the_pool_alone(drive: Driver) -> None:
    retry = RetryPolicy(max_attempts=2)
    plan = plan_of(
        Step(name="a", retry=retry), Step(name="b", retry=retry), Step(name="c"), on_failure="skip-dependents"
    )
    with ProcessPoolExecutor(1) as pool:
        functions = {"a": raise_needs_two, "b": raise_unpicklable, "c": give_one}
        report = drive(plan, FunctionExecutor(functions, pool=pool))
    first, second = report.steps["a"], report.steps["b"]
    assert first.error is not None
    assert second.error is not None
    assert (first.error.type, first.error.message) == (f"{__name__}.NeedsTwoError", "1 and 2")
    assert (second.error.type, second.error.message) == (f"{__name__}.UnpicklableError", "not a second time")
    assert (first.attempts, second.attempts, report.statuses["c"]) == (2, 1, "succeeded")


class GroupError(Exception):
    """An exception group as Python 3.11 and the backport have it."""

    def __init__(self, message: str, exceptions: List[BaseException]) -> None:
        super().__init__(message, exceptions)
        self.exceptions = tuple(exceptions)

    def derive(self, exceptions: List[BaseException]) -> GroupError:
        return GroupError(str(self), exceptions)


class TestGroups:
    @pytest.mark.parametrize(
        ("leaves", "attempts"),
        [
            ([PermanentError("no"), GroupError("inner", [PermanentError("never")])], 1),
            ([PermanentError("no"), ValueError("x")], 3),
        ],
    )
    def test_one_of_nothing_but_permanent_errors_is_one(
        self, drive: Driver, leaves: List[BaseException], attempts: int
    ) -> None:
        def act() -> None:
            raise GroupError("two", leaves)

        report = drive(one(retry=RetryPolicy(max_attempts=3)), {"a": act})
        assert report.steps["a"].attempts == attempts

    def test_its_leaves_are_named(self, drive: Driver) -> None:
        def act() -> None:
            raise GroupError("two", [ValueError("x"), GroupError("inner", [KeyError("k"), OSError("disk")])])

        error = drive(one(), {"a": act}).steps["a"].error
        assert error is not None
        for leaf in ("ValueError: x", "KeyError: 'k'", "OSError: disk"):
            assert leaf in error.message

    def test_those_of_python_and_of_its_backport(self, drive: Driver) -> None:
        def act() -> None:
            raise ExceptionGroup("many", [PermanentError(str(number)) for number in range(1000)])

        step = drive(one(retry=RetryPolicy(max_attempts=3)), {"a": act}).steps["a"]
        assert step.attempts == 1
        assert step.error is not None
        assert "PermanentError: 0" in step.error.message
        assert len(step.error.message) < 2000


class TestTracebacks:
    @staticmethod
    def act() -> None:
        error = ValueError("broken")
        error.__notes__ = ["look at the disk", 3, *map(str, range(100))]  # type: ignore[attr-defined]
        raise error

    def test_they_reach_report_and_journal(self, drive: Driver, tmp_path: Path) -> None:
        report = drive(one(), {"a": self.act}, journal=tmp_path / "journal")
        for told in (report, ExecutionReport.from_journal(tmp_path / "journal")):
            error = told.steps["a"].error
            assert error is not None
            assert error.notes[0] == "look at the disk"
            assert len(error.notes) <= 20
            assert "in act" in error.traceback
            assert error.traceback.rstrip().count("ValueError: broken") == 1

    def test_they_can_be_left_out(self, drive: Driver, tmp_path: Path) -> None:
        report = drive(one(), {"a": self.act}, journal=tmp_path / "journal", tracebacks=False)
        error = report.steps["a"].error
        assert error is not None
        assert (error.message, error.traceback, error.notes[:1]) == ("broken", "", ("look at the disk",))
        assert "Traceback" not in (tmp_path / "journal").read_text("utf-8")

    def test_they_are_bounded(self, drive: Driver) -> None:
        def deeper(depth: int) -> None:
            if depth:
                deeper(depth - 1)
            raise ValueError("x" * 100_000)

        error = drive(one(), {"a": lambda: deeper(500)}).steps["a"].error
        assert error is not None
        assert len(error.traceback) <= 10_000


class TestHistory:
    def test_each_attempt_that_has_ended(self, drive: Driver, tmp_path: Path) -> None:
        path = tmp_path / "journal"
        report = drive(one(retry=RetryPolicy(max_attempts=3)), {"a": make_flaky(2)}, journal=path)
        step = report.steps["a"]
        assert [(ended.number, ended.error and ended.error.message) for ended in step.history] == [
            (1, "failure 1"),
            (2, "failure 2"),
            (3, None),
        ]
        times = [at for ended in step.history for at in (ended.started_at, ended.ended_at)]
        assert times == sorted(times)  # type: ignore[type-var]
        assert (times[0], times[-1]) == (step.started_at, step.ended_at)
        assert ExecutionReport.from_journal(path) == report
        assert ExecutionReport.model_validate_json(report.model_dump_json()) == report

    def test_the_last_twenty(self, drive: Driver, tmp_path: Path) -> None:
        report = drive(one(retry=RetryPolicy(max_attempts=30)), {"a": fails}, journal=tmp_path / "journal")
        assert [ended.number for ended in report.steps["a"].history] == list(range(11, 31))
        assert ExecutionReport.from_journal(tmp_path / "journal") == report

    def test_one_that_timed_out(self, drive: Driver) -> None:
        plan = one(timeout_seconds=SHORT, retry=RetryPolicy(max_attempts=2))
        step = drive(plan, {"a": lambda: asyncio.sleep(60)}).steps["a"]
        assert [(ended.number, ended.error and ended.error.type) for ended in step.history] == [
            (1, "timed_out"),
            (2, "timed_out"),
        ]


class TestWhatIsHandedOut:
    def test_parameters_are_plain_copies_for_each_attempt(self, drive: Driver) -> None:
        plan = one(parameters={"replicas": 3, "deep": {"list": [1]}}, retry=RetryPolicy(max_attempts=2))
        fingerprint = plan.fingerprint
        keys: List[str] = []
        seen: List[Dict[str, Any]] = []

        def act(call: StepCall) -> None:
            parameters: Any = call.step.parameters
            assert type(parameters) is dict
            seen.append({**parameters, "deep": {"list": [*parameters["deep"]["list"]]}})
            keys.append(call.idempotency_key)
            parameters.pop("replicas")
            parameters["deep"]["list"].append(2)
            keys.append(call.idempotency_key)
            if call.attempt == 1:
                raise ValueError

        assert drive(plan, Recorder(act)).ok
        assert seen == [{"replicas": 3, "deep": {"list": [1]}}] * 2
        assert len(set(keys)) == 1
        assert plan.fingerprint == fingerprint
        assert plan.steps["a"].parameters == {"replicas": 3, "deep": {"list": [1]}}

    def test_outputs_are_copies_for_each_step(self, drive: Driver, tmp_path: Path) -> None:
        first: Dict[str, Any] = {"list": [1]}
        first["again"] = first["list"]

        def act(call: StepCall) -> Any:
            if call.step.name == "a":
                return first
            call.outputs["a"]["list"].append(call.step.name)
            return call.outputs["a"]

        plan = wfplan.plan({"a": [], "b": ["a"], "c": ["a"]})
        report = drive(plan, Recorder(act), journal=tmp_path / "journal")
        assert report.outputs["a"] == {"list": [1], "again": [1]}
        assert report.outputs["b"] == {"list": [1, "b"], "again": [1, "b"]}
        assert report.outputs["c"]["list"] == [1, "c"]
        assert ExecutionReport.from_journal(tmp_path / "journal") == report

    def test_one_that_holds_itself(self, drive: Driver) -> None:
        first: List[Any] = []
        first.append(first)
        plan = wfplan.plan({"a": [], "b": ["a"]})
        report = drive(plan, Recorder(lambda call: first if call.step.name == "a" else call.outputs["a"]))
        assert report.outputs["b"][0] is report.outputs["b"]
        assert report.outputs["b"] is not first


def test_a_wrong_argument_is_a_value_error_with_problems(drive: Driver) -> None:
    for wrong in ({"max_parallel": 0}, {"schedule": "x"}, {"on_failure": 3}, {"run_id": ""}, {"hold": ["x"]}):
        with pytest.raises(ValueError, match="refused") as caught:
            drive(one(), Recorder(), **wrong)
        assert [problem.code for problem in caught.value.problems] == ["invalid-setting"]  # type: ignore[attr-defined]


# What a process, a traceback or a group may do


def test_an_error_that_does_not_arrive_is_told_by_one_that_does() -> None:
    def act() -> None:
        raise NeedsTwoError(1, 2)

    elsewhere = ("run", "execute", "a", 1, os.getpid() + 1)
    with pytest.raises(RemoteError, match="1 and 2") as caught:
        _apply(act, (), {}, elsewhere)
    arrived = pickle.loads(pickle.dumps(caught.value))
    assert (arrived.error, arrived.is_permanent) == (StepError.of(NeedsTwoError(1, 2)), False)
    with pytest.raises(NeedsTwoError):
        _apply(act, (), {}, (*elsewhere[:-1], os.getpid()))


def test_an_error_that_arrives_is_itself() -> None:
    with pytest.raises(ZeroDivisionError):
        _apply(lambda: 1 / 0, (), {}, ("run", "execute", "a", 1, os.getpid() + 1))


class StrangeError(Exception):
    """It looks like a group until somebody asks what is in it."""

    def derive(self) -> None: ...

    @property
    def exceptions(self) -> None:
        raise OSError("nothing to see")


def raising(error: Exception, call: StepCall) -> None:
    raise error


class Wordless:
    def __str__(self) -> str:
        raise OSError("nothing to say")


def test_errors_that_cannot_be_looked_into_are_still_errors(drive: Driver) -> None:
    untold = SyntaxError("no")
    untold.lineno = Wordless()  # type: ignore[assignment]
    for error in (StrangeError("odd"), untold):
        report = drive(one(), Recorder(functools.partial(raising, error)))
        told = report.steps["a"].error
        assert told is not None
        assert told.type == type(error).__name__ or told.type.endswith(".StrangeError")
        assert report.statuses == {"a": "failed"}


def test_outputs_beyond_a_million_values_are_neither_kept_nor_copied(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wfplan.execution.outputs._MOST_COPIED", 3)
    output = [1, 2, [3, 4]]
    assert own_copy(output) is output
    assert own_copy("text") == "text"
    with pytest.raises(ValueError, match="too many values"):
        as_json(output)


def test_what_was_left_behind_is_not_given_back_when_a_run_is_suspended() -> None:
    steps = [Step(name="a", timeout_seconds=1, continue_on_failure=True), Step(name="b")]
    progress = Progress(wfplan.plan(steps), schedule="eager")
    assert [call.step.name for call in progress.get_ready(0)] == ["a", "b"]
    while not progress.abandoned:
        at = progress.next_deadline
        assert at is not None
        progress.get_ready(at)
    progress.suspend(cancel=True, grace_seconds=5, now=progress.now)
    progress.get_ready(progress.now + 6)
    assert not progress.is_active()
    assert progress.report().statuses == {"a": "timed_out", "b": "running"}


def test_a_run_whose_task_is_thrown_away_ends_without_a_word() -> None:
    async def begin() -> None:
        started = asyncio.Event()

        class Hanging(Recorder):
            async def validate(self, _: object) -> None:
                started.set()
                await asyncio.Event().wait()

        run = wfplan.arun(one(), Hanging())
        task = asyncio.ensure_future(run)
        await asyncio.wait_for(started.wait(), 10)
        run.close()  # type: ignore[attr-defined]
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(begin())
