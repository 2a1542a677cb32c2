"""Mermaid and DOT as texts."""

from __future__ import annotations

import pytest
from hostile_plans import HOSTILE_NAMES, eventful_plan, eventful_report, hostile_report

import wfplan
from wfplan import ExecutionReport, StepReport, render
from wfplan.analysis import simulate


def test_a_flowchart_has_a_subgraph_for_each_batch() -> None:
    assert render.mermaid(wfplan.plan({"a": [], "b": [], "c": ["a", "b"]})) == (
        "flowchart TD\n"
        '  subgraph b1["batch 1, parallel"]\n'
        '    s1["a"]\n'
        '    s2["b"]\n'
        "  end\n"
        '  subgraph b2["batch 2"]\n'
        '    s3["c"]\n'
        "  end\n"
        "  s1 --> s3\n"
        "  s2 --> s3\n"
    )


def test_a_flowchart_tells_states_by_sign_and_colour_and_what_is_special() -> None:
    text = render.mermaid(eventful_report())
    assert 's3["#10007;#160;drain<br/>failed, ' in text
    assert "locks, destructive" in text
    assert "classDef failed fill:#fde7e7,stroke:#b91c1c,color:#1b222c" in text
    assert 's4["migrate<br/>alone"]' in render.mermaid(eventful_plan())
    assert "  style b3 stroke-dasharray:5 4\n" in render.mermaid(eventful_plan())


def test_a_gantt_chart_counts_from_the_start_of_the_run() -> None:
    times = {"started_at": 1000.0, "batch": 1}
    report = ExecutionReport(
        run_id="r",
        phase="executing",
        steps={
            "a": StepReport(name="a", status="succeeded", ended_at=1070.5, **times),
            "b": StepReport(name="b", status="running", **times),
            "c": StepReport(name="c", status="skipped", batch=2),
            "d": StepReport(name="d", status="failed", ended_at=900.0, **times),
            "e": StepReport(name="e", status="succeeded", ended_at=1001.0, run_id="before", **times),
        },
    )
    assert render.mermaid(report, "gantt") == (
        "gantt\n"
        "  title executing#58; 2 succeeded, 1 running, 1 skipped, 1 failed\n"
        "  dateFormat YYYY-MM-DD HH:mm:ss.SSS\n"
        "  axisFormat %H:%M:%S\n"
        "  section batch 1\n"
        "    #10003; a #40;succeeded, 70.5 s#41; :done, 2001-01-01 00:00:00.000, 2001-01-01 00:01:10.500\n"
        "    #9654; b #40;running#41; :active, 2001-01-01 00:00:00.000, 2001-01-01 00:00:00.001\n"
        "    #10007; d #40;failed, -100 s#41; :crit, 2001-01-01 00:00:00.000, 2001-01-01 00:00:00.001\n"
        "    #10003; e #40;succeeded, 1 s#41; :milestone, 2001-01-01 00:01:10.500, 2001-01-01 00:01:10.500\n"
        "  section batch 2\n"
        "    #187; c #40;skipped#41; :milestone, 2001-01-01 00:01:10.500, 2001-01-01 00:01:10.500\n"
    )


@pytest.mark.parametrize(
    ("seconds", "axis"), [(86_399, "%H:%M:%S"), (86_400, "day %j %H:%M:%S"), (1e15, "day %j %H:%M:%S")]
)
def test_a_gantt_chart_of_a_long_run_counts_days(seconds: float, axis: str) -> None:
    report = simulate(wfplan.plan({"a": []}), durations={"a": seconds})
    chart = render.mermaid(report, "gantt")
    assert f"  axisFormat {axis}\n" in chart
    assert "2001-01-01 00:00:00.000, 200" in chart


def test_a_gantt_chart_of_a_short_run_shows_fractions_of_seconds() -> None:
    assert "  axisFormat %S.%L s\n" in render.mermaid(eventful_report(), "gantt")


def test_a_plan_has_no_gantt_chart_and_there_are_no_other_kinds() -> None:
    with pytest.raises(ValueError, match="it takes a report"):
        render.mermaid(eventful_plan(), "gantt")
    with pytest.raises(ValueError, match="the kind is 'pie', but can be flowchart or gantt only"):
        render.mermaid(eventful_plan(), "pie")  # type: ignore[arg-type]


def test_what_mermaid_would_not_draw_is_refused_unless_its_limits_are_raised() -> None:
    many = wfplan.plan({str(place): ["0"] if place else [] for place in range(502)})
    with pytest.raises(ValueError, match="501 dependencies, and Mermaid draws 500 at most"):
        render.mermaid(many)
    assert render.mermaid(many, max_edges=501).count("-->") == 501
    wide = wfplan.plan({f"{place:0100}": [] for place in range(600)})
    with pytest.raises(ValueError, match="characters, and Mermaid reads 50,000 at most"):
        render.mermaid(wide)
    assert render.mermaid(wide, max_characters=100_000).count('["0') == 600


def test_dot_has_a_cluster_for_each_batch() -> None:
    text = render.dot(wfplan.plan({"a": [], "b": [], "c": ["a", "b"]}))
    assert text.count("subgraph cluster_") == 2
    assert 'label="batch 1, parallel"; style="rounded"' in text
    assert '    s3 [label="c", tooltip="step: c\\nwaits for: a, b"]' in text
    assert text.endswith("  s1 -> s3\n  s2 -> s3\n}\n")


def test_dot_tells_states_and_what_is_special() -> None:
    text = render.dot(eventful_report())
    assert 's3 [label="\u2717 drain\\nfailed, ' in text
    assert 'fillcolor="#fde7e7", color="#b91c1c"' in text
    plan = render.dot(eventful_plan())
    assert 'label="Payment API: sequential-with-parallel: 5 steps in 3 batches"' in plan
    assert 'label="migrate\\noverlaps with no other step"' in plan
    assert "penwidth=2.5" in plan
    assert 'label="batch 3, one by one"; style="rounded,dashed"' in plan


def test_dot_is_whole_however_large_it_is() -> None:
    text = render.dot(wfplan.plan({str(place): [str(place - 1)] if place else [] for place in range(20_000)}))
    assert text.count(" -> ") == 19_999


def test_hostile_texts_stay_on_their_lines() -> None:
    """As many lines as there would be with any other names."""
    report = hostile_report()
    assert report.plan is not None
    edges = sum(len(step.dependencies) for step in report.plan.steps.values())
    batches, steps = len(report.plan.batches), len(HOSTILE_NAMES)
    assert render.dot(report).count("\n") == 6 + 3 * batches + steps + edges
    assert render.mermaid(report, "gantt").count("\n") == 4 + batches + steps
    flowchart = render.mermaid(report).splitlines()
    assert len([line for line in flowchart if "classDef" not in line and "style" not in line[:8]]) == (
        1 + 2 * batches + steps + edges
    )
    assert not any("%" in line or "javascript:" in line or "`" in line for line in flowchart)
