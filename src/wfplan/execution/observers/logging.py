"""The observer that writes to the logger `wfplan`, attached if its level is INFO or below when a run starts."""

from __future__ import annotations

import logging

from wfplan._internal.messages import quote
from wfplan.execution.events import Event

__all__ = ["log_event"]

_logger = logging.getLogger("wfplan")
_WHAT = {"execute": "step", "dry_run": "dry run of step", "compensate": "compensation of step"}


def log_event(event: Event) -> None:
    """Log an event: starts and ends of runs and steps as INFO, of attempts as DEBUG, failures as WARNING."""
    if event.kind == "run-started":
        _logger.info("run %s started: %d steps, %d of them ended before", event.run_id, event.steps, event.ended_steps)
    elif event.kind == "run-ended":
        _logger.info("run %s ended: %s", event.run_id, event.phase)
    elif event.kind == "run-suspended":
        _logger.info("run %s is suspended", event.run_id)
    else:
        level, text = _about_step(event)
        _logger.log(level, "run %s: %s %s %s", event.run_id, _WHAT[event.purpose], quote(str(event.step)), text)


def _about_step(event: Event) -> tuple[int, str]:
    if event.kind == "attempt-started":
        return logging.DEBUG, f"starts, attempt {event.attempt}"
    if event.kind == "external-id-set":
        return logging.DEBUG, f"is known as {quote(str(event.external_id))}"
    if event.kind == "abandoned-call-returned":
        return logging.INFO, "came back after its time was up"
    error = f": {event.error}" if event.error else ""
    if event.kind == "attempt-ended":
        again = ", to be tried again" if event.retry_at is not None else ""
        return (logging.WARNING if again else logging.DEBUG), f"attempt {event.attempt} {event.status}{again}{error}"
    because = f" because of {quote(event.root_cause)}" if event.root_cause else ""
    level = logging.INFO if event.status in ("succeeded", "skipped") else logging.WARNING
    return level, f"{event.status}{because}{error}"
