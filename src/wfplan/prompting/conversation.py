"""Asking a model for a plan until it can be used, a few times at most."""

from __future__ import annotations

from typing import Any, Awaitable, Callable, Iterable, List, Optional, Set, Tuple, Union

from typing_extensions import TypeAlias

from wfplan.catalog import Catalog
from wfplan.diff import PlanDiff, diff_steps
from wfplan.intake.reader import read
from wfplan.intake.repair import repair
from wfplan.models import Recommendation, Step
from wfplan.planner import plan as make_plan
from wfplan.plans import ExecutionPlan
from wfplan.problems import InvalidWorkflowError
from wfplan.prompting.feedback import Feedback, feedback
from wfplan.reading import Reading

__all__ = ["Answer", "Exchange", "Conversation", "aplan_with_feedback", "plan_with_feedback"]

Answer: TypeAlias = Union[str, bytes, bytearray, "dict[str, Any]", "list[Any]"]


class Exchange:
    """One answer, and what was made of it."""

    number: int
    """Counted from 1."""
    reading: Reading
    feedback: Optional[Feedback]
    """What the next call is told; None if the answer can be planned."""
    changes: PlanDiff
    """What changed since the answer before, of steps and dependencies; nothing, for the first one."""
    unasked: PlanDiff
    """Of these, the changes of steps that no error of the answer before was about, and of their dependencies."""

    def __init__(self, number: int, reading: Reading, before: Exchange | None, catalog: Catalog | None = None) -> None:
        self.number = number
        self.reading = reading
        self.feedback = None if reading.ok else feedback(reading.problems, _recommendations(reading), catalog=catalog)
        self.changes = PlanDiff() if before is None else diff_steps(_steps(before.reading), _steps(reading))
        self.unasked = self.changes if before is None else _beyond(self.changes, before.reading)

    def __repr__(self) -> str:
        return f"<Exchange {self.number}: {'ok' if self.reading.ok else 'refused'}>"


class Conversation:
    """All attempts, and what came of them."""

    attempts: Tuple[Exchange, ...]
    plan: Optional[ExecutionPlan]
    """Of the last answer, if it can be planned."""
    error: Optional[Exception]
    """What the call raised that ended it, if one did."""

    def __init__(self, attempts: Iterable[Exchange], error: Exception | None, catalog: Catalog | None = None) -> None:
        self.attempts = tuple(attempts)
        self.error = error
        self.plan = None
        if error is None and self.attempts and self.attempts[-1].reading.ok:
            try:
                self.plan = make_plan(self.attempts[-1].reading, catalog=catalog)
            except InvalidWorkflowError as refused:  # a catalog that says something else the second time
                self.error = refused

    @property
    def ok(self) -> bool:
        """Whether there is a plan."""
        return self.plan is not None

    def raise_for_plan(self) -> ExecutionPlan:
        """The plan; raises what the call raised that failed, or InvalidWorkflowError with the last problems."""
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
    """Ask for a plan, and again with feedback while it cannot be planned, `max_attempts` times at most.

    `ask` is called with None first, then with the `Feedback` on its answer before; what it returns is read as by
    `wfplan.read`, with the `catalog` if there is one, and mended where that is safe (`repair`). If it raises an
    Exception, that is the end. Nothing is ever asked, sent or waited for but by `ask`. Raises ValueError if
    `max_attempts` is less than 1.

    >>> answers = iter(['[{"id": "a", "action": "x", "dependencies": ["b"]}]', '[{"id": "a", "action": "x"}]'])
    >>> conversation = plan_with_feedback(lambda feedback: next(answers))
    >>> conversation.ok, [attempt.reading.ok for attempt in conversation.attempts]
    (True, [False, True])
    """
    attempts: List[Exchange] = []
    while _goes_on(attempts, max_attempts):
        try:
            answer = ask(attempts[-1].feedback if attempts else None)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is told
            return Conversation(attempts, error, catalog)
        attempts.append(_exchange(answer, attempts, catalog, strict=strict))
    return Conversation(attempts, None, catalog)


async def aplan_with_feedback(
    ask: Callable[[Optional[Feedback]], Awaitable[Answer]],
    *,
    max_attempts: int = 3,
    strict: bool = False,
    catalog: Catalog | None = None,
) -> Conversation:
    """The same with an async `ask`."""
    attempts: List[Exchange] = []
    while _goes_on(attempts, max_attempts):
        try:
            answer = await ask(attempts[-1].feedback if attempts else None)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is told
            return Conversation(attempts, error, catalog)
        attempts.append(_exchange(answer, attempts, catalog, strict=strict))
    return Conversation(attempts, None, catalog)


def _goes_on(attempts: List[Exchange], most: int) -> bool:
    if most < 1:
        raise ValueError(f"max_attempts must be at least 1, not {most}")
    return len(attempts) < most and not (attempts and attempts[-1].reading.ok)


def _exchange(answer: Answer, attempts: List[Exchange], catalog: Catalog | None, *, strict: bool) -> Exchange:
    reading = read(answer, strict=strict, catalog=catalog)
    mended = repair(reading)
    # Where mending does not do, the reading itself has more to tell: places, and likely causes.
    return Exchange(len(attempts) + 1, mended if mended.ok else reading, attempts[-1] if attempts else None, catalog)


def _recommendations(reading: Reading) -> Tuple[Recommendation, ...]:
    """The items of a reading as recommendations: their ids and what they need."""
    if reading.workflow is None:
        return reading.recommendations
    return tuple(
        Recommendation(id=step.name, action=step.action, dependencies=step.dependencies)
        for step in reading.workflow.steps
    )


def _steps(reading: Reading) -> Tuple[Step, ...]:
    """The items of a reading as steps, named by their ids, whether they can be planned or not."""
    if reading.workflow is not None:
        return reading.workflow.steps
    return tuple(
        Step(
            name=item.id,
            action=item.action,
            parameters=item.parameters,
            dependencies=item.dependencies,
            metadata=item.metadata,
            description=item.description,
            confidence=item.confidence,
        )
        for item in reading.recommendations
    )


def _beyond(changes: PlanDiff, before: Reading) -> PlanDiff:
    """The changes of what no error was about."""
    asked: Set[str] = {name for problem in before.problems if problem.severity == "error" for name in problem.steps}
    return changes.model_copy(
        update={
            "added": tuple(step for step in changes.added if step.name not in asked),
            "removed": tuple(step for step in changes.removed if step.name not in asked),
            "changed": tuple(change for change in changes.changed if change.name_before not in asked),
            "added_edges": tuple(edge for edge in changes.added_edges if edge.dependent not in asked),
            "removed_edges": tuple(edge for edge in changes.removed_edges if edge.dependent not in asked),
        }
    )
