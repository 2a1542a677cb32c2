"""A run in simulated time, under the same rules as any run."""

from __future__ import annotations

from heapq import heappop, heappush
from math import inf
from typing import Any, Callable, Mapping, Union

from typing_extensions import TypeAlias

from wfplan.analysis.durations import check_seconds, step_seconds
from wfplan.execution.interface import StepCall
from wfplan.execution.progress import Progress
from wfplan.execution.report import ExecutionReport
from wfplan.models import OnFailure, Schedule
from wfplan.outcomes import Outcome, Outcomes, Script
from wfplan.plans import ExecutionPlan
from wfplan.problems import RefusedError, refusal, require_type

__all__ = ["Durations", "simulate"]

Durations: TypeAlias = Union[Mapping[str, float], Callable[[StepCall], float]]
"""Seconds by the names of steps, or a function that returns those of a call."""

_MOST_RETRIES = 1_000_000


def simulate(
    plan: ExecutionPlan,
    *,
    schedule: Schedule | None = None,
    max_parallel: int | None = None,
    on_failure: OnFailure | None = None,
    dry_run: bool | None = None,
    run_id: str = "simulation",
    durations: Durations | None = None,
    outcomes: Outcomes | None = None,
    cancellable: bool = True,
) -> ExecutionReport:
    """Return the report of a run of `plan` that starts at 0 seconds and in which nothing really happens.

    It drives `Progress` as `run` does: retries, timeouts, failures, dry runs and rollbacks are those of any run. A run
    that would never end, because a step without a timeout hangs, is reported as it would stay: its phase is
    `executing`.

    Args:
        plan: The plan.
        schedule: As for `run`.
        max_parallel: As for `run`, but None, here and in the plan, means no limit.
        on_failure: As for `run`.
        dry_run: As for `run`.
        run_id: The id of the run.
        durations: Seconds by step name, or a function from a call to seconds. A step without an entry takes its
            `estimated_seconds`, or 1 second, whatever the purpose. It times out if that is more than
            `timeout_seconds`.
        outcomes: Outcomes by step name or action, see `wfplan.outcomes`. A step without one succeeds.
        cancellable: Whether a call that is asked to end does so at once, as an async function does. Otherwise it
            returns when its time has passed, as a plain function does, and keeps its place and its locks until then.

    Raises:
        RefusedError: A keyword is wrong, an outcome is for neither a step nor an action, a duration is not a number of
            seconds, or there were a million retries.
        UnknownNameError: A duration is for a name that is not a step.

    >>> import wfplan
    >>> plan = wfplan.plan({"scale": [], "restart": ["scale"], "verify": ["restart"]})
    >>> report = simulate(plan, durations={"restart": 30})
    >>> report.phase, report.makespan, report.steps["verify"].started_at
    ('completed', 32.0, 31.0)
    >>> simulate(plan, outcomes={"restart": OSError("no route")}).statuses
    {'scale': 'succeeded', 'restart': 'failed', 'verify': 'skipped'}
    """
    require_type(plan, ExecutionPlan)
    progress = Progress(
        plan, schedule=schedule, max_parallel=max_parallel, on_failure=on_failure, dry_run=dry_run, run_id=run_id
    )
    script = Script(outcomes)
    unknown = script.problems(plan)
    if unknown:
        raise RefusedError(unknown)
    world = _World(_seconds_of(durations, plan), script.outcome_of, cancellable=cancellable)
    _drive(progress, world)
    return progress.report()


def _drive(progress: Progress, world: _World) -> None:
    """Drive the run from one moment at which anything happens to the next."""
    now = 0.0
    while True:
        for call in progress.get_ready(now):
            world.start(call, now)
        ended = world.end_at_once(progress.get_cancellations())
        if not ended:
            if not progress.is_active():
                return
            next_deadline = progress.next_deadline
            now = max(now, min(world.next_end, inf if next_deadline is None else next_deadline))
            if now == inf:
                return
            ended = world.pop_ended(now)
        for name, outcome in ended:
            _emit(progress, name, outcome, now)


def _emit(progress: Progress, name: str, outcome: Outcome, now: float) -> None:
    if outcome.kind == "succeeds":
        progress.done(name, outcome.output, now=now)
    elif outcome.kind == "fails":
        error = outcome.error
        progress.failed(name, error() if isinstance(error, type) else error, now=now)
    else:
        progress.cancelled(name, now=now)


class _World:
    """What the calls of a run do, and when they come back."""

    def __init__(
        self, seconds_of: Callable[[StepCall], float], outcome_of: Callable[[StepCall], Outcome], *, cancellable: bool
    ) -> None:
        self._seconds_of = seconds_of
        self._outcome_of = outcome_of
        self._cancellable = cancellable
        self._started = 0
        self._retries = 0
        self._open: dict[str, int] = {}
        self._ends: list[tuple[float, int, str, Outcome]] = []  # may hold calls that have ended before

    def start(self, call: StepCall, now: float) -> None:
        """Take up a call."""
        if call.attempt > 1:
            self._retries += 1
            if self._retries > _MOST_RETRIES:
                raise refusal(f"this run tries again more than {_MOST_RETRIES:,} times", "give fewer `max_attempts`")
        name = call.step.name
        outcome = self._outcome_of(call)
        self._started += 1
        self._open[name] = self._started
        if outcome.kind != "hangs":
            given = outcome.delay
            seconds = self._seconds_of(call) if given is None else check_seconds(name, given)
            heappush(self._ends, (now + seconds, self._started, name, outcome))

    @property
    def next_end(self) -> float:
        """When the next call comes back."""
        return self._ends[0][0] if self._ends else inf

    def pop_ended(self, now: float) -> list[tuple[str, Outcome]]:
        """Return the calls that are back by now, in the order in which they started."""
        ended: list[tuple[str, Outcome]] = []
        while self._ends and self._ends[0][0] <= now:
            _, number, name, outcome = heappop(self._ends)
            if self._open.get(name) == number:
                del self._open[name]
                ended.append((name, outcome))
        return ended

    def end_at_once(self, names: tuple[str, ...]) -> list[tuple[str, Outcome]]:
        """Return the calls that are asked to end, and do."""
        if not self._cancellable:
            return []
        for name in names:
            del self._open[name]
        return [(name, _ENDED) for name in names]


_ENDED = Outcome("cancelled")


def _seconds_of(durations: Durations | None, plan: ExecutionPlan) -> Callable[[StepCall], float]:
    """Return a function from a call to its seconds."""
    if callable(durations):
        ask: Any = durations
        return lambda call: check_seconds(call.step.name, ask(call))
    known = dict(zip(plan.steps, step_seconds(plan, durations)))
    return lambda call: known[call.step.name]
