"""The report of a run: what it tells, and that JSON gives it back."""

from __future__ import annotations

import json
from typing import Any, List

import pytest
from execution_helpers import SHORT, Driver, Gate, fails, one, plan_of

import wfplan
from wfplan import ExecutionError, ExecutionReport, Step

HUGE = pytest.param(10**5000, "builtins.int", id="huge")


def test_it_tells_everything_and_survives_json(drive: Driver, gate: Gate) -> None:
    plan = plan_of(
        Step(name="a", recommendation_id="r-1", action="act"),
        Step(name="bad"),
        Step(name="x", dependencies=["bad"]),
        Step(name="hang", timeout_seconds=SHORT),
        on_failure="skip-dependents",
    )
    functions = {"act": lambda: {"n": 1}, "bad": fails, "x": int, "hang": gate.hang}
    report = drive(plan, functions, max_parallel=4, run_id="r")
    assert report.statuses == {"a": "succeeded", "bad": "failed", "x": "skipped", "hang": "timed_out"}
    assert report.counts == {
        "pending": 0, "running": 0, "succeeded": 1, "failed": 1, "timed_out": 1, "cancelled": 0, "skipped": 1,
    }  # fmt: skip
    assert report.outputs == {"a": {"n": 1}}
    assert report.makespan >= SHORT
    assert ExecutionReport.model_validate_json(report.model_dump_json()) == report
    assert ExecutionReport.model_validate(json.loads(report.model_dump_json())) == report
    records = report.records()
    assert [record["step"] for record in records] == ["a", "bad", "x", "hang"]
    assert len({tuple(record) for record in records}) == 1
    flat = (str, int, float, type(None))
    assert all(isinstance(value, flat) for record in records for value in record.values())
    assert (records[0]["action"], records[0]["recommendation_id"], records[0]["batch"]) == ("act", "r-1", 1)
    assert (records[1]["error_type"], records[1]["error_message"]) == ("ValueError", "broken")
    assert (records[2]["reason"], records[2]["root_cause"], records[2]["batch"]) == ("dependency-failed", "bad", 2)
    text = str(report)
    for word in ("failed: 1 succeeded, 1 failed, 1 timed out, 1 skipped", "ValueError: broken", "still running"):
        assert word in text
    assert (
        repr(report) == f"<ExecutionReport failed: 1 succeeded, 1 failed, 1 timed_out, 1 skipped, run {report.run_id}>"
    )


@pytest.mark.parametrize(
    ("output", "named"),
    [
        ({1}, "builtins.set"),
        (float("nan"), "builtins.float"),
        (float("-inf"), "builtins.float"),
        (object(), "builtins.object"),
        ("\ud800", "builtins.str"),
        (b"x", "builtins.bytes"),
        ({"deep": [{"x": {1: 2}}]}, "builtins.dict"),
        (lambda: 1, "builtins.function"),
        HUGE,
    ],
)
def test_an_output_that_json_cannot_hold_is_named(drive: Driver, output: Any, named: str) -> None:
    report = drive(wfplan.plan({"a": [], "b": ["a"]}), {"a": lambda: output, "b": fails})
    assert report.outputs["a"] is output
    assert str(report)
    told = json.loads(report.model_dump_json())["steps"]["a"]
    assert told["output"] is None
    assert told["output_not_kept"] == named
    loaded = ExecutionReport.model_validate_json(report.model_dump_json())
    assert loaded.steps["a"].output_not_kept == named
    assert "not kept" in str(loaded)
    assert loaded.model_dump(mode="json") == json.loads(loaded.model_dump_json())


def test_an_output_that_holds_itself(drive: Driver) -> None:
    loop: List[Any] = []
    loop.append(loop)
    report = drive(one(), {"a": lambda: loop})
    assert json.loads(report.model_dump_json())["steps"]["a"]["output_not_kept"] == "builtins.list"


@pytest.mark.parametrize("output", [None, True, 0, -1.5, "é", [], {}, [1, {"x": None}], "x" * 100_000])
def test_an_output_that_json_holds_comes_back(drive: Driver, output: Any) -> None:
    report = drive(one(), {"a": lambda: output})
    loaded = ExecutionReport.model_validate_json(report.model_dump_json())
    assert loaded == report
    assert loaded.outputs == {"a": output}


def test_raise_for_status(drive: Driver) -> None:
    report = drive(wfplan.plan({"a": [], "b": ["a"]}), {"a": fails, "b": int})
    with pytest.raises(ExecutionError) as caught:
        report.raise_for_status()
    assert caught.value.report is report
    assert isinstance(caught.value.__cause__, ValueError)
    assert caught.value.__cause__.__traceback__ is not None
    assert "1 of 2 steps failed" in str(caught.value)
    loaded = ExecutionReport.model_validate_json(report.model_dump_json())
    with pytest.raises(ExecutionError) as caught:
        loaded.raise_for_status()
    assert caught.value.__cause__ is None
    drive(one(), {"a": int}).raise_for_status()


def test_two_runs_have_two_ids(drive: Driver) -> None:
    assert drive(one(), {"a": int}).run_id != drive(one(), {"a": int}).run_id


def test_times_make_sense(drive: Driver) -> None:
    report = drive(wfplan.plan({"a": [], "b": ["a"]}), {"a": int, "b": int})
    a, b = report.steps["a"], report.steps["b"]
    assert a.started_at is not None
    assert a.ended_at is not None
    assert b.started_at is not None
    assert b.ended_at is not None
    assert a.started_at <= a.ended_at <= b.started_at <= b.ended_at
    assert report.makespan == pytest.approx(b.ended_at - a.started_at)
