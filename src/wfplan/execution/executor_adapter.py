"""ExecutorAdapter: any executor in the form that the drivers use."""

from __future__ import annotations

import logging
from inspect import iscoroutinefunction
from typing import Any, Callable, Mapping

from wfplan.execution.functions import FunctionExecutor, is_generator_function
from wfplan.execution.interface import Executor, StepCall
from wfplan.execution.step_errors import StepError
from wfplan.plans import ExecutionPlan
from wfplan.problems import Problem, ProblemCollector, RefusedError

__all__ = ["ExecutorAdapter", "adapt_executor", "keep_findings", "log_close_failure"]

_logger = logging.getLogger("wfplan")


class ExecutorAdapter:
    """An executor whose members are what they should be."""

    def __init__(self, executor: Any) -> None:
        self._functions = executor if isinstance(executor, FunctionExecutor) else None
        self._is_async = iscoroutinefunction(executor.execute)
        self.execute: Callable[[StepCall], Any] = executor.execute
        self.supports_dry_run: bool = getattr(executor, "supports_dry_run", False)
        self.validate: Callable[[ExecutionPlan], Any] | None = getattr(executor, "validate", None)
        self.close: Callable[[], Any] | None = getattr(executor, "close", None)

    def is_async(self, call: StepCall) -> bool:
        """Return whether `execute` gives at once something to await; if not, it may take its time, and a thread."""
        return self._is_async if self._functions is None else self._functions.is_async(call)

    def needs_threads(self, plan: ExecutionPlan) -> bool:
        """Return whether a step of this plan keeps a thread busy while it runs."""
        return not self._is_async if self._functions is None else self._functions.needs_threads(plan)


def adapt_executor(
    executor: Executor | Mapping[str, Callable[..., Any]], problems: ProblemCollector
) -> ExecutorAdapter | None:
    """Return the adapter of an executor, or of functions by action; None, with a problem, if it is neither."""
    given: Any = executor
    if isinstance(executor, Mapping):
        try:
            given = FunctionExecutor(executor)
        except RefusedError as error:
            for problem in error.problems:
                problems.append(problem)
            return None
    kind = type(given).__name__
    if not callable(getattr(given, "execute", None)):
        advice = "hand over an object with execute(call), or a mapping from actions to functions"
        problems.add("invalid-executor", f"a {kind} has no method execute", suggestion=advice)
        return None
    if is_generator_function(given.execute):
        advice = "have it return its output, as a list for instance"
        problems.add(
            "invalid-executor",
            f"execute of the {kind} is a generator function: to call it runs nothing",
            suggestion=advice,
        )
    for name in ("validate", "close"):
        if not callable(getattr(given, name, str)):
            problems.add("invalid-executor", f"{name} of the {kind} cannot be called")
    if not isinstance(getattr(given, "supports_dry_run", False), bool):
        problems.add("invalid-executor", f"supports_dry_run of the {kind} must be true or false")
    return ExecutorAdapter(given)


def keep_findings(found: Any, problems: ProblemCollector) -> None:
    """Add what the `validate` of an executor gave, which should be problems."""
    for problem in found:
        if isinstance(problem, Problem):
            problems.append(problem)
        else:
            problems.add("invalid-executor", f"validate of the executor gave a {type(problem).__name__}, not a Problem")


def log_close_failure(error: BaseException) -> str:
    """Log that the executor could not be closed; the text that says so."""
    message = f"close of the executor raised {StepError.of(error)}"
    _logger.warning(message)
    return message
