"""The models that go into a plan: recommendations, steps, workflows, settings."""

from __future__ import annotations

from typing import Any, Dict, Optional

from pydantic import Field, model_validator
from typing_extensions import Annotated, Literal, TypeAlias

from wfplan._internal.json import to_plain
from wfplan._internal.messages import pluralize
from wfplan._internal.model import (
    EMPTY,
    NO_VALUES,
    PLAIN_ZERO,
    FreeText,
    JsonObject,
    Model,
    Name,
    SchemaVersion,
    Text,
    TupleOf,
)
from wfplan.errors import require_names

__all__ = [
    "Compensation",
    "Effect",
    "ExecutionBatch",
    "ExecutionStrategy",
    "Mode",
    "OnFailure",
    "PositiveSeconds",
    "Recommendation",
    "RetryPolicy",
    "Schedule",
    "Seconds",
    "Step",
    "Strategy",
    "Workflow",
    "to_plain",
]

Effect: TypeAlias = Literal["read", "write", "destructive"]
Mode: TypeAlias = Literal["auto", "sequential"]
OnFailure: TypeAlias = Literal["stop", "cancel", "skip-dependents"]
Schedule: TypeAlias = Literal["batch", "eager"]
Strategy: TypeAlias = Literal["sequential", "parallel", "sequential-with-parallel"]

_Count = Annotated[int, Field(ge=1, le=2**31 - 1)]
_Confidence = Annotated[float, Field(ge=0, le=1), PLAIN_ZERO]
Seconds = Annotated[float, Field(ge=0), PLAIN_ZERO]
PositiveSeconds = Annotated[float, Field(gt=0)]


def _without_default(schema: Dict[str, Any]) -> None:
    """Remove the default of `action`, the step's name, which a JSON schema cannot express."""
    del schema["default"]


class Recommendation(Model):
    """What a model proposes to do."""

    id: Name
    action: Text
    description: FreeText = ""
    parameters: JsonObject = NO_VALUES
    dependencies: TupleOf[str] = EMPTY
    """Ids of the recommendations that have to be done before this one."""
    confidence: Optional[_Confidence] = None
    """From 0 to 1."""
    metadata: JsonObject = NO_VALUES
    """Anything else; `execution_mode` in it is a hint to the planner, see `Step.metadata`."""


class RetryPolicy(Model):
    """How often a step is tried, and how long to wait between two attempts."""

    max_attempts: _Count = 1
    delay_seconds: Seconds = 0
    """Before the second attempt."""
    factor: Annotated[float, Field(ge=1)] = 2
    """By which the delay grows with each attempt."""
    max_delay_seconds: Optional[Seconds] = None
    """The longest delay; None for no limit."""
    jitter: Annotated[float, Field(ge=0, le=1), PLAIN_ZERO] = 0
    """The largest part of a delay that is taken off, from 0 (the default) to 1, so that steps that failed together are
    not all tried again together.

    How much it is follows from the idempotency key and the number of the attempt: the same at every retry of a replay.
    """
    retry_timeouts: bool = True
    """Whether an attempt that timed out is tried again, like one that failed."""


class Compensation(Model):
    """What undoes a step."""

    action: Text
    parameters: JsonObject = NO_VALUES


class Step(Model):
    """One unit of work in a workflow, known by its name."""

    name: Name
    action: Text = Field(default="", json_schema_extra=_without_default)
    """What to do; the name where none is given."""
    parameters: JsonObject = NO_VALUES
    dependencies: TupleOf[str] = EMPTY
    """Names of the steps that have to be done before this one."""
    locks: TupleOf[Text] = EMPTY
    """Keys of what the step holds alone: no two steps that share one run at the same time."""
    metadata: JsonObject = NO_VALUES
    """Anything else. With `execution_mode` other than `parallel` or `auto`, the step overlaps with no other."""
    description: FreeText = ""
    confidence: Optional[_Confidence] = None
    """From 0 to 1."""
    recommendation_id: Optional[Name] = None
    """Which recommendation this step was."""
    estimated_seconds: Optional[Seconds] = None
    timeout_seconds: Optional[PositiveSeconds] = None
    """For each attempt."""
    retry: Optional[RetryPolicy] = None
    rollback: Optional[Compensation] = None
    effect: Optional[Effect] = None
    continue_on_failure: bool = False
    """Whether a failure of this step counts as done for those that depend on it."""
    idempotent: Optional[bool] = None
    """Whether it can safely be done twice; None: unknown."""

    @property
    def is_irreversible(self) -> bool:
        """Whether it may change something, and nothing is known that undoes it."""
        return self.rollback is None and self.effect != "read"

    @model_validator(mode="after")
    def _action_is_name(self) -> Step:
        values = vars(self)
        if not values["action"]:
            values["action"] = values["name"]
        return self


class ExecutionStrategy(Model):
    """All settings, of planning and of running."""

    mode: Mode = "auto"
    """`sequential`: never two steps in flight."""
    dry_run_first: bool = False
    rollback_on_failure: bool = False
    max_parallel: Optional[_Count] = None
    """Steps in flight at once, at most."""
    isolate_sequential: bool = False
    """Whether a step with a sequential hint is set apart, instead of making its whole level one by one."""
    max_batch_size: Optional[_Count] = None
    schedule: Schedule = "batch"
    on_failure: OnFailure = "stop"


class Workflow(Model):
    """Steps and their settings.

    Each step is checked by itself; how they fit together is checked by `wfplan.check` and `wfplan.plan`.
    """

    schema_version: SchemaVersion = 1
    name: FreeText = ""
    steps: TupleOf[Step]
    execution_strategy: ExecutionStrategy = Field(default_factory=ExecutionStrategy)

    def replace(self, name: str, /, **changes: Any) -> Workflow:
        """Return a new workflow in which these fields of one step are changed.

        Args:
            name: The step; the first of several with this name.
            **changes: New values by the names of fields.

        Raises:
            UnknownNameError: No step has this name.
            pydantic.ValidationError: A change does not fit.
        """
        self._require(name)
        steps = list(self.steps)
        place = next(position for position, step in enumerate(steps) if step.name == name)
        steps[place] = Step.model_validate({**vars(steps[place]), **changes})
        return self._with_steps(steps)

    def add(self, *steps: Step) -> Workflow:
        """Return a new workflow with these steps at its end.

        Args:
            *steps: The steps to add.
        """
        return self._with_steps((*self.steps, *steps))

    def without(self, *names: str) -> Workflow:
        """Return a new workflow without these steps.

        Args:
            *names: The steps to leave out.

        Raises:
            UnknownNameError: A name is not that of a step.
        """
        self._require(*names)
        unwanted = set(names)
        return self._with_steps(step for step in self.steps if step.name not in unwanted)

    def select(self, *names: str) -> Workflow:
        """Return a new workflow of these steps and everything that they depend on.

        Args:
            *names: The steps to keep.

        Raises:
            UnknownNameError: A name is not that of a step.
        """
        self._require(*names)
        needs = {step.name: step.dependencies for step in reversed(self.steps)}
        wanted: set[str] = set()
        pending = list(names)
        while pending:
            name = pending.pop()
            if name not in wanted:
                wanted.add(name)
                pending.extend(needs.get(name, ()))
        return self._with_steps(step for step in self.steps if step.name in wanted)

    def _with_steps(self, steps: Any) -> Workflow:
        return Workflow.model_validate({**self.__dict__, "steps": tuple(steps)})

    def _require(self, *names: str) -> None:
        require_names("step", names, dict.fromkeys(step.name for step in self.steps))

    def __repr__(self) -> str:
        return f"<Workflow {self.name!r}: {pluralize(len(self.steps), 'step')}>"


class ExecutionBatch(Model):
    """Steps that are due together."""

    number: Annotated[int, Field(ge=1)]
    """Counted from 1."""
    steps: TupleOf[str]
    """Names, in declared order."""
    parallel: bool = False
    """Whether they may overlap; if not, they run one at a time in this order."""
