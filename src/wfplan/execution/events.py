"""Event: one thing that happened in a run, for its observers."""

from __future__ import annotations

import logging
from typing import Callable, Optional

from pydantic import Field
from typing_extensions import Literal, TypeAlias

from wfplan._internal.model import EMPTY, Model, TupleOf
from wfplan.execution.interface import Purpose
from wfplan.execution.report import ExecutionReport, Phase, Reason, Status, StepReport
from wfplan.execution.step_errors import StepError

__all__ = ["Event", "EventKind", "Observer", "Subscribers", "guarded"]

EventKind: TypeAlias = Literal[
    "run-started",
    "attempt-started",
    "external-id-set",
    "attempt-ended",
    "step-ended",
    "abandoned-call-returned",
    "run-suspended",
    "run-ended",
]

_logger = logging.getLogger("wfplan")
_logger.addHandler(logging.NullHandler())


class Event(Model):
    """One thing that happened in a run.

    Outputs and parameters are never part of a dump of it; `step_report` and `report`, which hold outputs, are left out.
    """

    kind: EventKind
    """`abandoned-call-returned`: the function of a step that had timed out came back."""
    at: float
    """Seconds since the epoch, or whatever the clock of the `Progress` counts."""
    run_id: str = ""
    purpose: Purpose = "execute"
    """What the step is called for: a run may consist of a dry run, the execution proper, and compensations."""
    step: Optional[str] = None
    """None for the two events of the whole run."""
    attempt: Optional[int] = None
    status: Optional[Status] = None
    """How the attempt or the step ended."""
    error: Optional[StepError] = None
    retry_at: Optional[float] = None
    """When an attempt ended and another follows: not before this."""
    reason: Optional[Reason] = None
    root_cause: Optional[str] = None
    """As known at this moment; the report has the final value."""
    external_id: Optional[str] = None
    dependencies: TupleOf[str] = EMPTY
    """When an attempt starts: those of its step."""
    steps: Optional[int] = None
    """When the run starts: how many steps it has, those that had ended before included."""
    ended_steps: Optional[int] = None
    """When the run starts: how many of them had ended before."""
    phase: Optional[Phase] = None
    """When the run ends, or is suspended."""
    step_report: Optional[StepReport] = Field(default=None, exclude=True, repr=False)
    """What is known of the step at this moment, its output included; None for the events of the whole run."""
    report: Optional[ExecutionReport] = Field(default=None, exclude=True, repr=False)
    """When the run ends, or is suspended: what happened."""


Observer: TypeAlias = Callable[[Event], object]
"""Receives every event, one at a time; what it returns is ignored, what it raises is logged once."""


class Subscribers:
    """The observers of a run, shared by its phases."""

    def __init__(self) -> None:
        self.observers: list[Observer] = []
        self.wake: Callable[[], object] | None = None
        """Called, in any thread, when something was noted that only the next `get_ready` will tell."""


def guarded(observer: Observer, interrupt: Callable[[BaseException], object]) -> Observer:
    """Return an observer that never raises: its first Exception is logged; interrupts go to `interrupt`."""
    broken = False

    def observe(event: Event) -> None:
        nonlocal broken
        try:
            observer(event)
        except Exception:  # an observer can never break the run
            if not broken:
                broken = True
                _logger.exception("an observer raised at %s; it goes on, without another word", event.kind)
        except BaseException as error:  # noqa: BLE001 - raised again when the run has ended
            interrupt(error)

    return observe
