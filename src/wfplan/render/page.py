"""Plans, reports, readings and refusals as HTML: a picture, tables, no script."""

from __future__ import annotations

import base64
from typing import Iterator

from wfplan.reading import Reading
from wfplan.render.escaping import xml_text
from wfplan.render.picture import MOST_STEPS, draw
from wfplan.render.scene import Scene, scene_of
from wfplan.render.shown import Shown, headline, planned
from wfplan.render.states import STATES
from wfplan.render.summary import summarize
from wfplan.render.tables import items_table, problems_table, steps_table

__all__ = ["draw_scene", "fragment", "page"]

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


def page(shown: Shown) -> str:
    """A whole document that needs nothing else, and that no script can run in."""
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        f"<title>{xml_text(headline(shown))}</title>\n"
        "<style>:root{color-scheme:light dark}body{margin:20px}</style>\n"
        f"</head>\n<body>\n{fragment(shown)}</body>\n</html>\n"
    )


def fragment(shown: Shown, *, as_image: bool = False) -> str:
    """A part of a document; its styles touch nothing else there.

    With `as_image` the picture is an image: a notebook that is not trusted shows no SVG of a cell, but does show that.
    """
    style = f"{_STYLE}{_states(dark=False)}@media (prefers-color-scheme:dark){{{_DARK}{_states(dark=True)}}}"
    # Named twice, the class outweighs what a notebook's own style says of the cells of all tables.
    style = f"<style>{style.replace('.wfplan-page ', '.wfplan-page.wfplan-page ')}</style>"
    return "\n".join(('<div class="wfplan-page">', style, *_parts(shown, as_image=as_image), "</div>\n"))


def draw_scene(scene: Scene) -> str:
    """The picture of a scene: its steps or, where they are too many, its batches."""
    return draw(scene) if len(scene.nodes) <= MOST_STEPS else summarize(scene)


def _parts(shown: Shown, *, as_image: bool) -> Iterator[str]:
    thing = planned(shown)
    if thing is None or isinstance(shown, Reading):
        yield f"<p>{xml_text(headline(shown))}</p>"
    if shown.problems:
        yield from problems_table(shown.problems)
    if thing is not None:
        scene = scene_of(thing)
        drawn = draw_scene(scene)
        yield f'<div class="picture">{_as_image(drawn, headline(shown)) if as_image else drawn}</div>'
        yield from steps_table(scene)
    elif isinstance(shown, Reading) and shown.items:
        yield from items_table(shown.wording.key, shown.items)


def _as_image(drawn: str, title: str) -> str:
    data = base64.b64encode(drawn.encode()).decode()
    return f'<img alt="{xml_text(title)}" src="data:image/svg+xml;base64,{data}"/>'


def _states(*, dark: bool) -> str:
    return "".join(
        f".wfplan-page td.{name}{{color:{state.dark_line if dark else state.line}}}" for name, state in STATES.items()
    )
