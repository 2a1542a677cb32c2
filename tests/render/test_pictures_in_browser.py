"""What a browser makes of the pictures: nothing runs, everything is there, nothing overlaps."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any, Dict, List, Sequence, Tuple

import pytest
from hostile_plans import HOSTILE_NAMES, HOSTILE_TEXT, eventful_report, hostile_plan, hostile_report, random_plan
from picture_browser import FLAGS, look, need

import wfplan
from wfplan import render

pytestmark = pytest.mark.slow

Box = Sequence[float]
OPEN_ALL = "const found = {}; for (const file of %s) found[file] = seen(await open(file)); return found;"


def open_all(files: Dict[str, str]) -> Tuple[Dict[str, Any], List[str]]:
    return look(files, OPEN_ALL % list(files))


def within(inner: Box, outer: Box) -> bool:
    return outer[0] <= inner[0] < inner[2] <= outer[2] + 0.1 and outer[1] - 0.1 <= inner[1] < inner[3] <= outer[3] + 0.1


def overlapping(boxes: Sequence[Box]) -> List[Tuple[int, int]]:
    """Which of these boxes share more than a hair."""
    return [
        (one, other)
        for one, a in enumerate(boxes)
        for other, b in enumerate(boxes[:one])
        if min(a[2], b[2]) - max(a[0], b[0]) > 0.5 and min(a[3], b[3]) - max(a[1], b[1]) > 0.5
    ]


def check_picture(found: Dict[str, Any], steps: int) -> None:
    """Every step is there, its label in its box, its box in the picture; no two texts and no two boxes overlap."""
    assert found["broken"] == ""
    assert len(found["steps"]) == steps
    assert all(within(text["box"], found["picture"]) for text in found["texts"])
    assert all(within(step["box"], found["picture"]) for step in found["steps"])
    assert [step["title"] for step in found["steps"] if not within(step["label"], step["box"])] == []
    texts = [text["box"] for text in found["texts"]]
    assert [(found["texts"][a]["text"], found["texts"][b]["text"]) for a, b in overlapping(texts)] == []
    assert overlapping([step["box"] for step in found["steps"]]) == []


def test_labels_of_10_50_and_200_steps_do_not_overlap() -> None:
    plans = {f"{steps}.svg": random_plan(steps, width) for steps, width in ((10, 3), (50, 6), (200, 12))}
    plans["fan.svg"] = wfplan.plan(
        {"a": [], **{f"b{n}": ["a"] for n in range(198)}, "c": [f"b{n}" for n in range(198)]}
    )
    plans["chain.svg"] = wfplan.plan({str(n): [str(n - 1)] if n else [] for n in range(200)})
    found, console = open_all({name: render.svg(plan) for name, plan in plans.items()})
    for name, plan in plans.items():
        check_picture(found[name], len(plan.steps))
    assert console == []


def test_no_hostile_text_runs_or_breaks_a_picture() -> None:
    plan, report = hostile_plan(), hostile_report()
    found, console = open_all({"plan.svg": render.svg(plan), "report.svg": render.svg(report)})
    for seen in found.values():
        assert (seen["hacked"], seen["scripts"], seen["handlers"]) == (False, 0, 0)
        check_picture(seen, len(HOSTILE_NAMES))
        titles = {step["title"].partition("\n")[0] for step in seen["steps"]}
        assert titles == {f"step: {name}" for name in HOSTILE_NAMES}
    assert console == []


def test_no_hostile_text_runs_or_breaks_a_page() -> None:
    """Not even where the policy that forbids all scripts is taken out."""
    bad = {"recommendations": [{"id": HOSTILE_TEXT, "action": HOSTILE_TEXT, HOSTILE_TEXT: 1}]}
    pages = {
        "plan.html": render.html(hostile_plan()),
        "report.html": render.html(hostile_report()),
        "reading.html": render.html(wfplan.read(bad)),
    }
    pages.update({f"bare-{name}": page.replace("Content-Security-Policy", "x") for name, page in pages.items()})
    found, console = open_all(pages)
    for name, seen in found.items():
        assert (seen["hacked"], seen["scripts"], seen["handlers"]) == (False, 0, 0), name
        if "reading" not in name:
            check_picture(seen, len(HOSTILE_NAMES))
            assert seen["rows"] >= len(HOSTILE_NAMES)
    assert console == []


def test_the_browser_would_have_told() -> None:
    """The same names, unescaped, do run: so their silence above means something."""
    found, _ = open_all({"bad.html": f"<p>{HOSTILE_NAMES[0]}</p>"})
    assert (found["bad.html"]["hacked"], found["bad.html"]["scripts"]) == (True, 1)


def test_the_policy_of_a_page_would_stop_what_got_through() -> None:
    page = render.html(wfplan.plan({"a": []})).replace("<table>", "<script>parent.hacked=1</script><table>")
    found, console = open_all({"bad.html": page})
    assert (found["bad.html"]["hacked"], found["bad.html"]["scripts"]) == (False, 1)
    assert any("Content Security Policy" in line for line in console)


def test_a_summary_has_all_its_words_side_by_side() -> None:
    found, _ = open_all(
        {"plan.svg": render.svg(random_plan(1000, 40)), "chain.svg": render.svg(random_plan(2000, 2, 1))}
    )
    for seen in found.values():
        assert overlapping([text["box"] for text in seen["texts"]]) == []
        assert all(within(text["box"], seen["picture"]) for text in seen["texts"])


def test_a_page_works_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "report.html"
    file.write_text(render.html(eventful_report()), encoding="utf-8")
    command = [need("chromium"), *FLAGS, f"--user-data-dir={tmp_path}/profile", "--dump-dom", file.as_uri()]
    done = subprocess.run(command, check=True, capture_output=True, encoding="utf-8", timeout=120)
    assert "CONSOLE" not in done.stderr
    assert done.stdout.count("<tr>") == 6
    assert 'class="step failed"' in done.stdout


@pytest.mark.parametrize("name", HOSTILE_NAMES)
def test_every_hostile_name_is_a_name(name: str) -> None:
    assert wfplan.Step(name=name)


JUPYTER = """
.jp-RenderedHTMLCommon td, .jp-RenderedHTMLCommon th, .jp-RenderedHTMLCommon tr,
.rendered_html tr, .rendered_html th, .rendered_html td {
  text-align: right; vertical-align: middle; padding: 0.5em 0.5em; max-width: none; border: none }
.jp-RenderedHTMLCommon table, .rendered_html table { margin-left: auto; margin-right: auto; border: none }
"""
"""What JupyterLab (packages/rendermime/style/base.css) and the classic notebook say of every table in an output."""


def test_the_tables_of_a_notebook_are_aligned_as_those_of_a_page() -> None:
    """Whatever the style of the notebook says of all tables, and even where it is loaded last."""
    cell = render.mimebundle(eventful_report())["text/html"]
    look_at_cells = """
    document.body.insertAdjacentHTML("beforeend", await (await fetch("cell.html")).text());
    const cells = [...document.querySelectorAll("th, td")].map((cell) => getComputedStyle(cell));
    return {number: cells.length, sides: [...new Set(cells.map((style) => style.textAlign))],
      heights: [...new Set(cells.map((style) => style.verticalAlign))]};
    """
    around = f'<div class="jp-RenderedHTMLCommon rendered_html">{cell}</div><style>{JUPYTER}</style>'
    found, _ = look({"cell.html": around}, look_at_cells)
    assert found["number"] > 20
    assert (found["sides"], found["heights"]) == (["left"], ["top"])
