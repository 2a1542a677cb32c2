"""check_executor: check the contract of executors on one of them."""

from __future__ import annotations

from inspect import isawaitable
from typing import Any, Callable, Iterator, Sequence

from wfplan._internal.messages import quote
from wfplan.execution.events import Event
from wfplan.execution.interface import Executor, StepCall
from wfplan.execution.loop import arun
from wfplan.execution.report import ExecutionReport
from wfplan.execution.signals import StopSignal
from wfplan.execution.threads import run
from wfplan.models import RetryPolicy, Step
from wfplan.planner import plan
from wfplan.plans import ExecutionPlan

__all__ = ["check_executor"]

_WIDTH = 4
_TIMEOUT = 0.5
_Run = Callable[..., ExecutionReport]


def check_executor(
    factory: Callable[[], Executor], *, succeeds: Step, fails: Step, hangs: Step | None = None, patience: float = 60.0
) -> None:
    """Raise AssertionError, with everything that was found, unless the executors keep the contract of `Executor`.

    Each check has an executor of its own and runs under both `run` and `arun`.

    Args:
        factory: Makes an executor.
        succeeds: A step that succeeds with it; only its action and parameters are used, as of the next two.
        fails: A step that fails with it.
        hangs: A step that never returns. None: timeouts and cancellation are not checked.
        patience: The most seconds that a step may take.

    Raises:
        AssertionError: A check failed.

    >>> from wfplan import FunctionExecutor, Step
    >>> check_executor(
    ...     lambda: FunctionExecutor({"add": lambda: 1 + 1, "divide": lambda: 1 / 0}),
    ...     succeeds=Step(name="add"), fails=Step(name="divide"),
    ... )
    """
    kit = _Kit(factory, succeeds, fails, hangs, patience)
    found: list[str] = []
    for driver, name in ((run, "run"), (_run_async, "arun")):
        for check in (_order, _failure, _each_once, _retry, _timeout, _cancel, _validate_and_close):
            if hangs is not None or check not in (_timeout, _cancel):
                label = f"{check.__name__.strip('_').replace('_', ' ')}, under {name}"
                try:
                    found.extend(f"{label}: {finding}" for finding in check(kit, driver))
                except Exception as error:  # noqa: BLE001 - every finding at once
                    found.append(f"{label}: {type(error).__name__}: {error}")
    if found:
        raise AssertionError("\n  ".join([f"the executor breaks the contract, {len(found)} findings:", *found]))


class _Kit:
    def __init__(
        self, factory: Callable[[], Executor], succeeds: Step, fails: Step, hangs: Step | None, patience: float
    ) -> None:
        self.factory = factory
        self.succeeds = succeeds
        self.fails = fails
        self._hangs = hangs
        self.patience = patience

    @property
    def hangs(self) -> Step:
        assert self._hangs is not None  # noqa: S101 - checks that need it are left out without it
        return self._hangs

    def step(self, like: Step, name: str, *needs: str, **fields: Any) -> Step:
        """Return a step that does what `like` does, under another name and with other needs."""
        fields = {"timeout_seconds": self.patience, **fields}
        return Step(name=name, action=like.action, parameters=like.parameters, dependencies=needs, **fields)


def _order(kit: _Kit, driver: _Run) -> Iterator[str]:
    """Check a diamond: no step starts before its dependencies have ended, whatever the executor does in between."""
    steps = [
        kit.step(kit.succeeds, "top"),
        *(kit.step(kit.succeeds, f"middle-{n}", "top") for n in range(_WIDTH)),
        kit.step(kit.succeeds, "bottom", *(f"middle-{n}" for n in range(_WIDTH))),
    ]
    report = driver(plan(steps), _Noting(kit.factory(), []))
    yield from _expect(report, dict.fromkeys(report.steps, "succeeded"))


def _failure(kit: _Kit, driver: _Run) -> Iterator[str]:
    """Check that an exception is a failure, and fails that step only."""
    steps = [
        kit.step(kit.succeeds, "good"),
        kit.step(kit.fails, "bad"),
        kit.step(kit.succeeds, "after-good", "good"),
        kit.step(kit.succeeds, "after-bad", "bad"),
    ]
    report = driver(plan(steps), kit.factory(), on_failure="skip-dependents")
    wanted = {"good": "succeeded", "bad": "failed", "after-good": "succeeded", "after-bad": "skipped"}
    yield from _expect(report, wanted)
    if report.steps["bad"].error is None:
        yield "a step that failed has no error"


def _each_once(kit: _Kit, driver: _Run) -> Iterator[str]:
    """Check many steps at once: each has one outcome, none is lost, none is reported twice."""
    names = [f"step-{n}" for n in range(5 * _WIDTH)]
    events: list[Event] = []
    ended = plan([kit.step(kit.succeeds, name) for name in names])
    report = driver(ended, kit.factory(), max_parallel=_WIDTH, observers=[events.append])
    yield from _expect(report, dict.fromkeys(names, "succeeded"))
    ends = [event.step for event in events if event.kind == "attempt-ended"]
    if sorted(map(str, ends)) != sorted(names):
        yield f"{len(names)} steps, but {len(ends)} outcomes"


def _retry(kit: _Kit, driver: _Run) -> Iterator[str]:
    """Check that a step can be retried with the same executor."""
    calls: list[StepCall] = []
    step = kit.step(kit.fails, "again", retry=RetryPolicy(max_attempts=3))
    report = driver(plan([step]), _Noting(kit.factory(), calls))
    yield from _expect(report, {"again": "failed"})
    if [call.attempt for call in calls] != [1, 2, 3]:
        yield f"three attempts were due, made were {[call.attempt for call in calls]}"


def _timeout(kit: _Kit, driver: _Run) -> Iterator[str]:
    """Check that what does not return times out, and that independent steps continue."""
    steps = [
        kit.step(kit.hangs, "stuck", timeout_seconds=_TIMEOUT),
        kit.step(kit.succeeds, "after-stuck", "stuck"),
        kit.step(kit.succeeds, "free"),
    ]
    report = driver(plan(steps), kit.factory(), on_failure="skip-dependents", max_parallel=_WIDTH)
    yield from _expect(report, {"stuck": "timed_out", "after-stuck": "skipped", "free": "succeeded"})


def _cancel(kit: _Kit, driver: _Run) -> Iterator[str]:
    """Check that a stopped run ends: what hangs is cancelled, or times out."""
    stop = StopSignal()

    def stop_soon(event: Event) -> None:
        if event.kind == "attempt-started":
            stop.set(cancel=True)

    steps = [kit.step(kit.hangs, "stuck", timeout_seconds=_TIMEOUT)]
    report = driver(plan(steps), kit.factory(), stop=stop, observers=[stop_soon])
    if report.steps["stuck"].status not in ("cancelled", "timed_out"):
        yield f'"stuck" was cancelled, and is {report.steps["stuck"].status}'


def _validate_and_close(kit: _Kit, driver: _Run) -> Iterator[str]:
    """`validate` has nothing against what can be done, and an executor can be closed twice."""
    executor: Any = kit.factory()
    report = driver(plan([kit.step(kit.succeeds, "only")]), executor)
    yield from (str(problem) for problem in report.problems)
    if hasattr(executor, "close"):
        closed = executor.close()
        if isawaitable(closed):
            run(plan({"close": []}), {"close": lambda: closed}).raise_for_status()


def _expect(report: ExecutionReport, wanted: dict[str, Any]) -> Sequence[str]:
    return [
        f"{quote(name)} should have {status}, and is {report.steps[name].status}"
        + (f": {report.steps[name].error}" if report.steps[name].error else "")
        for name, status in wanted.items()
        if report.steps[name].status != status
    ]


def _run_async(what: ExecutionPlan, executor: Any, **keywords: Any) -> ExecutionReport:
    """`arun`, for whoever has no event loop: an async step of a run of its own."""
    outer = run(plan({"arun": []}), {"arun": lambda: arun(what, executor, **keywords)})
    outer.raise_for_status()
    report: ExecutionReport = outer.outputs["arun"]
    return report


class _Noting:
    """Another executor, whose calls are noted."""

    def __init__(self, executor: Any, calls: list[StepCall]) -> None:
        self._executor = executor
        self._calls = calls
        for name in ("validate", "close"):
            if hasattr(executor, name):
                setattr(self, name, getattr(executor, name))

    def execute(self, call: StepCall) -> Any:
        self._calls.append(call)
        return self._executor.execute(call)
