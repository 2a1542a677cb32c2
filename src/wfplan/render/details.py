"""The details of one step, line by line."""

from __future__ import annotations

import json
from typing import Iterator, Optional, Tuple

from wfplan.execution.report import StepReport
from wfplan.models import Step
from wfplan.render.escaping import shown
from wfplan.render.text import reasons
from wfplan.render.view import Node

__all__ = ["details_of"]

_Detail = Tuple[str, str]
_LONGEST = 300
_MOST_NAMES = 20


def details_of(node: Node) -> Iterator[_Detail]:
    """Yield what is known of a step, as pairs of words that can be shown: what it is, and its value."""
    yield "step", shown(node.name)
    if node.action != node.name:
        yield "action", shown(node.action)
    if node.report is not None:
        yield from _of_report(node.report, node.state)
    if node.needs:
        yield "waits for", _listed(node.needs)
    if node.step is not None:
        yield from _of_step(node.step, hinted=node.hinted)


def _of_report(report: StepReport, state: str) -> Iterator[_Detail]:
    yield "state", state.replace("_", " ")
    if report.attempts:
        yield "attempts", str(report.attempts)
    if report.seconds is not None:
        yield "took", f"{report.seconds:,.3f} s"
    for reason in reasons(report):
        yield "why", reason


def _of_step(step: Step, *, hinted: bool) -> Iterator[_Detail]:
    if step.description:
        yield "description", shown(step.description, _LONGEST)
    for key, value in list(step.parameters.items())[:_MOST_NAMES]:
        yield f"parameter {shown(key, _LONGEST)}", shown(json.dumps(value, ensure_ascii=False), _LONGEST)
    if len(step.parameters) > _MOST_NAMES:
        yield "parameters", f"{len(step.parameters) - _MOST_NAMES:,} more"
    if hinted:
        yield "overlaps with", "no other step"
    if step.continue_on_failure:
        yield "if it fails", "what depends on it goes on"
    for key, value in _settings(step):
        if value is not None:
            yield key, value


def _settings(step: Step) -> Iterator[Tuple[str, Optional[str]]]:
    """Yield what can be set for a step, each with None where it is not."""
    yield "locks", _listed(step.locks) if step.locks else None
    yield "effect", step.effect
    yield "undone by", shown(step.rollback.action) if step.rollback else None
    yield "attempts at most", str(step.retry.max_attempts) if step.retry else None
    yield "estimated", _seconds(step.estimated_seconds)
    yield "timeout", _seconds(step.timeout_seconds)
    yield "idempotent", None if step.idempotent is None else "yes" if step.idempotent else "no"
    yield "confidence", None if step.confidence is None else f"{step.confidence:g}"
    yield "recommendation", shown(step.recommendation_id) if step.recommendation_id else None


def _seconds(seconds: float | None) -> str | None:
    return None if seconds is None else f"{seconds:,g} s"


def _listed(texts: Tuple[str, ...]) -> str:
    more = len(texts) - _MOST_NAMES
    listed = ", ".join(shown(text) for text in texts[:_MOST_NAMES])
    return f"{listed} and {more:,} more" if more > 0 else listed
