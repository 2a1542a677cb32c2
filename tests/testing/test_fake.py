"""FakeExecutor does what it is told, and remembers."""

from __future__ import annotations

from typing import Any, List

import pytest

import wfplan
from wfplan import Compensation, ExecutionStrategy, RefusedError, RetryPolicy, Step, StepCall, Workflow
from wfplan.outcomes import cancelled, fails, hangs, in_turn, succeeds
from wfplan.testing import FakeExecutor


def plan_of(*names: str, **fields: Any) -> wfplan.ExecutionPlan:
    return wfplan.plan([Step(name=name, **fields) for name in names])


def test_an_output_is_given_and_what_is_not_told_gives_none() -> None:
    assert wfplan.run(plan_of("a", "b"), FakeExecutor({"a": succeeds([1, 2])})).outputs == {"a": [1, 2], "b": None}


@pytest.mark.parametrize(
    ("outcome", "kind", "message"),
    [
        (ValueError("no"), "ValueError", "no"),
        (ValueError, "ValueError", ""),
        (fails(ValueError("no")), "ValueError", "no"),
        (fails("no"), "Exception", "no"),
        (fails(), "Exception", "it failed"),
    ],
)
def test_a_failure_is_raised(outcome: Any, kind: str, message: str) -> None:
    error = wfplan.run(plan_of("a"), FakeExecutor({"a": outcome})).steps["a"].error
    assert error is not None
    assert (error.type, error.message) == (kind, message)


def test_attempts_have_outcomes_in_turn_and_the_last_one_holds() -> None:
    fake = FakeExecutor({"a": in_turn(OSError("1"), OSError("2"))})
    report = wfplan.run(plan_of("a", retry=RetryPolicy(max_attempts=4)), fake)
    assert str(report.steps["a"].error) == "OSError: 2"
    assert [call.attempt for call in fake.calls] == [1, 2, 3, 4]


def test_a_delay_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    slept: List[float] = []
    monkeypatch.setattr("wfplan.testing.fake.time.sleep", slept.append)
    outcomes = {"a": succeeds(delay=0.5), "b": fails(delay=7), "c": cancelled(delay=0), "d": succeeds()}
    wfplan.run(plan_of(*"abcd"), FakeExecutor(outcomes), on_failure="skip-dependents")
    assert sorted(slept) == [0, 0.5, 7]


def test_a_cancelled_step_is_not_tried_again() -> None:
    report = wfplan.run(plan_of("a", retry=RetryPolicy(max_attempts=3)), FakeExecutor({"a": cancelled()}))
    assert (report.statuses, report.steps["a"].attempts) == ({"a": "cancelled"}, 1)


def test_what_hangs_comes_back_when_it_is_released() -> None:
    fake = FakeExecutor({"a": hangs(), "b": hangs()})
    report = wfplan.run(plan_of("a", "b", timeout_seconds=0.05), fake, on_failure="skip-dependents")
    assert set(report.statuses.values()) == {"timed_out"}
    fake.release()


def test_outcomes_are_by_step_or_by_action_and_the_step_goes_first() -> None:
    steps = [Step(name="one", action="restart"), Step(name="two", action="restart"), Step(name="probe")]
    fake = FakeExecutor({"restart": fails("all"), "two": succeeds(2), "probe": succeeds(3)})
    report = wfplan.run(wfplan.plan(steps), fake, on_failure="skip-dependents")
    assert report.statuses == {"one": "failed", "two": "succeeded", "probe": "succeeded"}


def test_a_name_that_is_neither_step_nor_action_refuses_the_run() -> None:
    fake = FakeExecutor({"verfy": OSError(), "restart": OSError(), "restrat": OSError()})
    plan = wfplan.plan([Step(name="verify"), Step(name="one", action="restart")])
    with pytest.raises(RefusedError) as caught:
        wfplan.run(plan, fake)
    assert [(problem.code, problem.suggestion) for problem in caught.value.problems] == [
        ("invalid-setting", 'did you mean "verify"?'),
        ("invalid-setting", 'did you mean "restart"?'),
    ]
    assert fake.calls == []


def test_a_mapping_is_about_execution_and_a_function_about_every_call() -> None:
    step = Step(name="a", rollback=Compensation(action="undo"))
    settings = ExecutionStrategy(dry_run_first=True, rollback_on_failure=True)
    steps = [step, Step(name="b", dependencies=["a"])]
    plan = wfplan.plan(Workflow(steps=steps, execution_strategy=settings))
    fake = FakeExecutor({"a": succeeds(1), "b": fails()})
    assert wfplan.run(plan, fake).phase == "rolled_back"
    asked: List[str] = []

    def tell(call: StepCall) -> Any:
        asked.append(f"{call.purpose} {call.step.name}")
        return fails() if call.purpose == "execute" and call.step.name == "b" else None

    assert wfplan.run(plan, FakeExecutor(tell)).phase == "rolled_back"
    assert asked == ["dry_run a", "dry_run b", "execute a", "execute b", "compensate a"]


def test_it_counts_how_many_calls_there_were_at_once() -> None:
    names = [f"step-{n}" for n in range(6)]
    fake = FakeExecutor({name: succeeds(delay=0.01) for name in names})
    wfplan.run(plan_of(*names), fake, max_parallel=3)
    assert 1 <= fake.most_at_once <= 3
    assert FakeExecutor().most_at_once == 0
    alone = FakeExecutor()
    wfplan.run(plan_of(*names), alone, max_parallel=1)
    assert alone.most_at_once == 1


def test_it_is_closed_once_a_run() -> None:
    fake = FakeExecutor()
    wfplan.run(plan_of("a"), fake)
    wfplan.run(plan_of("a"), fake)
    assert fake.closed == 2
