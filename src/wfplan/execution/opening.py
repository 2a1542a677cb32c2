"""Opening: everything that can be known is checked before the first step."""

from __future__ import annotations

import os
from typing import Any, Callable, Iterable, Mapping

from wfplan.execution.backend import Backend, keep_findings, open_backend
from wfplan.execution.events import Observer
from wfplan.execution.interface import Executor
from wfplan.execution.progress import Progress
from wfplan.execution.report import StepError
from wfplan.execution.signals import StopSignal
from wfplan.models import OnFailure, Schedule
from wfplan.plans import ExecutionPlan
from wfplan.problems import Problem, ProblemList, RefusedError

__all__ = ["Opening", "default_limit"]

_SETTLED = "the Progress has settled it: leave it out, or hand over the plan"
_NOT_YET = {"dry_run_first": "a dry run", "rollback_on_failure": "a rollback"}


def default_limit() -> int:
    """Steps in flight where each keeps a thread busy: that of the standard library's thread pool."""
    return min(32, (os.cpu_count() or 1) + 4)


class Opening:
    """A run that has not begun: its progress and its backend, as far as they can be made, and every problem."""

    progress: Progress | None = None
    backend: Backend | None = None

    def __init__(
        self,
        plan: ExecutionPlan | Progress,
        executor: Executor | Mapping[str, Callable[..., Any]],
        *,
        schedule: Schedule | None,
        max_parallel: int | None,
        on_failure: OnFailure | None,
        run_id: str | None,
        stop: StopSignal | None,
        observers: Iterable[Observer],
    ) -> None:
        """Raises TypeError where there is nothing to run at all."""
        self._problems = ProblemList()
        self.observers: tuple[Any, ...] = _as_tuple(observers)
        self._check_listeners(stop)
        given = {"schedule": schedule, "max_parallel": max_parallel, "on_failure": on_failure, "run_id": run_id}
        if isinstance(plan, Progress):
            self.progress = plan
            for name, value in given.items():
                if value is not None:
                    self._problems.add("invalid-setting", f"{name} cannot be given here", suggestion=_SETTLED)
        elif isinstance(plan, ExecutionPlan):  # pyright: ignore[reportUnnecessaryIsInstance]
            try:
                self.progress = Progress(plan, **given)  # type: ignore[arg-type]
            except RefusedError as error:
                self._keep(error)
        else:
            raise TypeError(
                f"a plan or a Progress can be run, a {type(plan).__name__} cannot: make it one, by wfplan.plan"
            )
        self.plan: ExecutionPlan = plan.plan if isinstance(plan, Progress) else plan
        for setting, what in _NOT_YET.items():
            if getattr(self.plan.workflow.execution_strategy, setting):
                told = f"the plan asks for {what} ({setting}), which this version cannot do"
                self._problems.add("unsupported", told, suggestion="plan without it")
        self.backend = open_backend(executor, self._problems)

    def _check_listeners(self, stop: object) -> None:
        if stop is not None and not isinstance(stop, StopSignal):
            self._problems.add("invalid-setting", f"stop must be a StopSignal, not a {type(stop).__name__}")
        for observer in self.observers:
            if not callable(observer):
                self._problems.add(
                    "invalid-setting", f"a {type(observer).__name__} is no observer: it cannot be called"
                )

    def keep_findings(self, found: Any) -> None:
        """Add what the executor's `validate` gave; what its generator raises is raised."""
        keep_findings(found, self._problems)

    def keep_failure(self, error: BaseException) -> None:
        """Add that the executor's `validate` failed."""
        self._problems.add("invalid-executor", f"validate of the executor raised {StepError.of(error)}")

    @property
    def warnings(self) -> tuple[Problem, ...]:
        """What does not keep the run from beginning."""
        return self._problems.listed("warning", "info")

    def settle(self) -> tuple[Progress, Backend]:
        """What is needed to run. Raises RefusedError, with every problem, if anything is wrong."""
        if self._problems.has_errors or self.progress is None or self.backend is None:
            raise RefusedError(self._problems.listed())
        return self.progress, self.backend

    def _keep(self, error: RefusedError) -> None:
        for problem in error.problems:
            self._problems.keep(problem)


def _as_tuple(given: Any) -> tuple[Any, ...]:
    """What is no list of observers stands for one, and is refused as such."""
    try:
        return tuple(given)
    except TypeError:
        return (given,)
