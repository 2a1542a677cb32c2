"""Plans, reports, readings and errors as HTML: a picture and tables, without scripts; and what a notebook shows."""

from __future__ import annotations

import base64
from contextlib import suppress
from typing import Dict, Iterable, Iterator, Sequence

from wfplan._internal.messages import pluralize
from wfplan.models import Recommendation, Step
from wfplan.problems import Problem
from wfplan.reading import Reading
from wfplan.render.details import details_of
from wfplan.render.escaping import xml_text
from wfplan.render.mermaid import MAX_CHARACTERS, MAX_EDGES, mermaid_of
from wfplan.render.svg import draw_scene
from wfplan.render.text import MOST_ROWS, brief, reasons
from wfplan.render.view import STATES, Band, Displayable, Node, Scene, headline, planned, scene_of

__all__ = ["bundle", "page"]

_LONGEST = 300
_MOST_NAMES = 20
_SIGNS = {"error": "\u2717", "warning": "!", "info": "i"}


def _steps_table(scene: Scene) -> Iterator[str]:
    """Return a row for each step, batch by batch; what is not in the columns unfolds below its name."""
    reported = any(node.state for node in scene.nodes.values())
    unit = scene.bands[0].noun if scene.bands else "batch"
    head = (unit, "step", "action", *(("state", "why") if reported else ()), "waits for")
    rows = (
        _step_row(band, scene.nodes[name], first=place == 0, reported=reported)
        for band in scene.bands
        for place, name in enumerate(band.steps)
    )
    return _table(head, rows, len(scene.nodes), "step")


def _problems_table(problems: Sequence[Problem]) -> Iterator[str]:
    """Return a row for each problem."""
    head = ("severity", "code", "message", "where", "what to do")
    rows = (_problem_row(problem) for problem in problems)
    return _table(head, rows, len(problems), "problem")


def _items_table(key: str, items: Sequence[Recommendation | Step]) -> Iterator[str]:
    """Return a row for each recommendation or step of a reading that cannot be planned."""
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
        yield f"<p>and {pluralize(number - MOST_ROWS, f'more {noun}')}</p>"


def _step_row(band: Band, node: Node, *, first: bool, reported: bool) -> str:
    cells = [_cell(f"{band.number:,}" + (f", {band.mode}" if band.mode else "") if first else "")]
    cells += [f"<td>{_folded(node)}</td>", _cell(node.action)]
    if reported:
        cells += [_state_cell(node), _cell(_why(node))]
    return "".join((*cells, _cell(_listed(node.needs))))


def _folded(node: Node) -> str:
    """Return the name of a step, and below it, when it is clicked, all that is known of it."""
    rows = "".join(f"<dt>{xml_text(key)}</dt><dd>{_apart(value)}</dd>" for key, value in details_of(node))
    return f"<details><summary>{_apart(node.name)}</summary><dl>{rows}</dl></details>"


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
    """Return a string isolated from the writing direction around it."""
    return f"<bdi>{xml_text(text, length)}</bdi>" if text else ""


def _listed(texts: Sequence[str]) -> str:
    more = len(texts) - _MOST_NAMES
    return ", ".join(texts[:_MOST_NAMES]) + (f" and {more:,} more" if more > 0 else "")


_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
_STYLE = (
    ".wfplan-page{font-family:system-ui,sans-serif;font-size:14px;line-height:1.4}"
    ".wfplan-page .picture{overflow-x:auto;margin:0 0 12px}.wfplan-page .picture svg{display:block;max-width:none}"
    ".wfplan-page table{border-collapse:collapse;margin:0 0 12px}"
    ".wfplan-page th,.wfplan-page td{border-bottom:1px solid #8886;padding:4px 10px;text-align:left;vertical-align:top;"
    "max-width:48ch;overflow-wrap:break-word}"
    ".wfplan-page th,.wfplan-page td[class]{white-space:nowrap}.wfplan-page summary{cursor:pointer}"
    ".wfplan-page dl{display:grid;grid-template-columns:max-content auto;gap:2px 10px;margin:6px 0;font-size:12px}"
    ".wfplan-page dt{opacity:.75}.wfplan-page dd{margin:0;max-width:60ch}"
    ".wfplan-page .error{color:#b91c1c}.wfplan-page .warning{color:#a84a00}.wfplan-page .info{color:#1d5fb8}"
)
_DARK = ".wfplan-page .error{color:#f58a8a}.wfplan-page .warning{color:#f2a65e}.wfplan-page .info{color:#7db5f5}"


def page(shown: Displayable) -> str:
    """Return a whole document that needs nothing else, and that no script can run in."""
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        f"<title>{xml_text(headline(shown))}</title>\n"
        "<style>:root{color-scheme:light dark}body{margin:20px}</style>\n"
        f"</head>\n<body>\n{_fragment(shown)}</body>\n</html>\n"
    )


def _fragment(shown: Displayable, *, as_image: bool = False) -> str:
    """Return a part of a document; its styles touch nothing else there.

    With `as_image` the picture is an image: a notebook that is not trusted shows no SVG of a cell, but does show that.
    """
    style = f"{_STYLE}{_states(dark=False)}@media (prefers-color-scheme:dark){{{_DARK}{_states(dark=True)}}}"
    # Named twice, the class outweighs what a notebook's own style says of the cells of all tables.
    style = f"<style>{style.replace('.wfplan-page ', '.wfplan-page.wfplan-page ')}</style>"
    return "\n".join(('<div class="wfplan-page">', style, *_parts(shown, as_image=as_image), "</div>\n"))


def _parts(shown: Displayable, *, as_image: bool) -> Iterator[str]:
    thing = planned(shown)
    if thing is None or isinstance(shown, Reading):
        yield f"<p>{xml_text(headline(shown))}</p>"
    if shown.problems:
        yield from _problems_table(shown.problems)
    if thing is not None:
        scene = scene_of(thing)
        drawn = draw_scene(scene)
        yield f'<div class="picture">{_as_image(drawn, headline(shown)) if as_image else drawn}</div>'
        yield from _steps_table(scene)
    elif isinstance(shown, Reading) and shown.items:
        yield from _items_table(shown.item_kind.key, shown.items)


def _as_image(drawn: str, title: str) -> str:
    data = base64.b64encode(drawn.encode()).decode()
    return f'<img alt="{xml_text(title)}" src="data:image/svg+xml;base64,{data}"/>'


def _states(*, dark: bool) -> str:
    return "".join(
        f".wfplan-page td.{name}{{color:{state.dark_line if dark else state.line}}}" for name, state in STATES.items()
    )


def bundle(shown: Displayable) -> dict[str, str]:
    """HTML, plain text and, where there is a plan that Mermaid can draw, a flowchart."""
    forms: Dict[str, str] = {"text/plain": brief(shown), "text/html": _fragment(shown, as_image=True)}
    thing = planned(shown)
    if thing is not None:
        with suppress(ValueError):  # where it is too large for Mermaid, there is the picture in the HTML
            forms["text/vnd.mermaid"] = mermaid_of(thing, "flowchart", MAX_EDGES, MAX_CHARACTERS)
    return forms
