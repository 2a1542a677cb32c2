"""`wfplan plan --format mermaid|dot|svg|html`, `wfplan explain` and `wfplan simulate`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Dict, List

import pytest

import wfplan
from wfplan import render
from wfplan.analysis import compare, explain
from wfplan.cli import main

MAPPING: Dict[str, List[str]] = {"scale": [], "restart-a": ["scale"], "restart-b": ["scale"], "verify": ["restart-a"]}
STEPS = [{"name": name, "dependencies": needs} for name, needs in MAPPING.items()]
PLAN = wfplan.plan(wfplan.read({"steps": STEPS}))


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = tmp_path / "plan.json"
    path.write_text(json.dumps({"steps": STEPS}), encoding="utf-8")
    return str(path)


@pytest.mark.parametrize("form", ["mermaid", "dot", "svg", "html"])
def test_a_plan_is_drawn(form: str, file: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", file, "--format", form]) == 0
    output = capsys.readouterr()
    assert output.out.strip() == getattr(render, form)(PLAN).strip()
    assert output.err == ""


def test_what_is_too_large_for_mermaid_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "large.json"
    steps = [{"name": f"s{n}", "dependencies": [f"s{m}" for m in range(n)]} for n in range(40)]
    path.write_text(json.dumps({"steps": steps}), encoding="utf-8")
    assert main(["plan", str(path), "--format", "mermaid"]) == 1
    output = capsys.readouterr()
    assert output.out == ""
    assert "error limit-exceeded" in output.err


def test_a_step_is_explained(file: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", file, "verify"]) == 0
    assert capsys.readouterr().out.strip() == str(explain(PLAN, "verify")).strip()
    assert main(["explain", file, "verify", "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out) == explain(PLAN, "verify").model_dump(mode="json")


def test_a_step_is_known_by_its_recommendation_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "answer.json"
    path.write_text('[{"id": "rec-1", "action": "scale"}]', encoding="utf-8")
    assert main(["explain", str(path), "rec-1"]) == 0
    assert '"scale" is in batch 1' in capsys.readouterr().out


def test_settings_are_those_of_the_plan(file: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", file, "restart-b", "--max-batch-size", "1"]) == 0
    expected = explain(wfplan.plan(PLAN.workflow, max_batch_size=1), "restart-b")
    assert capsys.readouterr().out.strip() == str(expected).strip()


def test_an_unknown_step_is_told_with_the_nearest(file: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", file, "verfy"]) == 1
    output = capsys.readouterr()
    assert output.out == ""
    assert 'no step is named "verfy" (did you mean "verify"?)' in output.err


def test_a_plan_is_simulated(file: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["simulate", file, "--max-parallel", "1,2"]) == 0
    assert capsys.readouterr().out.strip() == str(compare(PLAN, (1, 2))).strip()
    assert main(["simulate", file, "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out) == compare(PLAN, (1, 2, 4, 8)).model_dump(mode="json")


@pytest.mark.parametrize("command", [["explain", "verify"], ["simulate"]])
def test_what_cannot_be_planned_is_told(command: List[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "bad.json"
    path.write_text('{"steps": [{"name": "a", "dependencies": ["b"]}]}', encoding="utf-8")
    assert main([command[0], str(path), *command[1:]]) == 1
    output = capsys.readouterr()
    assert output.out == ""
    assert "unknown-dependency" in output.err


@pytest.mark.parametrize("counts", ["0", "1,", "x", "1,-2", "", "1;2"])
def test_what_are_no_counts_is_wrong_usage(counts: str, file: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_:
        main(["simulate", file, "--max-parallel", counts])
    assert exit_.value.code == 2
    assert "usage: wfplan simulate" in capsys.readouterr().err


def test_hostile_names_stay_on_their_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "hostile.json"
    document: Dict[str, Any] = {"steps": [{"name": "</svg><script>alert(1)</script>"}]}
    path.write_text(json.dumps(document), encoding="utf-8")
    for form in ("svg", "html", "mermaid"):
        assert main(["plan", str(path), "--format", form]) == 0
        assert "<script" not in capsys.readouterr().out
