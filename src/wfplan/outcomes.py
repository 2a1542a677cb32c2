"""Scripted outcomes of calls, for simulations and the fake executor."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Callable, Dict, Mapping, Optional, Tuple, Type, Union

from typing_extensions import Literal, TypeAlias

from wfplan._internal.json import is_list, is_mapping
from wfplan._internal.messages import quote
from wfplan._internal.suggestions import Suggester
from wfplan._internal.validation_errors import kind_of
from wfplan.plans import ExecutionPlan
from wfplan.problems import Problem, ProblemCollector, refusal

__all__ = [
    "InTurn",
    "OneOutcome",
    "Outcome",
    "Outcomes",
    "Script",
    "cancelled",
    "fails",
    "hangs",
    "in_turn",
    "succeeds",
]


@dataclass(frozen=True)
class Outcome:
    """What becomes of one attempt; made by `succeeds`, `fails`, `cancelled` and `hangs`."""

    kind: Literal["succeeds", "fails", "cancelled", "hangs"] = "succeeds"
    output: Any = None
    error: Union[Exception, Type[Exception], str] = "it failed"
    delay: Optional[float] = None
    """Seconds that the attempt takes; None: as long as the step usually does."""


_SUCCESS = Outcome()


@dataclass(frozen=True)
class InTurn:
    """What becomes of the attempts at a step, one after the other; made by `in_turn`."""

    outcomes: Tuple[Outcome, ...]


OneOutcome: TypeAlias = Union[Outcome, Exception, Type[Exception]]
"""What becomes of an attempt; an exception, or a class of them, is short for `fails(...)`."""

Outcomes: TypeAlias = Union[
    Mapping[str, Union[OneOutcome, InTurn]],
    Callable[[Any], Union[OneOutcome, InTurn, None]],
]
"""What becomes of the calls of a run.

A mapping is by the names of steps or by actions (a step goes before its action), and about the execution of
steps, not about dry runs and compensations. What is not in it succeeds, without an output. A function is called with
every `StepCall`, those of a dry run and of a rollback included; None: the call succeeds.
"""


def succeeds(output: Any = None, *, delay: float | None = None) -> Outcome:
    """Return the outcome of an attempt that succeeds.

    Args:
        output: What it returns.
        delay: After how many seconds. None: after the step's duration.
    """
    return Outcome("succeeds", output=output, delay=_check_delay(delay))


def fails(error: Exception | Type[Exception] | str = "it failed", *, delay: float | None = None) -> Outcome:
    """Return the outcome of an attempt that fails, after `delay` seconds.

    Args:
        error: The exception that is raised, or a class of them; a string is the message of a plain `Exception`. After a
            `PermanentError` the step is not tried again.
        delay: Seconds until then; default: as long as the step usually takes.
    """
    given: object = error
    if not isinstance(given, (Exception, str)) and not _is_exception_class(given):
        raise refusal(f"an attempt fails with an exception or a message, not with {_kind_of(given)}")
    return Outcome("fails", error=error, delay=_check_delay(delay))


def cancelled(*, delay: float | None = None) -> Outcome:
    """Return the outcome of an attempt that is cancelled from outside, not by the run.

    Args:
        delay: After how many seconds. None: after the step's duration.
    """
    return Outcome("cancelled", delay=_check_delay(delay))


def hangs() -> Outcome:
    """Return the outcome of an attempt that does not come back unless it is asked to end, and can be."""
    return Outcome("hangs")


def in_turn(*outcomes: OneOutcome) -> InTurn:
    """Return one outcome for the first attempt, the second, and so on; the last one holds for all that follow.

    Args:
        *outcomes: An `Outcome`, an exception, or an exception class each.

    >>> in_turn(ConnectionError, succeeds(42)).outcomes[-1].output
    42
    """
    if not outcomes:
        raise refusal("in_turn needs at least one outcome", "each attempt has some")
    return InTurn(tuple(_as_outcome(outcome, f"attempt {number}") for number, outcome in enumerate(outcomes, 1)))


class Script:
    """Outcomes, checked, from which the outcome of each call is taken.

    Args:
        outcomes: Outcomes by step name or action. None: every call succeeds.
    """

    def __init__(self, outcomes: Outcomes | None) -> None:
        """Check `outcomes`; raises RefusedError for what is not an outcome."""
        given: Any = {} if outcomes is None else outcomes
        if not callable(given) and not is_mapping(given):
            raise refusal(f"outcomes are a mapping from steps or actions, or a function, not {_kind_of(given)}")
        self._ask: Optional[Callable[[Any], Any]] = given if callable(given) else None
        named = {} if callable(given) else dict(given)
        self._named: Dict[str, Tuple[Outcome, ...]] = {
            name: _as_outcomes(outcome, quote(str(name))) for name, outcome in named.items()
        }

    def problems(self, plan: ExecutionPlan) -> Tuple[Problem, ...]:
        """Return an error for each name that is neither a step nor an action of `plan`."""
        known = dict.fromkeys([*plan.steps, *(step.action for step in plan.workflow.steps)])
        unknown = [name for name in self._named if name not in known]
        suggester = Suggester(known)
        problems = ProblemCollector()
        for name in unknown:
            problems.add(
                "invalid-setting",
                f"there is an outcome for {quote(str(name))}, which is neither a step nor an action of the plan",
                suggestion=suggester.suggest(str(name)),
            )
        return problems.as_tuple()

    def outcome_of(self, call: Any) -> Outcome:
        """Return what becomes of a `StepCall`; raises RefusedError if a function gives what is not an outcome."""
        step = call.step
        listed: Optional[Tuple[Outcome, ...]]
        if self._ask is not None:
            given = self._ask(call)
            listed = None if given is None else _as_outcomes(given, quote(step.name))
        else:
            listed = self._named.get(step.name, self._named.get(step.action)) if call.purpose == "execute" else None
        if listed is None:
            return _SUCCESS
        attempt: int = call.attempt
        return listed[min(attempt, len(listed)) - 1]


def _as_outcomes(given: Any, name: str) -> Tuple[Outcome, ...]:
    return given.outcomes if isinstance(given, InTurn) else (_as_outcome(given, name),)


def _as_outcome(given: Any, name: str) -> Outcome:
    if isinstance(given, Outcome):
        return given
    if isinstance(given, Exception) or _is_exception_class(given):
        return fails(given)
    advice = "in_turn(...) for one attempt after the other" if is_list(given) else "succeeds(output)"
    message = f"the outcome of {name} is {_kind_of(given)}: give an exception, {advice}, fails(error)"
    raise refusal(f"{message}, cancelled() or hangs()")


def _is_exception_class(given: object) -> bool:
    return isinstance(given, type) and issubclass(given, Exception)


def _kind_of(given: object) -> str:
    return f"the class {given.__name__}" if isinstance(given, type) else kind_of(given)


def _check_delay(delay: Any) -> Any:
    if delay is None or (isinstance(delay, (int, float)) and not isinstance(delay, bool) and 0 <= delay < math.inf):
        return delay
    shown = repr(delay)[:40] if isinstance(delay, (int, float)) else _kind_of(delay)
    raise refusal(f"delay must be a finite number of seconds from 0 on, not {shown}")
