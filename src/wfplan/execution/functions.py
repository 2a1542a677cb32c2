"""FunctionExecutor: a function for each action."""

from __future__ import annotations

import functools
import inspect
import os
import pickle
import re
import types
from typing import Any, Callable, Iterator, Mapping, NamedTuple, Union

from typing_extensions import get_args, get_origin

from wfplan._internal.json import to_plain
from wfplan._internal.messages import join_names, quote
from wfplan._internal.suggestions import Suggester
from wfplan.errors import PermanentError
from wfplan.execution.interface import PendingOutput, Purpose, StepCall
from wfplan.execution.step_errors import RemoteError, StepError, is_permanent
from wfplan.plans import ExecutionPlan
from wfplan.problems import Problem, ProblemCollector, refusal

__all__ = ["FunctionExecutor", "is_async_function", "is_generator_function"]

_UNIONS = (Union, getattr(types, "UnionType", Union))
_refusal = functools.partial(refusal, code="invalid-executor")
_STEP_CALL = re.compile(r"(typing\.)?(Optional\[)?(\w+\.)*StepCall\]?(\|None)?$")


class FunctionExecutor:
    """An executor that calls a step's function, registered by action, with its parameters as keyword arguments.

    A function may be async; what it returns is the step's output. An argument annotated `StepCall` receives the call.
    The annotation decides, never the argument's name, because parameters come from a model.

    Args:
        functions: A function for each action.
        dry_run: A function for each action that is called instead for the purpose `dry_run`. None: dry runs are not
            supported.
        pool: Any `concurrent.futures` executor, in which plain functions then run; the caller shuts it down. None:
            they run in threads of the run.

    >>> import wfplan
    >>> plan = wfplan.plan({"greet": []})
    >>> wfplan.run(plan, FunctionExecutor({"greet": lambda: "hello"})).outputs
    {'greet': 'hello'}
    """

    def __init__(
        self,
        functions: Mapping[str, Callable[..., Any]],
        *,
        dry_run: Mapping[str, Callable[..., Any]] | None = None,
        pool: Any = None,
    ) -> None:
        """Raise RefusedError if a key is not a string, a value not a function, or `pool` has no `submit`."""
        self._functions = {action: _Function(action, function) for action, function in functions.items()}
        self._dry_run = None if dry_run is None else {action: _Function(action, f) for action, f in dry_run.items()}
        if pool is not None and not callable(getattr(pool, "submit", None)):
            raise _refusal(f"a {type(pool).__name__} cannot be a pool: it has no method submit")
        self._pool = pool

    @property
    def supports_dry_run(self) -> bool:
        """Whether functions for dry runs were given."""
        return self._dry_run is not None

    def validate(self, plan: ExecutionPlan) -> tuple[Problem, ...]:
        """Return a problem for each action without a function, and for parameters that a function does not accept.

        Args:
            plan: The plan to run.
        """
        settings = plan.workflow.execution_strategy
        problems = ProblemCollector()
        self._check(plan.workflow.steps, self._functions, "", problems)
        if settings.rollback_on_failure:
            self._check(_compensations(plan), self._functions, "the rollback of ", problems)
        if settings.dry_run_first and self._dry_run is not None:
            self._check(plan.workflow.steps, self._dry_run, "the dry run of ", problems)
        return problems.as_tuple()

    def execute(self, call: StepCall) -> Any:
        """Call the function for this call, in the pool if there is one.

        Args:
            call: The call, whose action has a function.
        """
        function = self._find(call)
        arguments, keywords = function.arguments_for(call)
        if self._pool is None or function.is_async:
            return function.function(*arguments, **keywords)
        # Nothing but positional arguments: some pools take keywords for options of their own. And some take two calls
        # with equal arguments for one, as Dask does: what the call is for makes them differ.
        which = (call.run_id, call.purpose, call.step.name, call.attempt, os.getpid())
        return PendingOutput(self._pool.submit(_apply, function.function, arguments, keywords, which))

    def is_async(self, call: StepCall) -> bool:
        """Return whether the function for this call is async.

        Args:
            call: The call, whose action has a function.
        """
        known = self._known(call.purpose).get(call.step.action)
        return known is not None and known.is_async

    def needs_threads(self, plan: ExecutionPlan) -> bool:
        """Return whether any function that this plan may call is plain and there is no pool to run it in.

        Args:
            plan: The plan to run.
        """
        if self._pool is not None:
            return False
        actions = {step.action for step in plan.workflow.steps}
        undoing = {undo.action for undo in _compensations(plan)}
        known = [self._functions.get(action) for action in actions | undoing]
        known += map((self._dry_run or {}).get, actions)
        return any(not function.is_async for function in known if function is not None)

    def _known(self, purpose: Purpose) -> Mapping[str, _Function]:
        return (self._dry_run or {}) if purpose == "dry_run" else self._functions

    def _find(self, call: StepCall) -> _Function:
        known = self._known(call.purpose).get(call.step.action)
        if known is None:
            raise PermanentError(f"there is no function for the action {quote(call.step.action)}")
        return known

    @staticmethod
    def _check(steps: Any, functions: Mapping[str, _Function], what: str, problems: ProblemCollector) -> None:
        suggester = Suggester(functions)
        for step in steps:
            function = functions.get(step.action)
            if function is not None:
                for reason in function.why_not(step.parameters):
                    message = f"{what}step {quote(step.name)}: the function for {quote(step.action)} {reason}"
                    problems.add("invalid-parameters", message, steps=(step.name,))
                continue
            problems.add(
                "unknown-action",
                f"{what}step {quote(step.name)}: there is no function for the action {quote(step.action)}",
                steps=(step.name,),
                suggestion=suggester.suggest(step.action, "give a function for it"),
            )


class _Function:
    """A function and what can be known of it before it is called."""

    def __init__(self, action: object, function: object) -> None:
        if not isinstance(action, str):
            raise _refusal(f"an action is a string, not a {type(action).__name__}")
        if not callable(function):
            raise _refusal(f"the value for the action {quote(action)} is a {type(function).__name__}, not a function")
        if is_generator_function(function):
            raise _refusal(
                f"the value for the action {quote(action)} is a generator function: to call it runs nothing",
                "have it return a list",
            )
        self.function: Callable[..., Any] = function
        self.is_async = is_async_function(function)
        try:
            self._signature: inspect.Signature | None = inspect.signature(function)
        except (ValueError, TypeError):  # some functions written in C do not tell
            self._signature = None
        self._call_argument = self._find_call_argument()
        self._reasons: dict[frozenset[str], tuple[str, ...]] = {}

    def arguments_for(self, call: StepCall) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Positional and keyword arguments; the parameters are a plain copy, which may be changed."""
        keywords = to_plain(call.step.parameters)
        wanted = self._call_argument
        if wanted is None:
            return (), keywords
        if wanted.kind is wanted.POSITIONAL_ONLY:
            return (call,), keywords
        return (), {**keywords, wanted.name: call}

    def why_not(self, parameters: Mapping[str, Any]) -> tuple[str, ...]:
        """Return why the function cannot be called with these parameters: each reason as the end of a sentence."""
        names = frozenset(parameters)
        if names not in self._reasons:
            self._reasons[names] = tuple(self._look_for_reasons(parameters))
        return self._reasons[names]

    def _look_for_reasons(self, parameters: Mapping[str, Any]) -> Iterator[str]:
        if self._signature is None:
            return
        wanted = self._call_argument
        named = {
            item.name: item
            for item in self._signature.parameters.values()
            if item.kind in (item.POSITIONAL_OR_KEYWORD, item.KEYWORD_ONLY) and item is not wanted
        }
        takes_any = any(item.kind is item.VAR_KEYWORD for item in self._signature.parameters.values())
        if wanted is not None and wanted.kind is not wanted.POSITIONAL_ONLY and wanted.name in parameters:
            yield f"has {quote(wanted.name)} for the call, so it cannot be a parameter"
            return
        missing = [name for name, item in named.items() if item.default is item.empty and name not in parameters]
        unexpected = [] if takes_any else [name for name in parameters if name not in named]
        if missing:
            yield f"needs {join_names(missing)}, which is not among the parameters"
        if unexpected:
            taken = f"it takes {join_names(list(named))}" if named else "it takes none"
            yield f"does not take {join_names(unexpected)}: {taken}"
        if not missing and not unexpected:
            yield from self._why_not_bound(parameters)

    def _why_not_bound(self, parameters: Mapping[str, Any]) -> Iterator[str]:
        """Yield what only a trial shows: a name that is taken by an argument that is bound already, and the like."""
        function: Any = self.function
        bound: tuple[Any, ...] = ()
        keywords = dict(parameters)
        wanted = self._call_argument
        if wanted is not None and wanted.kind is wanted.POSITIONAL_ONLY:
            bound = (None,)
        elif wanted is not None:
            keywords[wanted.name] = None
        while True:
            if isinstance(function, functools.partial):
                bound, keywords = (*function.args, *bound), {**function.keywords, **keywords}
                function = function.func
            elif inspect.ismethod(function):
                bound, function = (function.__self__, *bound), function.__func__
            elif inspect.isclass(function) and inspect.isfunction(function.__init__):
                bound, function = (None, *bound), function.__init__
            elif inspect.isfunction(type(function).__call__):
                bound, function = (function, *bound), type(function).__call__
            else:
                break
        try:
            inspect.signature(function).bind(*bound, **keywords)
        except TypeError as error:
            yield f"cannot be called with these parameters: {error}"

    def _find_call_argument(self) -> inspect.Parameter | None:
        if self._signature is None:
            return None
        hints = _type_hints(self.function)
        for item in self._signature.parameters.values():
            if _is_step_call(hints.get(item.name, item.annotation)):
                return item
        return None


def _type_hints(function: Any) -> dict[str, Any]:
    """Return the annotations of a function, texts resolved; empty where they cannot be."""
    import typing

    while isinstance(function, functools.partial):
        function = function.func
    if not inspect.isroutine(function) and not inspect.isclass(function):
        function = type(function).__call__
    try:
        return typing.get_type_hints(function)
    except Exception:  # noqa: BLE001 - a name that is known to type checkers only, or worse
        return {}


def _is_step_call(annotation: Any) -> bool:
    """Return whether an annotation is `StepCall`, or that or None; as a string, if it could not be resolved."""
    annotation = getattr(annotation, "__forward_arg__", annotation)  # a string within a string, before Python 3.9
    if isinstance(annotation, str):
        return _STEP_CALL.match(annotation.replace(" ", "").strip("'\"")) is not None
    return annotation is StepCall or (get_origin(annotation) in _UNIONS and StepCall in get_args(annotation))


def is_async_function(function: Any) -> bool:
    """Return whether calling this gives an awaitable; knows partials and objects with an async `__call__`."""
    return any(map(inspect.iscoroutinefunction, _called(function)))


def is_generator_function(function: Any) -> bool:
    """Return whether to call this runs nothing yet, but gives a generator."""
    called = _called(function)
    return any(map(inspect.isgeneratorfunction, called)) or any(map(inspect.isasyncgenfunction, called))


def _called(function: Any) -> tuple[Any, Any]:
    while isinstance(function, functools.partial):
        function = function.func
    return function, type(function).__call__


class _Undo(NamedTuple):
    name: str
    action: str
    parameters: Mapping[str, Any]


def _compensations(plan: ExecutionPlan) -> Iterator[_Undo]:
    for step in plan.workflow.steps:
        if step.rollback is not None:
            yield _Undo(step.name, step.rollback.action, step.rollback.parameters)


def _apply(
    function: Callable[..., Any], arguments: tuple[Any, ...], keywords: dict[str, Any], which: tuple[Any, ...]
) -> Any:
    """Return what the function gives; an error that cannot be pickled is described by one that can."""
    try:
        return function(*arguments, **keywords)
    except Exception as error:
        if os.getpid() == which[-1] or _arrives(error):
            raise
        raise RemoteError(StepError.of(error), is_permanent=is_permanent(error)) from None


def _arrives(error: Exception) -> bool:
    """Return whether an exception survives pickling; one that does not would break a process pool."""
    try:
        return type(pickle.loads(pickle.dumps(error))) is type(error)  # noqa: S301 - made here
    except Exception:  # noqa: BLE001 - whatever it raises is what is asked
        return False
