"""The pieces of SVG pictures: text of known width, symbols, styles."""

from __future__ import annotations

from typing import Iterable, NamedTuple

from wfplan.render.escaping import cells, fit, fit_name, shown, xml_text
from wfplan.render.svg.routing import short
from wfplan.render.view import STATES

__all__ = ["BODY", "HEAD", "SMALL", "Font", "document", "label", "sign", "title"]


class Font(NamedTuple):
    """A class of texts, and how wide its characters are."""

    css_class: str
    width: float
    """Of one character; a little more than it takes."""

    def wide(self, text: str) -> float:
        """Return how much room a string needs."""
        return cells(shown(text)) * self.width

    def fit(self, text: str, room: float) -> str:
        """Return a string as it can be shown, cut where it is wider than the room."""
        return fit(shown(text), max(1, int(room / self.width)))

    def fit_name(self, name: str, room: float) -> str:
        """Return a name as it can be shown, cut in its middle where it is wider than the room."""
        return fit_name(shown(name), int(room / self.width))


BODY = Font("b", 7.3)
SMALL = Font("s", 6.4)
HEAD = Font("h", 8.5)

_MONO = "ui-monospace,Menlo,Consolas,'DejaVu Sans Mono','Liberation Mono',monospace"
_STYLE = (
    f".wfplan text{{font-family:{_MONO};fill:#1b222c;white-space:pre}}"
    ".wfplan .b{font-size:12px}.wfplan .s{font-size:10.5px;fill:#4b5563}.wfplan .h{font-size:14px;font-weight:bold}"
    ".wfplan .page{fill:#fff}.wfplan .box{fill:#fff;stroke:#64748b;stroke-width:1.2}"
    ".wfplan .band{fill:#f3f6fa;stroke:#d5dde8}.wfplan .serial{stroke-dasharray:5 4;stroke:#94a3b8}"
    ".wfplan .edge{fill:none;stroke:#8491a5;stroke-width:1.2}.wfplan .tip{fill:#64748b}"
    ".wfplan .edge:hover{stroke:#0b62d6;stroke-width:3}.wfplan .step:hover .box{stroke-width:2.6}"
    ".wfplan .sign{fill:none;stroke:#475569;stroke-width:1.6;stroke-linecap:round;stroke-linejoin:round}"
    ".wfplan .stripe{fill:#475569}.wfplan .bar{fill:#9db4d3}"
)
_DARK = (
    ".wfplan text{fill:#e5e9f0}.wfplan .s{fill:#b3bccb}.wfplan .page{fill:#12161c}"
    ".wfplan .box{fill:#1d242e;stroke:#8b99ad}.wfplan .band{fill:#181d25;stroke:#313b49}"
    ".wfplan .serial{stroke:#64748b}.wfplan .edge{stroke:#76859b}.wfplan .tip{fill:#9aa8bc}"
    ".wfplan .edge:hover{stroke:#7db5f5}.wfplan .sign{stroke:#b3bccb}.wfplan .stripe{fill:#b3bccb}"
    ".wfplan .bar{fill:#4d6a93}"
)


def document(width: float, height: float, name: str, parts: Iterable[str]) -> str:
    """Return a whole SVG picture with its own background, light or dark as the reader's system is."""
    size = f'width="{short(width)}" height="{short(height)}" viewBox="0 0 {short(width)} {short(height)}"'
    start = f'<svg xmlns="http://www.w3.org/2000/svg" class="wfplan" {size} role="img" aria-label="{xml_text(name)}">'
    style = (
        f"<style>{_STYLE}{_states(dark=False)}@media (prefers-color-scheme:dark){{{_DARK}{_states(dark=True)}}}</style>"
    )
    page = f'<rect class="page" width="{short(width)}" height="{short(height)}" rx="8"/>'
    return "\n".join((start, style, page, *parts, "</svg>\n"))


def _states(*, dark: bool) -> str:
    return "".join(
        f".wfplan .{name} .box,.wfplan .box.{name}{{fill:{state.dark_fill if dark else state.fill};"
        f"stroke:{state.dark_line if dark else state.line}}}"
        f".wfplan .{name} .mark{{stroke:{state.dark_line if dark else state.line}}}"
        for name, state in STATES.items()
    )


def label(font: Font, x: float, y: float, text: str) -> str:
    """Return a string that begins at x and stands on y; it has to be cut already.

    What is not ASCII may come from a font with other widths: then the width that was counted with is asked for.
    """
    length = (
        "" if text.isascii() else f' textLength="{short(cells(text) * font.width)}" lengthAdjust="spacingAndGlyphs"'
    )
    return f'<text class="{font.css_class}" x="{short(x)}" y="{short(y)}"{length}>{xml_text(text)}</text>'


def title(lines: Iterable[str]) -> str:
    """Return what is shown while the pointer rests on what this is in."""
    return f"<title>{chr(10).join(xml_text(line) for line in lines)}</title>"


def sign(x: float, y: float, drawing: str, css_class: str = "") -> str:
    """Return a small drawing in a square of 12 by 12."""
    place = f"translate({short(x)} {short(y)})"
    return f'<path class="{f"sign {css_class}".strip()}" transform="{place}" d="{drawing}"/>'
