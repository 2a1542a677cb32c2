"""The executor interface: one call goes out, its output comes back."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from functools import partial
from types import MappingProxyType
from typing import Any, Callable, Mapping, Protocol

from typing_extensions import Literal, TypeAlias

from wfplan._internal.json import json_digest
from wfplan.models import Step
from wfplan.problems import refusal

__all__ = ["Executor", "PendingOutput", "Purpose", "StepCall"]

Purpose: TypeAlias = Literal["execute", "dry_run", "compensate"]


_ID_LENGTH = 1024
_NO_OUTPUTS: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True)
class StepCall:
    """One attempt at one step, handed to an executor."""

    step: Step
    purpose: Purpose = "execute"
    attempt: int = 1
    """Counted from 1."""
    run_id: str = ""
    timeout_seconds: float | None = None
    """After this long the attempt is given up, whatever the executor does."""
    outputs: Mapping[str, Any] = field(default_factory=lambda: _NO_OUTPUTS)
    """What the direct dependencies gave, by name; only of those that succeeded."""
    _note: Callable[[StepCall, str], None] | None = field(default=None, repr=False, compare=False)
    _planned: Mapping[str, Any] | None = field(default=None, repr=False, compare=False)

    @property
    def idempotency_key(self) -> str:
        """SHA-256, in hexadecimal digits, of run id, purpose, step, action and planned parameters.

        Computed at each call, and the same whatever was done to `step.parameters`, which are a copy.

        The same for every attempt at a step of a run, so a backend that remembers it does nothing twice.
        """
        parameters = self.step.parameters if self._planned is None else self._planned
        return json_digest([self.run_id, self.purpose, self.step.name, self.step.action, parameters])

    def set_external_id(self, external_id: str) -> None:
        """Record the name by which the backend knows this attempt: a job, a pod, a request.

        The report has it from then on, even if the attempt fails or never returns. Has no effect in another process.

        Args:
            external_id: The name; cut at 1,024 characters.

        Raises:
            RefusedError: It is not a string.
        """
        if not isinstance(external_id, str):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise refusal(f"an external id is a string, not a {type(external_id).__name__}")
        if self._note is not None:
            self._note(self, external_id[:_ID_LENGTH].encode(errors="backslashreplace").decode())

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain data, for a queue or a request; it is JSON if the outputs are."""
        return {
            "step": self.step.model_dump(mode="json"),
            "purpose": self.purpose,
            "attempt": self.attempt,
            "run_id": self.run_id,
            "idempotency_key": self.idempotency_key,
            "timeout_seconds": self.timeout_seconds,
            "outputs": dict(self.outputs),
        }

    def __reduce__(self) -> Any:
        """For another process: everything but the way back to the run."""
        kept = {item.name: getattr(self, item.name) for item in fields(self) if item.name not in ("_note", "outputs")}
        return partial(StepCall, **kept, outputs=dict(self.outputs)), ()


class Executor(Protocol):
    """Runs one step somewhere; knows nothing of graphs. Any object with this method is one.

    It may have more, all optional: `supports_dry_run` (a boolean, False if not there), `validate(plan)` (an iterable of
    `Problem`; called before the first step, an error refuses the run) and `close()` (called when the run is over,
    refused or not; calling it again must do no harm). `validate` and `close` may be async, too.
    """

    def execute(self, call: StepCall, /) -> Any:
        """Do what `call.step` says, for `call.purpose`, and return its output; an exception is its failure.

        An async method is awaited on an event loop and cancelled at its timeout; a plain one runs in a thread. Either
        may return a `PendingOutput`, and a plain one an awaitable.

        Args:
            call: The step to run, with the attempt, the idempotency key, the timeout and the outputs of its
                dependencies.
        """
        ...


class PendingOutput:
    """Returned by an executor whose output comes later, in a future, so that no thread waits for it.

    Only `add_done_callback`, `result` and `cancel` are used, as `concurrent.futures` defines them; if `cancel` has no
    effect, the step counts as running until the future is done.

    Args:
        future: The future, whose result is the step's output.
    """

    __slots__ = ("future",)

    def __init__(self, future: Any) -> None:
        self.future: Any = future
