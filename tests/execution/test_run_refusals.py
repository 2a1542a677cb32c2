"""Before the first step everything that can be known is checked; after a refusal nothing has run."""

from __future__ import annotations

import functools
from typing import Any, Callable, Dict, Iterator, List, Mapping

import pytest
from execution_helpers import Driver, Recorder, one, plan_of

import wfplan
from wfplan import FunctionExecutor, Problem, Progress, RefusedError, Step, StepCall


def refused(drive: Driver, plan: Any, executor: Any, **keywords: Any) -> List[str]:
    """The codes of the problems."""
    with pytest.raises(RefusedError) as caught:
        drive(plan, executor, **keywords)
    assert str(caught.value)
    assert any(problem.severity == "error" for problem in caught.value.problems)
    return [problem.code for problem in caught.value.problems]


class Toolbox:
    def method(self, x: int) -> int:
        return x

    def any(self, **parameters: Any) -> Dict[str, Any]:
        return parameters

    @classmethod
    def of_class(cls, x: int) -> int:
        return x

    @staticmethod
    def static(x: int, call: StepCall) -> Any:
        return x, call.step.name

    async def later(self, x: int) -> int:
        return x


class Callable1:
    def __call__(self, x: int) -> int:
        return x


class AsyncCallable:
    async def __call__(self, x: int, call: StepCall) -> Any:
        return x, call.step.name


def positional_only() -> Callable[..., Any]:
    namespace: Dict[str, Any] = {"StepCall": StepCall}
    exec("def act(call: StepCall, /, **rest): return call.step.name, rest", namespace)
    return namespace["act"]  # type: ignore[no-any-return]


def as_text(x: int, c: "StepCall") -> Any:  # noqa: UP037 - a text within a text
    return x, c.step.name


def unresolvable(x: OnlyForTypeCheckers, c: StepCall) -> Any:  # type: ignore[name-defined]  # noqa: F821
    return x, c.step.name


def keyword_only(*, x: int, call: StepCall) -> Any:
    return x, call.step.name


def call_by_name_only(call: Any) -> Any:
    return call


def wrapped(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def wrapper(*args: Any, **keywords: Any) -> Any:
        return function(*args, **keywords)

    return wrapper


GOOD = [
    (lambda x: x, {"x": 1}, 1),
    (lambda x, y=2: (x, y), {"x": 1}, (1, 2)),
    (lambda **rest: rest, {"x": 1, "self": 2, "call": 3, "function": 4}, {"x": 1, "self": 2, "call": 3, "function": 4}),
    (positional_only(), {"x": 1, "call": "hostile"}, ("a", {"x": 1, "call": "hostile"})),
    (as_text, {"x": 1}, (1, "a")),
    (unresolvable, {"x": 1}, (1, "a")),
    (keyword_only, {"x": 1}, (1, "a")),
    (wrapped(keyword_only), {"x": 1}, (1, "a")),
    (call_by_name_only, {"call": "a parameter"}, "a parameter"),
    (functools.partial(keyword_only, x=5), {}, (5, "a")),
    (functools.partial(keyword_only, x=5), {"x": 6}, (6, "a")),
    (functools.partial(lambda first, x: (first, x), 0), {"x": 1}, (0, 1)),
    (Toolbox().method, {"x": 1}, 1),
    (Toolbox().any, {"x": 1}, {"x": 1}),
    (Toolbox.of_class, {"x": 1}, 1),
    (Toolbox.static, {"x": 1}, (1, "a")),
    (Toolbox().later, {"x": 1}, 1),
    (functools.partial(Toolbox().later), {"x": 1}, 1),
    (Callable1(), {"x": 1}, 1),
    (AsyncCallable(), {"x": 1}, (1, "a")),
    (functools.partial(AsyncCallable(), x=2), {}, (2, "a")),
    (dict, {"x": 1, "y": [2]}, {"x": 1, "y": [2]}),
    (print, {}, None),
    (max, {"key": None, "default": 1}, None),
]


@pytest.mark.parametrize(("function", "parameters", "output"), GOOD)
def test_functions_of_all_kinds(drive: Driver, function: Any, parameters: Dict[str, Any], output: Any) -> None:
    report = drive(one(parameters=parameters), {"a": function})
    if function is max:  # it does not tell what it takes: found when it is called
        assert report.statuses == {"a": "failed"}
    else:
        assert report.outputs == {"a": output}


BAD = [
    (lambda x: x, {}),
    (lambda x: x, {"x": 1, "y": 2}),
    (lambda x: x, {"y": 2}),
    (lambda: 1, {"y": 2}),
    (keyword_only, {"x": 1, "call": "hostile"}),
    (call_by_name_only, {}),
    (as_text, {"x": 1, "c": {}}),
    (Toolbox().method, {"x": 1, "self": 1}),
    (Toolbox.of_class, {"x": 1, "cls": 1}),
    (functools.partial(lambda first, **rest: (first, rest), 0), {"first": 1}),
    (functools.partial(lambda first, x: (first, x), 0), {"first": 1, "x": 1}),
    (functools.partial(Toolbox().any), {"self": 1}),
    (Callable1(), {"y": 1}),
    (AsyncCallable(), {}),
    (wrapped(keyword_only), {}),
]


@pytest.mark.parametrize(("function", "parameters"), BAD)
def test_parameters_that_do_not_fit(drive: Driver, function: Any, parameters: Dict[str, Any]) -> None:
    ran: List[int] = []
    plan = plan_of(Step(name="first"), Step(name="a", parameters=parameters))
    codes = refused(drive, plan, {"first": lambda: ran.append(1), "a": function})
    assert set(codes) == {"invalid-parameters"}
    assert ran == []


def test_every_problem_at_once(drive: Driver) -> None:
    class Strange(FunctionExecutor):
        supports_dry_run = "yes"  # type: ignore[assignment]

    plan = plan_of(
        Step(name="unknown", action="deplyo"),
        Step(name="missing", action="deploy"),
        Step(name="too-much", action="deploy", parameters={"x": 1, "y": 2}),
        dry_run_first=True,
        rollback_on_failure=True,
    )
    with pytest.raises(RefusedError) as caught:
        drive(
            plan,
            Strange({"deploy": lambda x: x}),
            schedule="later",
            max_parallel=0,
            on_failure="panic",
            run_id="",
            observers=[5],
        )
    codes = sorted(problem.code for problem in caught.value.problems)
    assert codes == sorted(
        ["invalid-setting"] * 5 + ["invalid-executor", "unknown-action", "invalid-parameters", "invalid-parameters"]
    )
    unknown = next(problem for problem in caught.value.problems if problem.code == "unknown-action")
    assert unknown.steps == ("unknown",)
    assert "deploy" in unknown.suggestion


@pytest.mark.parametrize("wanted", ["by the plan", "by the caller"])
def test_an_executor_without_a_dry_run(drive: Driver, wanted: str) -> None:
    recorder = Recorder()
    plan = plan_of(Step(name="a"), dry_run_first=wanted == "by the plan")
    keywords = {} if wanted == "by the plan" else {"dry_run": True}
    assert refused(drive, plan, recorder, **keywords) == ["unsupported"]
    assert "invalid-setting" in refused(drive, plan, recorder, **{**keywords, "max_parallel": 0})
    assert recorder.calls == []
    assert recorder.closed == 2


@pytest.mark.parametrize(
    "keywords",
    [
        {"max_parallel": 0},
        {"max_parallel": -1},
        {"max_parallel": True},
        {"max_parallel": False},
        {"max_parallel": 1.0},
        {"max_parallel": "2"},
        {"max_parallel": 2**31},
        {"max_parallel": float("nan")},
        {"schedule": "lazy"},
        {"schedule": ""},
        {"schedule": []},
        {"schedule": {}},
        {"on_failure": "go-on"},
        {"on_failure": 0},
        {"run_id": ""},
        {"run_id": 5},
        {"run_id": b"x"},
        {"observers": [None]},
    ],
)
def test_settings_that_cannot_be(drive: Driver, keywords: Dict[str, Any]) -> None:
    recorder = Recorder()
    assert refused(drive, one(), recorder, **keywords) == ["invalid-setting"]
    assert recorder.calls == []
    assert recorder.closed == 1


@pytest.mark.parametrize("limit", [1, 2, 2**31 - 1])
def test_limits_that_can_be(drive: Driver, limit: int) -> None:
    assert drive(wfplan.plan({"a": [], "b": []}), Recorder(), max_parallel=limit).ok


@pytest.mark.parametrize("plan", [None, {}, {"a": []}, "plan", Step(name="a"), wfplan.Workflow(steps=[])])
def test_what_is_no_plan(drive: Driver, plan: Any) -> None:
    with pytest.raises(RefusedError, match=r"wfplan\.plan"):
        drive(plan, {"a": lambda: 1})


@pytest.mark.parametrize(
    "keywords", [{"schedule": "batch"}, {"max_parallel": 1}, {"on_failure": "stop"}, {"run_id": "x"}]
)
def test_what_a_progress_has_settled(drive: Driver, keywords: Dict[str, Any]) -> None:
    progress = Progress(one())
    recorder = Recorder()
    assert refused(drive, progress, recorder, **keywords) == ["invalid-setting"]
    assert progress.report().statuses == {"a": "pending"}
    assert recorder.closed == 1


@pytest.mark.parametrize(
    "executor",
    [
        None,
        5,
        object(),
        [],
        print,
        {"a": None},
        {"a": "no function"},
        {5: print},
        type("NoFunction", (), {"execute": 5})(),
    ],
)
def test_what_is_no_executor(drive: Driver, executor: Any) -> None:
    assert refused(drive, one(), executor) == ["invalid-executor"]


@pytest.mark.parametrize(
    "members",
    [{"supports_dry_run": "yes"}, {"supports_dry_run": None}, {"validate": 5}, {"close": 5}, {"close": None}],
)
def test_members_that_are_not_what_they_should_be(drive: Driver, members: Dict[str, Any]) -> None:
    executor = type("Strange", (Recorder,), members)()
    assert set(refused(drive, one(), executor)) == {"invalid-executor"}
    assert executor.calls == []


def test_a_mapping_that_is_no_dictionary(drive: Driver) -> None:
    class Lazy(Mapping[str, Any]):
        def __getitem__(self, key: str) -> Any:
            if key != "a":
                raise KeyError(key)
            return lambda: key

        def __iter__(self) -> Iterator[str]:
            return iter(["a"])

        def __len__(self) -> int:
            return 1

    assert drive(one(), Lazy()).outputs == {"a": "a"}


def finding(severity: Any = "error") -> Problem:
    return Problem(code="unsupported", severity=severity, message="not today")


def broken_midway(_self: Any, _plan: Any) -> Iterator[Problem]:
    yield finding()
    raise ValueError("midway")


def plainly(found: Any) -> Callable[[Any, Any], Any]:
    return lambda _self, _plan: found() if callable(found) else found


def raises(error: BaseException) -> Callable[[Any, Any], Any]:
    def validate(_self: Any, _plan: Any) -> Any:
        raise error

    return validate


async def gives_async(_self: Any, _plan: Any) -> List[Problem]:
    return [finding()]


async def raises_async(_self: Any, _plan: Any) -> List[Problem]:
    raise ValueError("async")


@pytest.mark.parametrize(
    ("validate", "codes"),
    [
        (raises(ValueError("no")), ["invalid-executor"]),
        (raises_async, ["invalid-executor"]),
        (plainly([finding()]), ["unsupported"]),
        (gives_async, ["unsupported"]),
        (broken_midway, ["unsupported", "invalid-executor"]),
        (plainly([5, "text", finding()]), ["invalid-executor", "invalid-executor", "unsupported"]),
        (plainly(5), ["invalid-executor"]),
        (plainly(None), ["invalid-executor"]),
        (plainly("ab"), ["invalid-executor", "invalid-executor"]),
        (raises(RecursionError()), ["invalid-executor"]),
    ],
)
def test_an_executor_that_refuses_or_is_broken(drive: Driver, validate: Any, codes: List[str]) -> None:
    executor = type("Strict", (Recorder,), {"validate": validate})()
    assert refused(drive, one(), executor) == codes
    assert executor.calls == []
    assert executor.closed == 1


def test_a_warning_of_the_executor_refuses_nothing(drive: Driver) -> None:
    executor = type("Careful", (Recorder,), {"validate": plainly([finding("warning"), finding("info")])})()
    assert drive(one(), executor).ok


@pytest.mark.parametrize("error", [KeyboardInterrupt(), SystemExit(4)])
def test_an_interrupt_while_the_executor_is_asked(drive: Driver, error: BaseException) -> None:
    executor = type("Hard", (Recorder,), {"validate": raises(error)})()
    with pytest.raises(type(error)):
        drive(one(), executor)
    assert executor.calls == []
    assert executor.closed == 1


def test_the_executor_is_asked_once_with_the_plan(drive: Driver) -> None:
    asked: List[Any] = []

    class Asked(Recorder):
        def validate(self, plan: Any) -> List[Problem]:
            asked.append(plan)
            return []

    plan = one()
    assert drive(plan, Asked()).ok
    assert drive(Progress(plan), Asked()).ok
    assert asked == [plan, plan]


async def close_async(self: Any) -> None:
    self.closed += 1


def close_with_error(self: Any) -> None:
    self.closed += 1
    raise ValueError("stuck")


async def close_with_error_async(self: Any) -> None:
    close_with_error(self)


class TestClosing:
    @pytest.mark.parametrize("close", [Recorder.close, close_async])
    @pytest.mark.parametrize("ending", ["fine", "failed", "refused"])
    def test_exactly_once(self, drive: Driver, close: Any, ending: str) -> None:
        executor = type("Closing", (Recorder,), {"close": close})()
        if ending == "failed":
            executor.act = lambda _call: 1 / 0
        if ending == "refused":
            refused(drive, one(), executor, max_parallel=0)
        else:
            assert drive(one(), executor).ok == (ending == "fine")
        assert executor.closed == 1

    @pytest.mark.parametrize("close", [close_with_error, close_with_error_async])
    def test_a_failure_is_told_and_changes_nothing(
        self, drive: Driver, close: Any, caplog: pytest.LogCaptureFixture
    ) -> None:
        executor = type("Closing", (Recorder,), {"close": close})()
        report = drive(one(), executor)
        assert report.ok
        assert [problem.code for problem in report.problems] == ["close-failed"]
        assert "stuck" in report.problems[0].message
        assert "stuck" in caplog.text
        assert executor.closed == 1
        assert refused(drive, one(), executor, max_parallel=0) == ["invalid-setting"]
        assert executor.closed == 2

    def test_an_executor_of_one_method(self, drive: Driver) -> None:
        class Bare:
            def execute(self, call: StepCall) -> str:
                return call.step.name

        class BareAsync:
            async def execute(self, call: StepCall) -> str:
                return call.step.name

        assert drive(one(), Bare()).outputs == {"a": "a"}
        assert drive(one(), BareAsync()).outputs == {"a": "a"}
