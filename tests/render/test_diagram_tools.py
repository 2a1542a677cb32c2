"""What Mermaid and Graphviz themselves make of the diagrams."""

from __future__ import annotations

import subprocess
from typing import Any, Dict, List, Sequence, Tuple
from xml.etree import ElementTree as ET

import pytest
from hostile_plans import HOSTILE_NAMES, eventful_report, hostile_plan, hostile_report, random_plan
from picture_browser import look, need, need_mermaid

from wfplan import render

pytestmark = pytest.mark.slow

DRAW = """
await new Promise((done) => {
  document.body.append(Object.assign(document.createElement("script"), {src: "mermaid.js", onload: done}));
});
const drawn = {};
for (const level of %s) {
  mermaid.initialize({startOnLoad: false, securityLevel: level, maxTextSize: %d});
  for (const file of %s) {
    const source = await (await fetch(file)).text();
    const host = document.createElement("div");
    document.body.append(host);
    const {svg, diagramType} = await mermaid.render(`d${Math.random().toString(36).slice(2)}`, source);
    host.innerHTML = svg;
    await sleep(100);
    const picture = host.querySelector("svg");
    const words = (selector) => [...host.querySelectorAll(selector)].map((e) => ({
      text: e.innerText ?? e.textContent, box: box(e)}));
    drawn[`${level} ${file}`] = {
      type: diagramType, picture: box(picture), nodes: words("g.node"), batches: words("g.cluster"),
      tasks: words("text.taskText, text.taskTextOutsideRight, text.taskTextOutsideLeft"),
      edges: host.querySelectorAll("path.flowchart-link").length,
      hacked: Boolean(window.hacked), scripts: host.querySelectorAll("script").length,
      markup: [...host.querySelectorAll("a, i, img, strong, em, code, math, ul, ol, h1")].map((e) => e.outerHTML),
      handlers: [...host.querySelectorAll("*")].flatMap((e) => [...e.attributes])
        .filter((a) => a.name.startsWith("on")).length,
    };
    host.remove();
  }
}
return drawn;
"""


def draw(
    files: Dict[str, str], levels: Sequence[str] = ("strict",), characters: int = 50_000
) -> Tuple[Dict[str, Any], List[str]]:
    """What Mermaid draws on a page that trusts nobody (`strict`), and on one that trusts everybody (`loose`)."""
    return look({"mermaid.js": need_mermaid(), **files}, DRAW % (list(levels), characters, list(files)))


def squeezed(text: str) -> str:
    return "".join(text.replace("\u200b", "").split())


def test_mermaid_draws_every_step_and_dependency_of_a_flowchart() -> None:
    plan = random_plan(40)
    drawn, console = draw({"plan.txt": render.mermaid(plan)})
    for seen in drawn.values():
        assert seen["type"] == "flowchart-v2"
        assert sorted(node["text"].strip() for node in seen["nodes"]) == sorted(plan.steps)
        assert len(seen["batches"]) == len(plan.batches)
        assert seen["edges"] == sum(len(step.dependencies) for step in plan.steps.values())
    assert console == []


def test_mermaid_shows_hostile_names_and_runs_nothing() -> None:
    """Not even where a page trusts what it draws."""
    drawn, console = draw(
        {
            "plan.txt": render.mermaid(hostile_plan(), max_characters=10**6),
            "report.txt": render.mermaid(hostile_report(), max_characters=10**6),
        },
        characters=10**6,
        levels=("strict", "loose"),
    )
    for name, seen in drawn.items():
        assert (seen["hacked"], seen["scripts"], seen["handlers"], seen["markup"]) == (False, 0, 0, []), name
        told = [squeezed(node["text"]) for node in seen["nodes"]]
        assert len(told) == len(HOSTILE_NAMES)
        unseen = [n for n in HOSTILE_NAMES if not any(squeezed(n) in text for text in told)]
        assert unseen == []
    assert console == []


def test_mermaid_draws_a_gantt_chart_of_a_report() -> None:
    drawn, console = draw(
        {
            "gantt.txt": render.mermaid(eventful_report(), "gantt"),
            "hostile.txt": render.mermaid(hostile_report(), "gantt"),
        },
        levels=("strict", "loose"),
    )
    for name, seen in drawn.items():
        names = list(eventful_report().steps) if "hostile" not in name else HOSTILE_NAMES
        told = [squeezed(task["text"]) for task in seen["tasks"]]
        assert seen["type"] == "gantt"
        assert [n for n in names if not any(squeezed(n) in text for text in told)] == []
        assert (seen["hacked"], seen["scripts"], seen["handlers"], seen["markup"]) == (False, 0, 0, []), name
    assert console == []


def test_the_limits_are_those_of_mermaid() -> None:
    """What is just within them is drawn."""
    plan = random_plan(280, 12)
    text = render.mermaid(plan)
    drawn, _ = draw({"plan.txt": text})
    assert all(len(seen["nodes"]) == 280 for seen in drawn.values())


@pytest.mark.parametrize("thing", [random_plan(60), hostile_plan(), hostile_report()], ids=["plan", "names", "report"])
def test_graphviz_draws_every_step_and_dependency(thing: Any) -> None:
    done = subprocess.run(
        [need("dot"), "-Tsvg"], check=True, capture_output=True, input=render.dot(thing).encode(), timeout=120
    )
    assert done.stderr == b""
    name = "{http://www.w3.org/2000/svg}"
    groups = [group for group in ET.fromstring(done.stdout).iter(f"{name}g") if group.get("class")]
    kinds = [group.get("class") for group in groups]
    plan = getattr(thing, "plan", thing)
    assert kinds.count("cluster") == len(plan.batches)
    assert kinds.count("edge") == sum(len(step.dependencies) for step in plan.steps.values())
    texts = ["".join(text.itertext()) for text in ET.fromstring(done.stdout).iter(f"{name}text")]
    assert [n for n in plan.steps if not any(text.replace("\\xa0", " ").endswith(n) for text in texts)] == []
