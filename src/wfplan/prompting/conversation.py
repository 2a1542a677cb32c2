"""Ask a model for a plan, and again with feedback, until its answer can be planned."""

from __future__ import annotations

from typing import Any, Awaitable, Callable, Iterable, List, Optional, Set, Tuple, Union

from typing_extensions import TypeAlias

from wfplan.catalog.actions import Catalog
from wfplan.diff import PlanDiff, diff_steps
from wfplan.intake import read, repair
from wfplan.models import Recommendation, Step
from wfplan.planner import plan as make_plan
from wfplan.plans import ExecutionPlan
from wfplan.problems import InvalidWorkflowError, refusal
from wfplan.prompting.feedback import Feedback, feedback
from wfplan.reading import Reading

__all__ = ["Answer", "Conversation", "Exchange", "aplan_with_feedback", "plan_with_feedback"]

Answer: TypeAlias = Union[str, bytes, bytearray, "dict[str, Any]", "list[Any]"]


class Exchange:
    """One answer, how it was read, and the feedback on it.

    Args:
        number: Counted from 1.
        reading: How the answer was read.
        before: The exchange before this one; None for the first.
        catalog: The actions that exist; None if any are accepted.
    """

    number: int
    """Counted from 1."""
    reading: Reading
    feedback: Optional[Feedback]
    """What `ask` is called with next; None if the answer can be planned."""
    changes: PlanDiff
    """The steps and dependencies that differ from those of the answer before; none for the first answer."""
    unasked: PlanDiff
    """The part of `changes` that no error of the answer before was about."""

    def __init__(self, number: int, reading: Reading, before: Exchange | None, catalog: Catalog | None = None) -> None:
        self.number = number
        self.reading = reading
        self.feedback = None if reading.ok else feedback(reading.problems, _recommendations(reading), catalog=catalog)
        self.changes = PlanDiff() if before is None else diff_steps(_steps(before.reading), _steps(reading))
        self.unasked = self.changes if before is None else _without_asked(self.changes, before.reading)

    def __repr__(self) -> str:
        return f"<Exchange {self.number}: {'ok' if self.reading.ok else 'refused'}>"


class Conversation:
    """All attempts to get a plan from a model, and their result.

    Args:
        attempts: The exchanges, in order.
        error: What ended the conversation early, if anything.
    """

    attempts: Tuple[Exchange, ...]
    plan: Optional[ExecutionPlan]
    """The plan of the last answer; None if it cannot be planned."""
    error: Optional[Exception]
    """What `ask` raised, if that ended the conversation."""

    def __init__(self, attempts: Iterable[Exchange], error: Exception | None) -> None:
        self.attempts = tuple(attempts)
        self.error = error
        self.plan = None
        if error is None and self.attempts and self.attempts[-1].reading.ok:
            self.plan = make_plan(self.attempts[-1].reading)

    @property
    def ok(self) -> bool:
        """Return whether there is a plan."""
        return self.plan is not None

    def raise_for_plan(self) -> ExecutionPlan:
        """Return the plan.

        Raises:
            Exception: What `ask` raised, if that ended the conversation.
            InvalidWorkflowError: The last answer cannot be planned; it has the problems of that answer.
        """
        if self.plan is not None:
            return self.plan
        if self.error is not None:
            raise self.error
        raise InvalidWorkflowError(self.attempts[-1].reading.problems)

    def __repr__(self) -> str:
        return f"<Conversation {'ok' if self.ok else 'failed'}: {list(self.attempts)}>"


def plan_with_feedback(
    ask: Callable[[Optional[Feedback]], Answer],
    *,
    max_attempts: int = 3,
    strict: bool = False,
    catalog: Catalog | None = None,
) -> Conversation:
    """Ask for a plan, and again with feedback until an answer can be planned.

    Each answer is read as by `wfplan.read`, and repaired where that is safe (`repair`). Nothing is asked, sent or
    waited for except by `ask`.

    Args:
        ask: Called with None first, then with the `Feedback` on its last answer; returns an answer. An Exception that
            it raises ends the conversation and is kept as its `error`.
        max_attempts: How often to ask, at least 1.
        strict: Whether what `read` tolerates with a warning is an error.
        catalog: The actions that there are. None: any.

    Returns:
        The conversation: with the plan if `ok`.

    Raises:
        ValueError: `max_attempts` is less than 1.

    >>> answers = iter(['[{"id": "a", "action": "x", "dependencies": ["b"]}]', '[{"id": "a", "action": "x"}]'])
    >>> conversation = plan_with_feedback(lambda feedback: next(answers))
    >>> conversation.ok, [attempt.reading.ok for attempt in conversation.attempts]
    (True, [False, True])
    """
    attempts: List[Exchange] = []
    while _goes_on(attempts, max_attempts):
        try:
            answer = ask(attempts[-1].feedback if attempts else None)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is reported
            return Conversation(attempts, error)
        attempts.append(_exchange(answer, attempts, catalog, strict=strict))
    return Conversation(attempts, None)


async def aplan_with_feedback(
    ask: Callable[[Optional[Feedback]], Awaitable[Answer]],
    *,
    max_attempts: int = 3,
    strict: bool = False,
    catalog: Catalog | None = None,
) -> Conversation:
    """Do the same as `plan_with_feedback` with an async `ask`.

    Args:
        ask: Awaited with None first, then with the `Feedback` on its last answer; returns an answer.
        max_attempts: How often to ask, at least 1.
        strict: Whether what `read` tolerates with a warning is an error.
        catalog: The actions that there are. None: any.

    Returns:
        The conversation: with the plan if `ok`.

    Raises:
        ValueError: `max_attempts` is less than 1.
    """
    attempts: List[Exchange] = []
    while _goes_on(attempts, max_attempts):
        try:
            answer = await ask(attempts[-1].feedback if attempts else None)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is reported
            return Conversation(attempts, error)
        attempts.append(_exchange(answer, attempts, catalog, strict=strict))
    return Conversation(attempts, None)


def _goes_on(attempts: List[Exchange], most: int) -> bool:
    if most < 1:
        raise refusal(f"max_attempts must be at least 1, not {most}")
    return len(attempts) < most and not (attempts and attempts[-1].reading.ok)


def _exchange(answer: Answer, attempts: List[Exchange], catalog: Catalog | None, *, strict: bool) -> Exchange:
    reading = read(answer, strict=strict, catalog=catalog)
    repaired = repair(reading)
    # If that is not enough, the reading itself says more: places, and likely causes.
    reading = repaired if repaired.ok else reading
    return Exchange(len(attempts) + 1, reading, attempts[-1] if attempts else None, catalog)


def _recommendations(reading: Reading) -> Tuple[Recommendation, ...]:
    """Return the items of a reading as recommendations: of steps, names and dependencies."""
    if reading.workflow is None:
        return reading.recommendations
    return tuple(
        Recommendation(id=step.name, action=step.action, dependencies=step.dependencies)
        for step in reading.workflow.steps
    )


def _steps(reading: Reading) -> Tuple[Step, ...]:
    """Return the items of a reading as steps, named by their ids, whether they can be planned or not."""
    if reading.workflow is not None:
        return reading.workflow.steps
    carried = ("action", "parameters", "dependencies", "metadata", "description", "confidence")
    return tuple(
        Step(name=item.id, **{field: getattr(item, field) for field in carried}) for item in reading.recommendations
    )


def _without_asked(changes: PlanDiff, before: Reading) -> PlanDiff:
    """Return the changes without those of steps that an error was about."""
    asked: Set[str] = {name for problem in before.problems if problem.severity == "error" for name in problem.steps}
    keys = {"added": "name", "removed": "name", "changed": "name_before"}
    keys.update(dict.fromkeys(("added_edges", "removed_edges"), "dependent"))
    return changes.model_copy(
        update={
            field: tuple(each for each in getattr(changes, field) if getattr(each, key) not in asked)
            for field, key in keys.items()
        }
    )
