"""Pictures and pages without a browser: well-formed, without scripts, complete, quick."""

from __future__ import annotations

import base64
import re
from html.parser import HTMLParser
from typing import Any, Dict, List, Optional, Tuple
from xml.etree import ElementTree as ET

import pytest
from hostile_plans import (
    HOSTILE_NAMES,
    HOSTILE_TEXT,
    eventful_plan,
    eventful_report,
    hostile_plan,
    hostile_report,
    random_plan,
)

import wfplan
from wfplan import (
    ExecutionReport,
    ExecutionStrategy,
    InvalidWorkflowError,
    RefusedError,
    Step,
    StepReport,
    Workflow,
    render,
)
from wfplan.render.escaping import dot_text, mermaid_text, shown, xml_text
from wfplan.render.view import STATES

SVG = "{http://www.w3.org/2000/svg}"
CONTROLS = "".join(map(chr, range(32))) + "\x7f\x85\u202e\ufffe\uffff\ud800\udfff\U0001fffe"


def picture(thing: Any) -> ET.Element:
    return ET.fromstring(render.svg(thing))


def steps_of(root: ET.Element) -> Dict[str, ET.Element]:
    """The groups of the steps, by the name in the first line of what is shown on hovering."""
    groups = [group for group in root.iter(f"{SVG}g") if (group.get("class") or "").startswith("step")]
    return {str(group[0].text).partition("\n")[0][len("step: ") :]: group for group in groups}


def words(root: ET.Element) -> List[str]:
    return ["".join(text.itertext()) for text in root.iter(f"{SVG}text")]


class Looker(HTMLParser):
    """Notes elements and attributes, and checks that what is opened is closed."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: List[str] = []
        self.attributes: List[Tuple[str, Optional[str]]] = []
        self.open: List[str] = []
        self.text = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: List[Tuple[str, Optional[str]]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        if tag != "meta":
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: List[Tuple[str, Optional[str]]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def looked(page: str) -> Looker:
    """What is in a page, which is complete and harmless."""
    found = Looker(page)
    assert found.open == []
    assert {"script", "iframe", "object", "embed", "img", "a", "link", "foreignobject", "image", "use"}.isdisjoint(
        found.tags
    )
    assert [name for name, _ in found.attributes if name.startswith("on") or name in ("href", "src", "style")] == []
    assert [value for _, value in found.attributes if "javascript:" in (value or "")] == []
    return found


@pytest.mark.parametrize("escape", [xml_text, dot_text, mermaid_text])
def test_nothing_that_cannot_be_printed_is_left(escape: Any) -> None:
    for text in (CONTROLS, "a" + CONTROLS, HOSTILE_TEXT):
        escaped = escape(text)
        assert escaped.replace("\u200b", "").isprintable()
        assert escaped.encode("utf-8")


def test_what_is_too_long_is_cut() -> None:
    assert shown("x" * 11, 10) == "x" * 9 + "\u2026"
    assert shown("x" * 10, 10) == "x" * 10


def test_each_format_has_its_own_escapes() -> None:
    assert xml_text("<a b='c' d=\"e\">&") == "&lt;a b=&#39;c&#39; d=&quot;e&quot;&gt;&amp;"
    assert dot_text('a"b\\c&d\n') == 'a\\"b\\\\c&amp;d\\\\n'
    assert mermaid_text('a_b "c" $$ :fa-x') == "a_b #34;c#34; #36;#8203;#36;#8203; #58;#8203;fa-x"


@pytest.mark.parametrize("thing", [hostile_plan(), hostile_report()], ids=["plan", "report"])
def test_a_hostile_picture_is_well_formed_and_complete(thing: Any) -> None:
    root = picture(thing)
    assert set(steps_of(root)) == set(HOSTILE_NAMES)
    assert {element.tag for element in root.iter()} <= {
        f"{SVG}{tag}" for tag in "svg style rect g text title path".split()
    }
    assert not [name for element in root.iter() for name in element.attrib if name.startswith("on") or "href" in name]
    looked(render.svg(thing))


@pytest.mark.parametrize("thing", [hostile_plan(), hostile_report()], ids=["plan", "report"])
def test_a_hostile_page_has_no_script(thing: Any) -> None:
    found = looked(render.html(thing))
    assert all(name in found.text for name in HOSTILE_NAMES)
    assert ("http-equiv", "Content-Security-Policy") in found.attributes
    policy = next(value for name, value in found.attributes if name == "content" and "default-src" in (value or ""))
    assert str(policy).startswith("default-src 'none'; style-src 'unsafe-inline'")


def test_parameters_that_were_never_checked_can_be_shown() -> None:
    step = Step(name="a")
    vars(step)["parameters"] = {"\ud800": "\udfff\x00"}
    plan = wfplan.plan([step])
    assert "\\\\ud800" in render.dot(plan)
    assert render.svg(plan).encode()
    assert picture(plan) is not None


def test_a_picture_tells_all_about_a_step_on_hovering() -> None:
    steps = steps_of(picture(eventful_plan()))
    told = str(steps["drain"][0].text).splitlines()
    assert told == ["step: drain", "waits for: pause", "locks: node-1, node-2", "effect: destructive"]
    assert str(steps["pause"][0].text).splitlines() == [
        "step: pause",
        "undone by: resume",
        "idempotent: yes",
        "confidence: 0.5",
    ]
    assert "parameter replicas: 5" in str(steps["scale"][0].text)
    assert "overlaps with: no other step" in str(steps["migrate"][0].text)
    assert {"timeout: 90 s", "estimated: 30 s"} <= set(str(steps["verify"][0].text).splitlines())


def test_hints_locks_effects_and_batches_one_by_one_are_explained() -> None:
    told = words(picture(eventful_plan()))
    assert {"overlaps with no other step", "holds locks", "destructive", "one by one"} <= set(told)
    assert {"Payment API", "sequential-with-parallel: 5 steps in 3 batches"} <= set(told)
    plain = words(picture(wfplan.plan({"a": [], "b": []})))
    assert plain == ["parallel: 2 steps in 1 batch", "batch 1", "2 steps", "parallel", "a", "b"]


def test_a_report_shows_states_by_colour_sign_and_word() -> None:
    root = picture(eventful_report())
    states = {name: (group.get("class") or "").partition(" ")[2] for name, group in steps_of(root).items()}
    assert states == {
        "pause": "undone",
        "scale": "succeeded",
        "drain": "failed",
        "migrate": "skipped",
        "verify": "skipped",
    }
    for name, group in steps_of(root).items():
        drawings = [path.get("d") for path in group.iter(f"{SVG}path")]
        assert STATES[states[name]].drawing in drawings
        assert words(group)[1].startswith(states[name])
    assert {"1 undone", "1 succeeded", "1 failed", "2 skipped"} <= set(words(root))
    assert "why: ValueError: the node <b>does not</b> answer" in str(steps_of(root)["drain"][0].text)


def test_every_state_has_its_own_look() -> None:
    for look in zip(*STATES.values()):
        assert len(set(look)) == len(STATES)


def report_of(*steps: StepReport, **fields: Any) -> ExecutionReport:
    return ExecutionReport(
        **{"run_id": "r", "phase": "executing", "steps": {step.name: step for step in steps}, **fields}
    )


def test_a_report_without_its_plan_is_drawn_by_the_batches_that_it_knows() -> None:
    report = report_of(
        StepReport(name="a", batch=2, status="running", action="go", started_at=1.0),
        StepReport(
            name="b", status="timed_out", started_at=0.0, ended_at=7200.0, attempts=2, abandoned=True, run_id="r1"
        ),
        StepReport(name="c", batch=2, status="pending"),
    )
    told = words(picture(report))
    assert [word for word in told if word.startswith("batch")] == ["batch 1", "batch 2"]
    assert "timed out, 7,200 s" in told
    looked(render.html(report))


def test_what_a_rollback_came_to_is_shown() -> None:
    names = {"undone": "succeeded", "undo_failed": "timed_out", "running": "running", "succeeded": "pending"}
    report = report_of(
        *(StepReport(name=name, status="succeeded") for name in names),
        phase="rolling_back",
        rollback={name: StepReport(name=name, status=status) for name, status in names.items()},
    )
    root = picture(report)
    assert [(group.get("class") or "")[5:] for group in steps_of(root).values()] == list(names)


def test_a_dry_run_shows_what_it_found() -> None:
    functions: Dict[str, Any] = {"a": lambda: None, "b": lambda: None}
    executor = wfplan.FunctionExecutor(functions, dry_run=functions)
    report = wfplan.run(wfplan.plan({"a": [], "b": ["a"]}), executor, dry_run=True)
    assert "dry run completed: 2 succeeded" in words(picture(report))


def test_steps_one_by_one_stand_in_the_order_in_which_they_run() -> None:
    steps = [Step(name=f"a{place}") for place in range(30)]
    plan = wfplan.plan(Workflow(steps=steps, execution_strategy=ExecutionStrategy(mode="sequential")))
    places = [
        tuple(map(float, reversed(re.findall(r"[\d.]+", str(group.get("transform"))))))
        for _, group in sorted(steps_of(picture(plan)).items(), key=lambda item: int(item[0][1:]))
    ]
    assert places == sorted(places)


def test_steps_are_ordered_so_that_dependencies_cross_less() -> None:
    """a1 b1 c1 below each other, however they were declared."""
    plan = wfplan.plan({"a": [], "b": [], "c": [], "c1": ["c"], "b1": ["b"], "a1": ["a"]})
    left = {name: str(group.get("transform")).partition(" ")[0] for name, group in steps_of(picture(plan)).items()}
    assert [left[name] == left[f"{name}1"] for name in "abc"] == [True, True, True]


def test_dependencies_pass_beside_boxes() -> None:
    """From a to c past b, which stands between them."""
    root = picture(wfplan.plan({"a": [], "b": ["a"], "c": ["b", "a"]}))
    edges = {
        str(path[0].text): str(path.get("d"))
        for path in root.iter(f"{SVG}path")
        if path.get("class") == "edge" and len(path)
    }
    assert set(edges) == {"a \u2192 b", "b \u2192 c", "a \u2192 c"}
    assert "H" not in edges["a \u2192 b"]
    assert edges["a \u2192 c"].count("H") == 2


def test_where_dependencies_are_very_many_those_that_follow_from_others_are_left_out() -> None:
    root = picture(wfplan.plan({str(place): [str(other) for other in range(place)] for place in range(60)}))
    edges = [path[0].text for path in root.iter(f"{SVG}path") if path.get("class") == "edge" and len(path)]
    assert sorted(map(str, edges)) == sorted(f"{place} \u2192 {place + 1}" for place in range(59))
    assert "1,711 dependencies that follow from others are not drawn" in words(root)


@pytest.mark.parametrize("lean", ["left", "right"])
def test_dependencies_of_wide_batches_go_down_between_the_columns(lean: str) -> None:
    names = [f"worker-{place}" for place in range(40)]
    edges = {"start": [], **{name: ["start"] for name in names}, "join": names}
    if lean == "right":
        edges["far"] = [*names, "join"]
    assert len(steps_of(picture(wfplan.plan(edges)))) == len(edges)


def test_many_steps_are_counted_by_batch() -> None:
    told = words(picture(random_plan(1000, 40)))
    assert told[0] == "sequential-with-parallel: 1,000 steps in 25 batches"
    assert {"batch 25", "11 steps, parallel"} <= set(told)
    chain = {str(place): [str(place - 1)] if place else [] for place in range(5000)}
    told = words(
        picture(wfplan.plan(Workflow(name="chain", steps=[Step(name=n, dependencies=d) for n, d in chain.items()])))
    )
    assert told[:2] == ["chain", "sequential: 5,000 steps in 5,000 batches"]
    assert {"batches 1 to 84", "84 steps, 0 of 84 batches parallel"} <= set(told)
    assert len(told) < 130


def test_many_steps_of_a_report_are_counted_by_state() -> None:
    def act(call: Any) -> None:
        if call.step.name == "5":
            raise ValueError

    class Executor:
        execute = staticmethod(act)

    report = wfplan.run(wfplan.plan({str(place): [] for place in range(300)}), Executor(), on_failure="skip-dependents")
    assert {"300 steps, 299 succeeded, 1 failed, parallel", "299 succeeded", "1 failed"} <= set(words(picture(report)))
    alone = report_of(*(StepReport(name=str(place), batch=place) for place in range(1, 300)))
    assert "5 steps, 5 pending" in words(picture(alone))


@pytest.mark.parametrize("plan", [wfplan.plan({}), wfplan.plan([])])
def test_an_empty_plan_has_a_picture_too(plan: Any) -> None:
    assert words(picture(plan)) == ["sequential: 0 steps in 0 batches"]
    looked(render.html(plan))


def test_an_empty_report_has_a_picture_too() -> None:
    assert words(picture(report_of(phase="completed"))) == ["completed: no steps"]


def test_a_long_title_is_cut_and_kept_whole_on_hovering() -> None:
    root = picture(wfplan.plan(Workflow(name="n" * 5000, steps=[Step(name="a")])))
    assert words(root)[0].endswith("n\u2026")
    assert max(len(str(title.text)) for title in root.iter(f"{SVG}title")) == 2000


@pytest.mark.scale
def test_a_hundred_thousand_steps_have_a_picture_of_a_few_kilobytes() -> None:
    chain = wfplan.plan({str(place): [str(place - 1)] if place else [] for place in range(100_000)})
    fan = wfplan.plan({str(place): ["0"] if place else [] for place in range(100_000)})
    assert len(render.svg(chain)) < 50_000
    assert len(render.html(fan)) < 500_000


def test_a_table_counts_what_it_does_not_list() -> None:
    page = looked(render.html(wfplan.plan({str(place): [] for place in range(1200)})))
    assert page.tags.count("tr") == 1001
    assert "and 200 more steps" in page.text


def test_long_lists_in_details_are_counted() -> None:
    names = [f"n{place}" for place in range(30)]
    last = Step(
        name="last",
        dependencies=names,
        parameters=dict.fromkeys(names, 1),
        description="what it does",
        retry=wfplan.RetryPolicy(max_attempts=3),
        recommendation_id="rec",
        continue_on_failure=True,
        idempotent=False,
        action="act",
    )
    told = str(steps_of(picture(wfplan.plan([*(Step(name=name) for name in names), last])))["last"][0].text)
    for part in (
        "action: act",
        "n19 and 10 more",
        "parameters: 10 more",
        "description: what it does",
        "attempts at most: 3",
        "recommendation: rec",
        "if it fails: what depends on it goes on",
        "idempotent: no",
    ):
        assert part in told


def test_a_recommendation_shows_its_id_below_its_name() -> None:
    plan = wfplan.plan([wfplan.Recommendation(id="rec-1", action="scale")])
    assert words(picture(plan))[-2:] == ["scale", "rec-1"]


def test_a_reading_shows_its_problems_and_what_it_gives() -> None:
    good = wfplan.read({"recommendations": [{"id": "a", "action": "go", "extra": 1}]})
    page = looked(render.html(good))
    assert "1 recommendation, 1 problem" in page.text
    assert "unknown-field" in page.text
    assert "svg" in page.tags
    assert render.text(good).startswith("1 recommendation, 1 problem\nwarning unknown-field")
    assert "1      go    go      -" in render.text(good)
    assert render.text(wfplan.read({"steps": [{"name": "a"}]})).startswith("1 step, ")


def test_a_reading_that_cannot_be_planned_shows_what_was_read() -> None:
    bad = wfplan.read([{"id": "a", "action": "go", "dependencies": ["b"]}, {"id": "c", "action": HOSTILE_TEXT}])
    page = looked(render.html(bad))
    assert "svg" not in page.tags
    assert "this cannot be planned" in page.text
    assert "unknown-dependency" in page.text
    assert page.text.count("go") >= 1
    assert "this cannot be planned" in render.text(bad)
    nothing = wfplan.read("no plan at all {")
    assert looked(render.html(nothing)).tags.count("table") == 1


def test_errors_show_their_problems() -> None:
    with pytest.raises(InvalidWorkflowError) as caught:
        wfplan.plan({"a": ["<script>alert(1)</script>"]})
    page = looked(render.html(caught.value))
    assert "this cannot be planned: 1 problem" in page.text
    assert "<script>alert(1)</script>" in page.text
    assert render.text(caught.value) == str(caught.value)
    assert "refused: 1 problem" in looked(render.html(RefusedError(caught.value.problems))).text


@pytest.mark.parametrize("thing", [eventful_plan(), eventful_report()], ids=["plan", "report"])
def test_pictures_are_the_same_each_time(thing: Any) -> None:
    assert render.svg(thing) == render.svg(thing)
    assert render.text(thing) == str(thing)


def test_a_notebook_is_given_a_picture_a_diagram_and_words() -> None:
    for thing in (eventful_plan(), eventful_report(), wfplan.read([{"id": "a", "action": "go"}])):
        forms = render.mimebundle(thing)
        assert set(forms) == {"text/plain", "text/html", "text/vnd.mermaid"}
        image = re.search(r'<img alt="[^"<>]*" src="data:image/svg[+]xml;base64,([\w+/=]+)"/>', forms["text/html"])
        assert image is not None
        assert base64.b64decode(image[1]).decode() == render.svg(thing)
        looked(forms["text/html"].replace(image[0], ""))
        assert forms["text/vnd.mermaid"].startswith("flowchart TD\n")
        assert forms["text/plain"] == render.text(thing)


def test_a_notebook_is_given_no_more_than_it_can_keep() -> None:
    plan = random_plan(3000, 50)
    forms = render.mimebundle(plan)
    assert set(forms) == {"text/plain", "text/html"}
    assert forms["text/plain"] == repr(plan)[len("<ExecutionPlan ") : -len(", 01234567>")]


def test_a_notebook_is_given_the_problems_of_an_error() -> None:
    with pytest.raises(InvalidWorkflowError) as caught:
        wfplan.plan({"a": ["b"]})
    forms = render.mimebundle(caught.value)
    assert set(forms) == {"text/plain", "text/html"}
    assert "unknown-dependency" in looked(forms["text/html"]).text
