"""Progress: the phases of a run, one after the other: dry run, execution, rollback."""

from __future__ import annotations

import os
from typing import Any, Callable, Iterable, Mapping, Sequence

from wfplan._internal.by_name import NO_STEPS, StepsByName
from wfplan._internal.messages import quote
from wfplan._internal.model import construct_unchecked
from wfplan.execution.events import Observer, Subscribers
from wfplan.execution.interface import Purpose, StepCall
from wfplan.execution.options import RunOptions, check_held, resolve_run_options
from wfplan.execution.phase_run import CANCEL_GRACE_SECONDS, GRACE_SECONDS, PhaseRun
from wfplan.execution.report import ExecutionReport, Phase, Reason, StepReport
from wfplan.execution.rollback import rollback_plan
from wfplan.execution.state_validation import UNSUCCESSFUL, check_state, counts_as_done
from wfplan.models import OnFailure, Schedule
from wfplan.plans import ExecutionPlan
from wfplan.problems import Problem, ProblemCollector, RefusedError

__all__ = ["CANCEL_GRACE_SECONDS", "Progress"]


class Progress:
    """The pure state machine of a run, in the spirit of graphlib's TopologicalSorter: what happened, what may start.

    It starts nothing, waits for nothing and reads no clock. Call `get_ready` for the calls to start, report each
    result with `done`, `failed` or `cancelled`, and call `get_ready` again at `next_deadline` at the latest. Every
    `now` is in seconds of one clock; an earlier one than the latest counts as that. Not thread-safe.

    If the plan says `dry_run_first`, the first calls have the purpose `dry_run`, and others follow only if all of them
    succeed; if it says `rollback_on_failure` and a step fails, the last calls have the purpose `compensate`.

    Args:
        plan: The plan to run.
        state: Step reports, or the report of a run, to continue from. Empty: a new run.
        schedule: `batch` or `eager`. None: the plan's own, as for all keywords below.
        max_parallel: The most steps in flight, at least 1; the lower of this and the plan's own applies.
        on_failure: `stop`, `cancel` or `skip-dependents`.
        dry_run: True: a dry run and nothing else. False or None: a dry run first, if the plan asks for one.
        run_id: The id of the run, part of every idempotency key. None: that of `state`, else a random one.
        hold: Names of steps that must not start. None: those of `state`; `()` releases all.
        grace_seconds: The least time, in seconds, that a step waits for the abandoned call of another before it is
            given up.
        tracebacks: Whether errors in the report keep their tracebacks.

    Raises:
        RefusedError: An argument is wrong, or the state does not fit the plan; with every problem.

    >>> import wfplan
    >>> progress = Progress(wfplan.plan({"shirt": [], "tie": ["shirt"]}), run_id="monday")
    >>> [call.step.name for call in progress.get_ready(now=0)]
    ['shirt']
    >>> progress.done("shirt", now=2)
    >>> [call.step.name for call in progress.get_ready(now=2)]
    ['tie']
    >>> progress.failed("tie", "torn", now=3)
    >>> progress.is_active(), progress.report().phase
    (False, 'failed')
    """

    plan: ExecutionPlan
    run_id: str
    settings: RunOptions
    """How the plan is walked: its own settings, with what was given in their place."""
    held: tuple[str, ...]
    """The steps that do not start, in declared order."""

    def __init__(
        self,
        plan: ExecutionPlan,
        state: Iterable[StepReport] | ExecutionReport = (),
        *,
        schedule: Schedule | None = None,
        max_parallel: int | None = None,
        on_failure: OnFailure | None = None,
        dry_run: bool | None = None,
        run_id: str | None = None,
        hold: Iterable[str] | None = None,
        grace_seconds: float = GRACE_SECONDS,
        tracebacks: bool = True,
    ) -> None:
        problems = ProblemCollector()
        report = state if isinstance(state, ExecutionReport) else None
        if dry_run is None and report is not None:
            dry_run = report.only_dry_run
        settings = resolve_run_options(plan, schedule, max_parallel, on_failure, dry_run, run_id, problems)
        known = check_state(plan, report.steps.values() if report else state, problems)  # type: ignore[arg-type]
        tried = check_state(plan, report.dry_run.values(), problems, what="the dry run of") if report else {}
        self.held = check_held(plan, report.held if report and hold is None else hold or (), problems)
        self.plan = plan
        self.settings = settings
        self._check_together(report, known, tried, problems)
        if problems.has_errors:
            raise RefusedError(problems.as_tuple())
        self.run_id = run_id or (report.run_id if report else os.urandom(16).hex())
        self._audience = Subscribers()
        self._limit = settings.max_parallel
        self._stop_requested = bool(report and report.stop_requested)
        self._suspended = False
        self._fields: dict[str, Any] = {"grace_seconds": grace_seconds, "tracebacks": tracebacks}
        self._execution = PhaseRun(
            plan,
            "execute",
            settings,
            self.run_id,
            self._audience,
            limit=self._limit,
            held=self.held,
            grace_seconds=grace_seconds,
            tracebacks=tracebacks,
        )
        self._phases: list[PhaseRun] = [self._execution]
        self._dry_run: PhaseRun | None = None
        self._rollback: PhaseRun | None = None
        self._tried = tried  # the dry run, if it is over
        self._current = self._execution
        self._rollback_is_due = False
        self._begin_phases(known, report)

    def _begin_phases(self, known: Mapping[str, StepReport], report: ExecutionReport | None) -> None:
        """Start, or continue, the dry run if there is to be one, the execution, and a rollback that had begun."""
        if self._wants_dry_run(known.values(), report):
            self._dry_run = self._current = self._make_phase(self.plan, "dry_run")
            self._phases.insert(0, self._dry_run)
            done = {name: step for name, step in known.items() if step.status == "succeeded"}
            self._dry_run.begin(self._tried or done, stopped=self._stop_requested)
        trying = self._dry_run is not None and self._dry_run.is_active()
        self._execution.begin(known, stopped=bool(report and report.stopped and not trying))
        if report and report.rollback:
            self._enter_rollback(report.rollback.values())
        self._go_on()

    def get_ready(self, now: float) -> tuple[StepCall, ...]:
        """Return the calls to start now, in this order. They count as running from now on.

        Args:
            now: The time, in seconds.
        """
        calls = self._current.get_ready(now)
        while not self._current.is_active() and self._go_on():
            calls += self._current.get_ready(now)
        return calls

    def get_cancellations(self) -> tuple[str, ...]:
        """Return the steps whose calls are to be cancelled, each given once: their time is up, or the run is to end."""
        return tuple(name for phase in self._phases for name in phase.get_cancellations())

    def done(self, name: str, output: Any = None, *, now: float) -> None:
        """Record that the call of this step returned.

        Its output is ignored if `get_ready` has already noticed its timeout.

        Args:
            name: The step.
            output: What it returned.
            now: The time, in seconds.

        Raises:
            UnknownNameError: No step has this name.
            RefusedError: The step is not in flight.
        """
        self._phase_of(name).done(name, output, now=now)
        if not self._current.is_active():
            self._go_on()

    def failed(self, name: str, error: BaseException | str, *, now: float, reason: Reason | None = None) -> None:
        """Record that the call of this step failed.

        It is retried if its retry policy and the state of the run allow it, but never after a PermanentError, after an
        error that is not an Exception, or with a `reason`.

        Args:
            name: The step.
            error: What it raised, or a message.
            now: The time, in seconds.
            reason: Why it must not be retried, for the report; None: it may be.

        Raises:
            UnknownNameError: No step has this name.
            RefusedError: The step is not in flight.
        """
        self._phase_of(name).failed(name, error, now=now, reason=reason)
        if not self._current.is_active():
            self._go_on()

    def cancelled(self, name: str, *, now: float, reason: Reason | None = None) -> None:
        """Record that the call of this step was cancelled, by this run or from outside; it is not retried.

        Args:
            name: The step.
            now: The time, in seconds.
            reason: Why, for the report; None for no special reason.

        Raises:
            UnknownNameError: No step has this name.
            RefusedError: The step is not in flight.
        """
        self._phase_of(name).cancelled(name, now=now, reason=reason)
        if not self._current.is_active():
            self._go_on()

    def stop(
        self, *, cancel: bool = False, grace_seconds: float = CANCEL_GRACE_SECONDS, now: float | None = None
    ) -> None:
        """Start nothing new, retry nothing, roll nothing back.

        Args:
            cancel: Whether to ask running steps to end.
            grace_seconds: With `cancel`, how long to wait for them, in seconds.
            now: The time, in seconds. None: the latest one known.
        """
        self._stop_requested = True
        self._rollback_is_due = False
        self._current.stop(cancel=cancel, grace_seconds=grace_seconds, now=now)
        self._go_on()

    def suspend(
        self, *, cancel: bool = False, grace_seconds: float = CANCEL_GRACE_SECONDS, now: float | None = None
    ) -> None:
        """Start nothing new and conclude nothing: a later run continues from the report.

        Running steps are waited for. One that does not end by itself counts as in flight: its call will be made again.

        Args:
            cancel: Whether to ask running steps to end.
            grace_seconds: With `cancel`, how long to wait for them, in seconds.
            now: The time, in seconds. None: the latest one known.
        """
        self._suspended = True
        self._current.suspend(cancel=cancel, grace_seconds=grace_seconds, now=now)
        self._go_on()

    def lower_max_parallel(self, max_parallel: int) -> None:
        """Lower the limit on steps in flight; a higher limit than the present one has no effect.

        Args:
            max_parallel: The most steps in flight from now on, at least 1.
        """
        if self._limit is None or max_parallel < self._limit:
            self._limit = max_parallel
        for phase in self._phases:
            phase.lower_max_parallel(max_parallel)

    @property
    def max_parallel(self) -> int | None:
        """How many steps may be in flight; None if as many as there are."""
        return self._limit

    def restart_in_flight(self, now: float) -> tuple[StepCall, ...]:
        """Return the calls in flight, to be made again by a process that cannot know what became of them.

        They are the same attempts, under the same idempotency keys; their timeouts start anew. A step with
        `idempotent=False` fails instead, with reason `outcome-unknown`, and abandoned calls are forgotten. Dry runs
        and compensations are always made again.

        Args:
            now: The time, in seconds.
        """
        if self._rollback is not None:
            for name in self._execution.abandoned:
                self._rollback.unreserve(name)
        again = tuple(call for phase in self._phases for call in phase.restart_in_flight(now))
        self._go_on()
        return again

    def is_active(self) -> bool:
        """Return whether anything of the run has not ended, and is neither suspended nor held."""
        return self._current.is_active() or (self._rollback_is_due and not self._suspended)

    @property
    def remaining(self) -> int:
        """How many steps have not ended."""
        return self._execution.remaining

    @property
    def next_deadline(self) -> float | None:
        """When to call `get_ready` again if nothing happens before: a retry, a timeout. None if nothing is due."""
        return self._current.next_deadline

    @property
    def now(self) -> float:
        """The latest time that is known."""
        return max(phase.now for phase in self._phases)

    @property
    def in_flight(self) -> tuple[StepCall, ...]:
        """The calls that have started and not come back, those included whose time is up."""
        return tuple(call for phase in self._phases for call in phase.in_flight)

    @property
    def abandoned(self) -> tuple[str, ...]:
        """The steps whose time is up and whose calls have not come back."""
        return tuple(name for phase in self._phases for name in phase.abandoned)

    @property
    def has_dry_run(self) -> bool:
        """Whether there is to be a dry run, or was one."""
        return self._dry_run is not None

    @property
    def has_rollback(self) -> bool:
        """Whether it has come to a rollback."""
        return self._rollback is not None

    def subscribe(self, observer: Observer) -> None:
        """Report every event from now on, at once and in order.

        Args:
            observer: A callable that takes an `Event` and must not raise.
        """
        self._audience.observers.append(observer)

    def set_waker(self, wake: Callable[[], object]) -> None:
        """Set the function that asks the driver to call `get_ready` because there is something to emit.

        Args:
            wake: Called in any thread; must not block.
        """
        self._audience.wake = wake

    def report(self, problems: Sequence[Problem] = ()) -> ExecutionReport:
        """Return the report of what has happened so far.

        Args:
            problems: Further problems to list in it.
        """
        return construct_unchecked(
            ExecutionReport,
            {
                "schema_version": 1,
                "plan": self.plan,
                "run_id": self.run_id,
                "phase": self.phase,
                "stopped": self._current.stopped,
                "stop_requested": self._stop_requested,
                "steps": StepsByName(self._execution.report()),
                "dry_run": StepsByName(self._tried if self._dry_run is None else self._dry_run.report()),
                "rollback": StepsByName({} if self._rollback is None else self._rollback.report_by_batch()),
                "only_dry_run": self.settings.dry_run,
                "problems": tuple(problems),
                "suspended_in": self._current.purpose if self.phase == "suspended" else None,
                "held": self.held,
                "settings": self.settings,
                "plan_fingerprint": "",
                "keys": NO_STEPS,
            },
        )

    @property
    def phase(self) -> Phase:
        """`executing` or `rolling_back` while anything goes on, `suspended` if more is to be done, but not now.

        Else it is what the run has come to.

        That is `completed` if every step is done (in a mere dry run: has succeeded), `rolled_back` if there were
        compensations and every one succeeded, else `failed`.
        """
        if self.is_active():
            return "executing" if self._rollback is None else "rolling_back"
        if not self._current.has_ended or (self._suspended and self._is_before_more):
            return "suspended"
        if self._rollback is not None:
            return "rolled_back" if _all_succeeded(self._rollback) else "failed"
        if self.settings.dry_run:
            return "completed" if self._dry_run is None or _all_succeeded(self._dry_run) else "failed"
        steps = self.plan.workflow.steps
        return "completed" if all(map(counts_as_done, steps, self._execution.statuses)) else "failed"

    @property
    def _is_before_more(self) -> bool:
        """Whether this phase has ended and another is due."""
        return self._current is self._dry_run or (self._current is self._execution and self._wants_rollback())

    # From one phase to the next.

    def _phase_of(self, name: str) -> PhaseRun:
        """Return the phase in which this step is in flight; the execution, which knows why not, if it is in none."""
        if self._current.has_in_flight(name):
            return self._current
        if self._rollback is not None and self._execution.has_in_flight(name):
            self._rollback.unreserve(name)
        return next((phase for phase in self._phases if phase.has_in_flight(name)), self._execution)

    def _go_on(self) -> bool:
        """Enter the next phase if this one has ended and another is due; whether that is so."""
        before = self._current
        if self._suspended and not self._stop_requested and not self.settings.dry_run:
            return False
        if self._dry_run is not None and self._current is self._dry_run and self._dry_run.has_ended:
            self._current = self._execution
            self._end_dry_run(self._dry_run)
        if self._current is self._execution and self._execution.has_ended:
            self._rollback_is_due = self._wants_rollback()
            if self._rollback_is_due and self._execution.only_abandoned_in_flight:
                self._rollback_is_due = False
                self._enter_rollback(())
        return self._current is not before

    def _check_together(
        self,
        report: ExecutionReport | None,
        known: Mapping[str, StepReport],
        tried: Mapping[str, StepReport],
        problems: ProblemCollector,
    ) -> None:
        """Can these be the states of the dry run and of the execution of one run?"""
        steps = self.plan.steps
        begun = [name for name, step in known.items() if step.status == "running" or _waits_for_retry(step)]
        if begun and any(step.status != "succeeded" for step in tried.values()):
            message = f"step {quote(begun[0])} cannot have begun: the dry run has not ended well"
            problems.add("impossible-state", message, steps=begun[:1])
        failed = any(
            step.status in UNSUCCESSFUL and not counts_as_done(steps[name], step.status) for name, step in known.items()
        )
        if self.settings.dry_run and (begun or failed or (report is not None and report.rollback)):
            advice = "continue it without dry_run, or dry-run the plan by itself"
            problems.add("invalid-setting", "dry_run cannot be given for a run that has begun", suggestion=advice)

    def _make_phase(self, plan: ExecutionPlan, purpose: Purpose, **fields: Any) -> PhaseRun:
        """Return a phase in which what fails stops nothing but what needs it."""
        settings = self.settings.model_copy(update={"on_failure": "skip-dependents"})
        fields = {"limit": self._limit, **self._fields, **fields}
        return PhaseRun(plan, purpose, settings, self.run_id, self._audience, **fields)

    def _wants_dry_run(self, known: Iterable[StepReport], report: ExecutionReport | None) -> bool:
        """Return whether there is to be a dry run, or was one; not if steps tell that the run is beyond it."""
        if report and (report.rollback or report.dry_run):
            return not report.rollback
        if self.settings.dry_run:
            return True
        first = self.plan.workflow.execution_strategy.dry_run_first
        return first and all(step.status == "pending" and not step.attempts for step in known)

    def _end_dry_run(self, dry_run: PhaseRun) -> None:
        """Start the execution if every step of the dry run succeeded; otherwise skip all of it."""
        steps = self.plan.workflow.steps
        failed = [step.name for step, status in zip(steps, dry_run.statuses) if status in UNSUCCESSFUL]
        if self._stop_requested:
            self._execution.skip_all("run-stopped", None, dry_run.now)
        elif failed:
            self._execution.skip_all("dry-run-failed", failed[0], dry_run.now)
        elif self.settings.dry_run:
            self._execution.skip_all("dry-run", None, dry_run.now)

    def _wants_rollback(self) -> bool:
        """Return whether the execution, which has ended, failed by itself, and there is something to undo."""
        if (
            self._stop_requested
            or self.settings.dry_run
            or not self.plan.workflow.execution_strategy.rollback_on_failure
        ):
            return False
        ended = tuple(zip(self.plan.workflow.steps, self._execution.statuses))
        failed = any(status in UNSUCCESSFUL and not counts_as_done(step, status) for step, status in ended)
        return failed and any(status == "succeeded" and step.rollback is not None for step, status in ended)

    def _enter_rollback(self, state: Iterable[StepReport]) -> None:
        """Begin to undo, or go on. Raises RefusedError if `state` cannot be."""
        ended = zip(self.plan.workflow.steps, self._execution.statuses)
        undoing = rollback_plan(self.plan, [step.name for step, status in ended if status == "succeeded"])
        problems = ProblemCollector()
        known = check_state(undoing, state, problems, what="the compensation of", causes=self.plan.steps)
        if self._execution.is_active():
            problems.add("impossible-state", "steps are being undone while others have not ended")
        if problems.has_errors:
            raise RefusedError(problems.as_tuple())
        around = self._execution.outputs_around
        self._rollback = self._current = self._make_phase(undoing, "compensate", outputs_for=around)
        self._phases.append(self._rollback)
        self._rollback.hold(self.plan.steps[name] for name in self._execution.abandoned)
        self._rollback.begin(known, stopped=self._stop_requested)


def _all_succeeded(phase: PhaseRun) -> bool:
    return all(status == "succeeded" for status in phase.statuses)


def _waits_for_retry(step: StepReport) -> bool:
    return step.status == "pending" and step.attempts > 0
