"""What becomes of the calls of a simulated run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Callable, Mapping, Optional, Sequence, Type, Union

from typing_extensions import Literal, TypeAlias

from wfplan.analysis.seconds import check_names
from wfplan.execution.interface import StepCall
from wfplan.json_values import is_list
from wfplan.names import quote
from wfplan.plans import ExecutionPlan
from wfplan.problems import refusal

__all__ = ["OneOutcome", "Outcome", "Outcomes", "cancelled", "fails", "hangs", "outcome_of", "succeeds"]


@dataclass(frozen=True)
class Outcome:
    """What becomes of one attempt; made by `succeeds`, `fails`, `cancelled` and `hangs`."""

    kind: Literal["succeeds", "fails", "cancelled", "hangs"] = "succeeds"
    output: Any = None
    error: Union[Exception, str] = "it failed"
    seconds: Optional[float] = None
    """How long it takes, if not as long as the step usually does."""


OneOutcome: TypeAlias = Union[Outcome, Exception, Type[Exception]]
"""What becomes of an attempt; an exception, or a class of them, is what the attempt raises."""

Outcomes: TypeAlias = Union[
    Mapping[str, Union[OneOutcome, Sequence[OneOutcome]]], Callable[[StepCall], Optional[OneOutcome]]
]
"""What becomes of the calls.

A mapping is by the names of steps and about their execution: what is not in it succeeds, without an output. A list is
for the first attempt, the second, and so on; its last entry holds for all that follow. A function is asked about every
call, those of a dry run and of a rollback too; None: it succeeds.
"""

_SUCCESS = Outcome()


def succeeds(output: Any = None, *, seconds: float | None = None) -> Outcome:
    """The attempt gives this output."""
    return Outcome("succeeds", output=output, seconds=seconds)


def fails(error: Exception | str = "it failed", *, seconds: float | None = None) -> Outcome:
    """The attempt fails; a `PermanentError` is not tried again."""
    return Outcome("fails", error=error, seconds=seconds)


def cancelled(*, seconds: float | None = None) -> Outcome:
    """The attempt is cancelled by somebody else, not by the run."""
    return Outcome("cancelled", seconds=seconds)


def hangs() -> Outcome:
    """The attempt does not come back unless it is asked to end, and can be."""
    return Outcome("hangs")


def outcome_of(outcomes: Outcomes | None, plan: ExecutionPlan) -> Callable[[StepCall], Outcome]:
    """A function that tells what becomes of a call.

    Raises UnknownNameError for a name that no step has, RefusedError (in part only when it is called) for what is no
    outcome.
    """
    if callable(outcomes):
        ask = outcomes
        return lambda call: _as_outcome(ask(call), call.step.name)
    known = {name: _as_list(given, name) for name, given in (outcomes or {}).items()}
    check_names(plan, known)

    def look_up(call: StepCall) -> Outcome:
        listed = known.get(call.step.name) if call.purpose == "execute" else None
        return listed[min(call.attempt, len(listed)) - 1] if listed else _SUCCESS

    return look_up


def _as_list(given: Any, name: str) -> Sequence[Outcome]:
    listed: Sequence[Any] = given if is_list(given) else (given,)
    if not listed:
        raise refusal(f"the list of outcomes of step {quote(name)} is empty", "an attempt has some outcome")
    return [_as_outcome(one, name) for one in listed]


def _as_outcome(given: Any, name: str) -> Outcome:
    if given is None:
        return _SUCCESS
    if isinstance(given, Outcome):
        return given
    error = given() if isinstance(given, type) else given
    if isinstance(error, Exception):
        return fails(error)
    raise refusal(
        f"the outcome of step {quote(name)} is a {type(given).__name__}",
        "give an exception, succeeds(output), fails(error), cancelled() or hangs()",
    )
