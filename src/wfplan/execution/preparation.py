"""PreparedRun: check everything that can be known before the first step."""

from __future__ import annotations

import os
from os import PathLike
from typing import Any, Callable, Iterable, Mapping, NamedTuple

from wfplan._internal.messages import quote
from wfplan.execution.events import Observer
from wfplan.execution.executor_adapter import ExecutorAdapter, adapt_executor, keep_findings
from wfplan.execution.functions import is_async_function, is_generator_function
from wfplan.execution.interface import Executor
from wfplan.execution.journal.file import JournalFile
from wfplan.execution.journal.reader import Record, read_journal, with_plan
from wfplan.execution.journal.writer import Journal
from wfplan.execution.options import resolve_run_options
from wfplan.execution.progress import Progress
from wfplan.execution.report import ExecutionReport
from wfplan.execution.resume import resume_state
from wfplan.execution.signals import StopSignal
from wfplan.execution.step_errors import StepError
from wfplan.models import OnFailure, Schedule
from wfplan.plans import ExecutionPlan
from wfplan.problems import Problem, ProblemCollector, RefusedError, require_type

__all__ = ["PreparedRun", "RunArguments", "default_limit"]

_SETTLED = "the Progress has settled it: leave it out, or hand over the plan"
_STARTED = "the run in this journal began with another one: leave it out, or begin a new run in another file"


def default_limit() -> int:
    """Return the limit on steps in flight if each needs a thread: the default of `ThreadPoolExecutor`."""
    return min(32, (os.cpu_count() or 1) + 4)


class RunArguments(NamedTuple):
    """The keywords of a run, as `run` documents them; what is not given is None."""

    schedule: Schedule | None
    max_parallel: int | None
    on_failure: OnFailure | None
    dry_run: bool | None
    journal: str | PathLike[str] | None
    resume: ExecutionReport | None
    run_id: str | None
    hold: Iterable[str] | None
    stop: StopSignal | None
    tracebacks: bool
    observers: Iterable[Observer]

    @property
    def settings(self) -> dict[str, Any]:
        """The keywords that have to be the same when a run continues."""
        return {
            "schedule": self.schedule,
            "max_parallel": self.max_parallel,
            "on_failure": self.on_failure,
            "dry_run": self.dry_run,
            "run_id": self.run_id,
        }


class PreparedRun:
    """A run that has not begun: progress, backend and journal, as far as they can be made, and every problem."""

    progress: Progress | None = None
    backend: ExecutorAdapter | None = None
    finished: ExecutionReport | None = None
    """The report of the run that is in the journal already, from its beginning to its end."""

    def __init__(
        self,
        plan: ExecutionPlan | Progress,
        executor: Executor | Mapping[str, Callable[..., Any]],
        given: RunArguments,
    ) -> None:
        """Raise RefusedError where there is nothing to run at all."""
        self._problems = ProblemCollector()
        self.observers: tuple[Any, ...] = _as_tuple(given.observers)
        self._file: JournalFile | None = None
        self._record: Record | None = None
        self._resumes: str | None = None
        self._tracebacks = given.tracebacks
        require_type(plan, ExecutionPlan, Progress)
        self.plan: ExecutionPlan = plan.plan if isinstance(plan, Progress) else plan
        self._check_listeners(given.stop)
        settings = given.settings
        try:
            if given.journal is not None:
                self._open_journal(given.journal)
            if isinstance(plan, Progress):
                self._take_progress(plan, {**settings, "resume": given.resume, "hold": given.hold})
            elif self._record is not None:
                self._continue(plan, self._record, settings, given.resume, given.hold)
            else:
                self._begin(plan, settings, given.resume, given.hold)
            self.backend = adapt_executor(executor, self._problems)
        except BaseException:  # an interrupt: nobody else would let the journal go
            self.discard()
            raise
        first = self.plan.workflow.execution_strategy.dry_run_first
        self._dry_runs = given.dry_run is True or first if self.progress is None else self.progress.has_dry_run
        if self._dry_runs and self.backend is not None and not self.backend.supports_dry_run:
            message = "there is to be a dry run, and the executor has none: supports_dry_run is false"
            self._problems.add("unsupported", message, suggestion="hand over functions for it, or plan without it")

    # Where the run begins.

    def _take_progress(self, progress: Progress, given: Mapping[str, Any]) -> None:
        self.progress = progress
        for name, value in given.items():
            if value is not None:
                self._problems.add("invalid-setting", f"{name} cannot be given here", suggestion=_SETTLED)
        if self._record is not None:
            message = "the journal holds a run already, and the Progress is one too"
            self._problems.add("journal-mismatch", message, suggestion="hand over the plan, or another file")
        if progress.phase == "suspended":
            advice = "hand over Progress(plan, progress.report()), perhaps with another hold"
            self._problems.add("invalid-setting", "the Progress is suspended", suggestion=advice)

    def _begin(self, plan: ExecutionPlan, given: dict[str, Any], resume: object, hold: Iterable[str] | None) -> None:
        """Return a new run, from nothing or from a report."""
        state: Any = ()
        if resume is not None and not isinstance(resume, ExecutionReport):
            message = f"resume must be an ExecutionReport, not a {type(resume).__name__}"
            self._problems.add("invalid-setting", message)
        elif resume is not None and self._is_same_run(plan, given, resume):
            self._resumes = resume.run_id
            state, given = with_plan(resume, plan), {**given, "run_id": resume.run_id}
        elif resume is not None:
            self._resumes = resume.run_id
            state = resume_state(plan, resume, self._problems)
            given = {**given, "run_id": os.urandom(16).hex() if given["run_id"] is None else given["run_id"]}
        self._make_progress(plan, state, {**given, "hold": hold})

    @staticmethod
    def _is_same_run(plan: ExecutionPlan, given: dict[str, Any], resume: ExecutionReport) -> bool:
        """Return whether a report is that of a run which is suspended, and all is as it was."""
        if resume.phase != "suspended" or given["run_id"] is not None or resume.fingerprint != plan.fingerprint:
            return False
        return resolve_run_options(plan, **given, problems=ProblemCollector()) == resume.settings

    def _continue(
        self,
        plan: ExecutionPlan,
        record: Record,
        given: dict[str, Any],
        resume: object,
        hold: Iterable[str] | None,
    ) -> None:
        """Continue the run in the journal; the keywords given must be those it began with."""
        problems, report = self._problems, record.report
        if plan.fingerprint != report.plan_fingerprint:
            advice = "hand over the plan that it began with, or resume its report in another journal"
            problems.add("journal-mismatch", "the journal is that of another plan", suggestion=advice)
            return
        known = {**report.settings.model_dump(), "run_id": report.run_id} if report.settings else {}
        asked: dict[str, Any] = {
            **resolve_run_options(plan, **given, problems=problems).model_dump(),
            "run_id": given["run_id"],
        }
        for name, value in given.items():
            if (value is not None or name == "dry_run") and asked[name] != known[name]:
                problems.add("journal-mismatch", f"{name} cannot be given here", suggestion=_STARTED)
        resumes = resume.run_id if isinstance(resume, ExecutionReport) else object()
        if resume is not None and resumes not in (record.resumes, report.run_id):
            problems.add("journal-mismatch", "resume cannot be given here", suggestion=_STARTED)
        if report.ended:
            self.finished = with_plan(report, plan)
            return
        self._make_progress(plan, with_plan(report, plan), {**known, "hold": hold})
        if self.progress is not None and record.stop is not None:
            self.progress.stop(cancel=record.stop == "cancel")

    def _make_progress(self, plan: ExecutionPlan, state: Any, given: Mapping[str, Any]) -> None:
        try:
            self.progress = Progress(plan, state, **given, tracebacks=self._tracebacks)
        except RefusedError as error:
            for problem in error.problems:
                self._problems.append(problem)

    # What else can be wrong.

    def _open_journal(self, path: str | PathLike[str]) -> None:
        try:
            file = self._file = JournalFile(path)
            data = file.read()
            self._record, whole = read_journal(data, self._problems)
            if whole < len(data) and not self._problems.has_errors:
                file.cut(whole)
        except (OSError, TypeError, ValueError) as error:
            message = f"the journal {quote(str(path))} cannot be used: {getattr(error, 'strerror', None) or error}"
            self._problems.add("journal-unusable", message)

    def _check_listeners(self, stop: object) -> None:
        if stop is not None and not isinstance(stop, StopSignal):
            self._problems.add("invalid-setting", f"stop must be a StopSignal, not a {type(stop).__name__}")
        for observer in self.observers:
            if not callable(observer):
                message = f"a {type(observer).__name__} is not an observer: it cannot be called"
                self._problems.add("invalid-setting", message)
            elif is_async_function(observer) or is_generator_function(observer):
                message = "an observer is async, or a generator function: nobody would wait for what it does"
                self._problems.add("invalid-setting", message, suggestion="take a plain function, or wfplan.astream")

    @property
    def plan_to_validate(self) -> ExecutionPlan:
        """The plan, with settings that say what will really be asked of the executor."""
        workflow = self.plan.workflow
        settings = workflow.execution_strategy
        asked = {
            "dry_run_first": self._dry_runs,
            "rollback_on_failure": settings.rollback_on_failure or bool(self.progress and self.progress.has_rollback),
        }
        if all(getattr(settings, name) == value for name, value in asked.items()):
            return self.plan
        workflow = workflow.model_copy(update={"execution_strategy": settings.model_copy(update=asked)})
        return self.plan.model_copy(update={"workflow": workflow})

    def keep_findings(self, found: Any) -> None:
        """Add what the executor's `validate` gave; what its generator raises is raised."""
        keep_findings(found, self._problems)

    def keep_failure(self, error: BaseException) -> None:
        """Add that the executor's `validate` failed."""
        self._problems.add("invalid-executor", f"validate of the executor raised {StepError.of(error)}")

    @property
    def warnings(self) -> tuple[Problem, ...]:
        """What does not keep the run from beginning."""
        return self._problems.as_tuple("warning", "info")

    @property
    def is_finished(self) -> bool:
        """Whether there is nothing to do but to give the report of the run that is `finished`."""
        return self.finished is not None and not self._problems.has_errors

    def start(self) -> tuple[Progress, ExecutorAdapter]:
        """Return what is needed to run. Raises RefusedError, with every problem, if anything is wrong."""
        if self._problems.has_errors or self.progress is None or self.backend is None:
            raise RefusedError(self._problems.as_tuple())
        return self.progress, self.backend

    def open_journal(self) -> Journal | None:
        """Return the journal of a run that begins now, if it is to have one."""
        if self._file is None or self.progress is None:
            return None
        known = None if self._record is None else self._record.report
        return Journal(self._file, self.progress, known=known, resumes=self._resumes)

    def discard(self) -> None:
        """Undo what was opened for a run that does not start."""
        if self._file is not None:
            self._file.discard()


def _as_tuple(given: Any) -> tuple[Any, ...]:
    """Return the observers; what is not a list of them stands for one, and is refused as such."""
    try:
        return tuple(given)
    except TypeError:
        return (given,)
