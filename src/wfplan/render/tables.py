"""Tables of HTML: of steps with their details, and of problems."""

from __future__ import annotations

from typing import Iterable, Iterator, Sequence

from wfplan._internal.names import counted
from wfplan.models import Recommendation, Step
from wfplan.problems import Problem
from wfplan.render.details import details_of
from wfplan.render.escaping import xml_text
from wfplan.render.report import reasons
from wfplan.render.states import STATES
from wfplan.render.view import Band, Node, Scene

__all__ = ["MOST_ROWS", "items_table", "problems_table", "steps_table"]

MOST_ROWS = 1000
"""Rows beyond these are only counted."""
_LONGEST = 300
_MOST_NAMES = 20
_SIGNS = {"error": "\u2717", "warning": "!", "info": "i"}


def steps_table(scene: Scene) -> Iterator[str]:
    """A row for each step, batch by batch; what is not in the columns unfolds below its name."""
    reported = any(node.state for node in scene.nodes.values())
    head = ("batch", "step", "action", *(("state", "why") if reported else ()), "waits for")
    rows = (
        _step_row(band, scene.nodes[name], first=place == 0, reported=reported)
        for band in scene.bands
        for place, name in enumerate(band.steps)
    )
    return _table(head, rows, len(scene.nodes), "step")


def problems_table(problems: Sequence[Problem]) -> Iterator[str]:
    """A row for each problem."""
    head = ("severity", "code", "message", "where", "what to do")
    rows = (_problem_row(problem) for problem in problems)
    return _table(head, rows, len(problems), "problem")


def items_table(key: str, items: Sequence[Recommendation | Step]) -> Iterator[str]:
    """A row for each recommendation or step of a reading that cannot be planned."""
    rows = (
        "".join(_cell(text) for text in (str(vars(item)[key]), item.action, _listed(item.dependencies)))
        for item in items
    )
    return _table((key, "action", "waits for"), rows, len(items), "item")


def _table(head: Sequence[str], rows: Iterable[str], number: int, noun: str) -> Iterator[str]:
    yield "<table><thead><tr>" + "".join(f'<th scope="col">{text}</th>' for text in head) + "</tr></thead><tbody>"
    for _, row in zip(range(MOST_ROWS), rows):
        yield f"<tr>{row}</tr>"
    yield "</tbody></table>"
    if number > MOST_ROWS:
        yield f"<p>and {counted(number - MOST_ROWS, f'more {noun}')}</p>"


def _step_row(band: Band, node: Node, *, first: bool, reported: bool) -> str:
    cells = [_cell(f"{band.number:,}" + (f", {band.mode}" if band.mode else "") if first else "")]
    cells += [f"<td>{_folded(node)}</td>", _cell(node.action)]
    if reported:
        cells += [_state_cell(node), _cell(_why(node))]
    return "".join((*cells, _cell(_listed(node.needs))))


def _folded(node: Node) -> str:
    """The name of a step, and below it, when it is clicked, all that is known of it."""
    told = "".join(f"<dt>{xml_text(key)}</dt><dd>{_apart(value)}</dd>" for key, value in details_of(node))
    return f"<details><summary>{_apart(node.name)}</summary><dl>{told}</dl></details>"


def _state_cell(node: Node) -> str:
    return f'<td class="{node.state}">{STATES[node.state].sign} {xml_text(node.subtitle)}</td>'


def _why(node: Node) -> str:
    return "; ".join(reasons(node.report)) if node.report else ""


def _problem_row(problem: Problem) -> str:
    severity = f'<td class="{problem.severity}">{_SIGNS[problem.severity]} {problem.severity}</td>'
    where = problem.location or _listed(problem.steps)
    texts = (problem.code, problem.message, where, problem.suggestion)
    return severity + "".join(_cell(text, 2000) for text in texts)


def _cell(text: str, length: int = _LONGEST) -> str:
    return f"<td>{_apart(text, length)}</td>"


def _apart(text: str, length: int = _LONGEST) -> str:
    """A text whose direction of writing is its own business."""
    return f"<bdi>{xml_text(text, length)}</bdi>" if text else ""


def _listed(texts: Sequence[str]) -> str:
    more = len(texts) - _MOST_NAMES
    return ", ".join(texts[:_MOST_NAMES]) + (f" and {more:,} more" if more > 0 else "")
