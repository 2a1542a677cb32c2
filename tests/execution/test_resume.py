"""A new run that keeps what an old one has done: what is kept, what starts anew, what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Callable, Dict, List, Optional, Set

import pytest
from execution_helpers import Driver, Recorder, fails, plan_of

import wfplan
from wfplan import (
    Compensation,
    ExecutionPlan,
    ExecutionReport,
    Recommendation,
    RefusedError,
    Step,
    StepReport,
)
from wfplan._internal.step_identity import StepKeys
from wfplan.diff import diff
from wfplan.execution.resume import resume_preview

PLAN = plan_of(
    Step(name="a", parameters={"x": 1}),
    Step(name="b", dependencies=["a"], parameters={"y": 2}),
    Step(name="c", dependencies=["b"]),
    Step(name="d", dependencies=["a"]),
    on_failure="skip-dependents",
)


def failing(*names: str) -> Recorder:
    return Recorder(lambda call: fails() if call.step.name in names else call.step.name)


def ran(recorder: Recorder) -> List[str]:
    return [call.step.name for call in recorder.calls]


def loaded(report: ExecutionReport, how: str, path: Path) -> ExecutionReport:
    """The report as somebody else would have it."""
    if how == "by JSON":
        return ExecutionReport.model_validate_json(report.model_dump_json())
    return ExecutionReport.from_journal(path) if how == "by a journal" else report


HOW = pytest.mark.parametrize("how", ["as it is", "by JSON", "by a journal"])


def codes(plan: ExecutionPlan, report: ExecutionReport, drive: Optional[Driver] = None) -> List[str]:
    """Of the refusal; the preview says the same."""
    recorder = Recorder()
    with pytest.raises(RefusedError) as caught:
        (drive or Driver("run"))(plan, recorder, resume=report)
    assert recorder.calls == []
    assert resume_preview(plan, report).problems == caught.value.problems
    return [problem.code for problem in caught.value.problems]


@HOW
def test_what_failed_is_mended_and_the_rest_kept(drive: Driver, tmp_path: Path, how: str) -> None:
    path = tmp_path / "first"
    first = drive(PLAN, failing("b"), journal=path)
    report = loaded(first, how, path)
    mended = wfplan.plan(PLAN.workflow.replace("b", parameters={"y": 3}))
    preview = resume_preview(mended, report)
    assert (preview.ok, preview.keeps, preview.starts_anew) == (True, ("a", "d"), ("b", "c"))
    recorder = Recorder()
    again = drive(mended, recorder, resume=report, journal=tmp_path / "second")
    assert again.ok
    assert ran(recorder) == ["b", "c"]
    assert dict(recorder.calls[0].outputs) == {"a": "a"}
    assert again.run_id != first.run_id
    assert (again.steps["a"].run_id, again.steps["b"].run_id) == (first.run_id, None)
    assert again.steps["a"].started_at == first.steps["a"].started_at
    assert again.makespan < 5
    assert ExecutionReport.from_journal(tmp_path / "second") == again
    assert first.run_id in str(again)
    third = drive(mended, Recorder(), resume=again)
    assert third.steps["a"].run_id == first.run_id
    assert third.ok


def test_a_resumed_run_that_was_cut_off_goes_on_by_its_own_journal(drive: Driver, tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    first = drive(PLAN, failing("b"))
    drive(PLAN, Recorder(), resume=first, journal=path)
    text = path.read_text(encoding="utf-8").splitlines(keepends=True)
    assert json.loads(text[0])["resumes"] == first.run_id
    cut = next(number for number, line in enumerate(text) if '"step-ended"' in line)
    path.write_text("".join(text[:cut]), encoding="utf-8")
    recorder = Recorder()
    again = drive(PLAN, recorder, resume=first, journal=path)
    assert again.ok
    assert ran(recorder) == ["b", "c"]
    assert again.outputs["a"] == "a"


@HOW
def test_the_revised_plan_of_a_model(drive: Driver, tmp_path: Path, how: str) -> None:
    """Ids are what counts: names change where an action is used twice, the order is another one, a step is new."""

    def recommend(number: int, action: str, *needs: int, **fields: Any) -> Recommendation:
        return Recommendation(id=f"rec-{number}", action=action, dependencies=[f"rec-{n}" for n in needs], **fields)

    before = wfplan.plan([recommend(1, "scale"), recommend(2, "restart", 1), recommend(3, "verify", 2)])
    path = tmp_path / "first"
    report = loaded(drive(before, failing("verify"), journal=path), how, path)
    after = wfplan.plan(
        [
            recommend(4, "restart", 1, parameters={"pod": "b"}),
            recommend(3, "verify", 2, 4, parameters={"patience": 60}),
            recommend(2, "restart", 1, description="in other words"),
            recommend(1, "scale", confidence=0.5),
        ]
    )
    assert [step.name for step in after.workflow.steps] == ["restart-rec-4", "verify", "restart-rec-2", "scale"]
    recorder = Recorder()
    again = drive(after, recorder, resume=report)
    assert again.ok
    assert ran(recorder) == ["restart-rec-4", "verify"]
    assert again.outputs["restart-rec-2"] == "restart"
    assert dict(recorder.calls[1].outputs) == {"restart-rec-2": "restart", "restart-rec-4": "restart-rec-4"}


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"parameters": {"x": 2}}, "parameters"),
        ({"action": "other"}, "action"),
        ({"dependencies": ["d"]}, "dependencies"),
    ],
)
@HOW
def test_what_succeeded_and_is_another_step_now(
    drive: Driver, tmp_path: Path, how: str, change: Dict[str, Any], told: str
) -> None:
    path = tmp_path / "first"
    free = wfplan.plan(PLAN.workflow.replace("d", dependencies=[]))
    report = loaded(drive(free, failing("c"), journal=path), how, path)
    changed = wfplan.plan(free.workflow.replace("a", **change))
    assert codes(changed, report, drive) == ["resume-mismatch"]
    (problem,) = resume_preview(changed, report).problems
    assert problem.steps == ("a",)
    assert told in problem.message


def test_what_may_change_of_a_step_that_is_kept(drive: Driver) -> None:
    report = drive(PLAN, failing("c"))
    changes: Dict[str, Any] = {
        "timeout_seconds": 5,
        "retry": wfplan.RetryPolicy(max_attempts=2),
        "description": "new",
        "locks": ["x"],
        "rollback": Compensation(action="undo"),
    }
    assert resume_preview(wfplan.plan(PLAN.workflow.replace("a", **changes)), report).keeps == ("a", "b", "d")


def test_what_succeeded_and_is_gone(drive: Driver) -> None:
    report = drive(PLAN, failing("c"))
    assert codes(wfplan.plan(PLAN.workflow.without("d")), report, drive) == ["resume-mismatch"]
    assert codes(wfplan.plan({"other": []}), report, drive) == ["resume-mismatch"] * 3
    assert resume_preview(wfplan.plan(PLAN.workflow.without("c")), report).keeps == ("a", "b", "d")


def test_what_succeeded_although_what_it_needs_has_not(drive: Driver) -> None:
    steps = {name: StepReport(name=name) for name in PLAN.steps}
    steps["b"] = StepReport(name="b", status="succeeded", attempts=1)
    made_up = ExecutionReport(plan=PLAN, run_id="r", phase="failed", steps=steps)
    assert codes(PLAN, made_up, drive) == ["impossible-state"]


def test_a_failure_that_was_tolerated_is_kept_for_those_that_went_on(drive: Driver) -> None:
    plan = plan_of(
        Step(name="a", continue_on_failure=True),
        Step(name="b", dependencies=["a"]),
        Step(name="c", dependencies=["b"]),
        Step(name="lonely", continue_on_failure=True),
    )
    report = drive(plan, failing("a", "c", "lonely"))
    preview = resume_preview(plan, report)
    assert (preview.keeps, preview.starts_anew) == (("a", "b"), ("c", "lonely"))
    recorder = Recorder()
    assert drive(plan, recorder, resume=report).statuses["a"] == "failed"
    assert sorted(ran(recorder)) == ["c", "lonely"]
    assert codes(wfplan.plan(plan.workflow.replace("a", continue_on_failure=False)), report) == ["impossible-state"]


def test_all_that_is_wrong_is_told_at_once(drive: Driver) -> None:
    report = drive(PLAN, failing("c"))
    other = wfplan.plan(PLAN.workflow.replace("a", action="other").without("d"))
    with pytest.raises(RefusedError) as caught:
        drive(other, {"other": lambda: 1, "b": lambda: 1}, resume=report, max_parallel=0)
    found = sorted(problem.code for problem in caught.value.problems)
    assert found == [
        "invalid-parameters",
        "invalid-parameters",
        "invalid-setting",
        "resume-mismatch",
        "resume-mismatch",
        "unknown-action",
    ]


@pytest.mark.parametrize("wrong", [5, "report", {}])
def test_what_is_no_report(drive: Driver, wrong: Any) -> None:
    with pytest.raises(RefusedError) as caught:
        drive(PLAN, Recorder(), resume=wrong)
    assert [problem.code for problem in caught.value.problems] == ["invalid-setting"]


def test_a_progress_cannot_be_resumed(drive: Driver) -> None:
    report = drive(PLAN, failing("c"))
    with pytest.raises(RefusedError) as caught:
        drive(wfplan.Progress(PLAN), Recorder(), resume=report, dry_run=True)
    assert [problem.code for problem in caught.value.problems] == ["invalid-setting"] * 2


@HOW
def test_an_output_that_was_not_kept(drive: Driver, tmp_path: Path, how: str) -> None:
    path = tmp_path / "first"
    functions: Dict[str, Callable[..., Any]] = {
        "a": lambda x: {x},
        "b": lambda y: fails(),
        "c": lambda: 1,
        "d": lambda: 2,
    }
    report = loaded(drive(PLAN, functions, journal=path), how, path)
    if how == "as it is":
        assert drive(PLAN, {**functions, "b": lambda y: y}, resume=report).ok
    else:
        assert codes(PLAN, report, drive) == ["output-not-kept"]


# A run that never ended.


@HOW
def test_what_was_in_flight_is_made_again_under_the_same_key(drive: Driver, tmp_path: Path, how: str) -> None:
    path = tmp_path / "first"
    first = Recorder()
    drive(PLAN, first, journal=path, max_parallel=1)
    text = path.read_text(encoding="utf-8").splitlines(keepends=True)
    cut = next(n for n, line in enumerate(text) if '"step-ended", "step": {"name": "b"' in line)
    path.write_text("".join(text[:cut]), encoding="utf-8")
    report = loaded(ExecutionReport.from_journal(path, PLAN), how, path)
    preview = resume_preview(PLAN, report)
    assert preview.continues == ("b",)
    assert preview.uncertain == ()
    recorder = Recorder()
    again = drive(PLAN, recorder, resume=report)
    assert again.ok
    assert again.run_id != report.run_id
    made, before = (next(c for c in r.calls if c.step.name == "b") for r in (recorder, first))
    assert (made.idempotency_key, made.attempt, made.run_id) == (before.idempotency_key, 1, report.run_id)
    changed = wfplan.plan(PLAN.workflow.replace("b", parameters={"y": 3}))
    preview = resume_preview(changed, report)
    assert (preview.continues, preview.uncertain) == ((), ("b",))
    assert "b" in preview.starts_anew


def test_what_was_in_flight_and_must_not_be_done_twice(drive: Driver) -> None:
    plan = plan_of(Step(name="a", idempotent=False))
    running = StepReport(name="a", status="running", attempts=1, started_at=1.0, attempt_started_at=1.0)
    report = ExecutionReport(plan=plan, run_id="r", phase="executing", steps={"a": running})
    recorder = Recorder()
    again = drive(plan, recorder, resume=report)
    assert again.steps["a"].reason == "outcome-unknown"
    assert recorder.calls == []


# A run that has rolled back.


def undo(name: str, *needs: str, **fields: Any) -> Step:
    return Step(name=name, dependencies=needs, rollback=Compensation(action="undo"), **fields)


class Undoable(Recorder):
    """Fails where it is told to, and notes what was undone."""

    def __init__(self, *bad: str, undoing: Set[str] = frozenset()) -> None:  # type: ignore[assignment]
        super().__init__()
        self.bad = bad
        self.undoing = undoing
        self.undone: List[str] = []

    def execute(self, call: wfplan.StepCall) -> Any:
        super().execute(call)
        if call.purpose == "compensate":
            self.undone.append(call.step.name)
        if call.step.name in (self.undoing if call.purpose == "compensate" else self.bad):
            raise ValueError("broken")
        return call.step.name


ROLLED = plan_of(
    Step(name="dump"),
    undo("scale", "dump"),
    undo("route", "scale"),
    Step(name="verify", dependencies=["route"]),
    rollback_on_failure=True,
)


@HOW
def test_what_was_undone_is_done_again_and_the_rest_kept(drive: Driver, tmp_path: Path, how: str) -> None:
    path = tmp_path / "first"
    report = loaded(drive(ROLLED, Undoable("verify"), journal=path), how, path)
    assert report.phase == "rolled_back"
    assert resume_preview(ROLLED, report).keeps == ("dump",)
    executor = Undoable()
    again = drive(ROLLED, executor, resume=report)
    assert again.ok
    assert ran(executor) == ["scale", "route", "verify"]


def test_what_was_undone_may_change(drive: Driver) -> None:
    report = drive(ROLLED, Undoable("verify"))
    changed = wfplan.plan(ROLLED.workflow.replace("scale", parameters={"replicas": 9}))
    assert drive(changed, Undoable(), resume=report).ok


def test_what_has_lost_its_base_is_done_again_only_if_that_does_no_harm(drive: Driver) -> None:
    def plan(**fields: Any) -> ExecutionPlan:
        return plan_of(
            undo("scale"),
            Step(name="mail", dependencies=["scale"], **fields),
            Step(name="log", dependencies=["mail"], effect="read"),
            Step(name="verify", dependencies=["mail"]),
            rollback_on_failure=True,
        )

    report = drive(plan(), Undoable("verify"))
    assert report.statuses["mail"] == "succeeded"
    assert report.undone == ("scale",)
    assert codes(plan(), report, drive) == ["resume-mismatch"]
    executor = Undoable()
    assert drive(plan(idempotent=True), executor, resume=report).ok
    assert ran(executor)[:2] == ["scale", "mail"]
    assert sorted(ran(executor)[2:]) == ["log", "verify"]  # in parallel
    assert resume_preview(plan(effect="read"), report).ok


@HOW
def test_a_rollback_that_was_not_finished_is_all_that_goes_on(drive: Driver, tmp_path: Path, how: str) -> None:
    path = tmp_path / "first"
    report = loaded(drive(ROLLED, Undoable("verify", undoing={"scale"}), journal=path), how, path)
    assert (report.phase, report.undone, report.uncertain) == ("failed", ("route",), ("scale",))
    preview = resume_preview(ROLLED, report)
    assert (preview.undoes, preview.starts_anew, preview.keeps) == (("scale",), (), ("dump", "scale", "route"))
    executor = Undoable()
    second = tmp_path / "second"
    again = drive(ROLLED, executor, resume=report, journal=second)
    assert again.phase == "rolled_back"
    assert (ran(executor), executor.undone) == (["scale"], ["scale"])
    assert set(again.undone) == {"scale", "route"}
    assert ExecutionReport.from_journal(second) == again
    forward = Undoable()
    assert drive(ROLLED, forward, resume=again).ok
    assert ran(forward) == ["scale", "route", "verify"]


def test_a_plan_without_rollback_still_finishes_one_that_has_begun(drive: Driver) -> None:
    report = drive(ROLLED, Undoable("verify", undoing={"scale"}))
    strategy = wfplan.ExecutionStrategy(dry_run_first=True)
    plain = wfplan.plan(ROLLED.workflow, execution_strategy=strategy)
    executor = Undoable()
    assert drive(plain, executor, resume=report).phase == "rolled_back"
    assert executor.undone == ["scale"]
    with pytest.raises(RefusedError) as caught:
        drive(plain, {"dump": int, "scale": int, "route": int, "verify": int}, resume=report)
    assert {problem.code for problem in caught.value.problems} == {"unknown-action"}


def test_what_cannot_be_undone_any_more_is_given_up_by_taking_its_compensation_away(drive: Driver) -> None:
    report = drive(ROLLED, Undoable("verify", undoing={"scale", "route"}))
    without = wfplan.plan(ROLLED.workflow.replace("scale", rollback=None).replace("route", rollback=None))
    executor = Undoable()
    again = drive(without, executor, resume=report)
    assert (again.phase, again.rollback, executor.calls) == ("failed", {}, [])
    assert drive(without, executor, resume=again).ok
    assert ran(executor) == ["verify"]


def test_a_dry_run_of_what_is_left(drive: Driver) -> None:
    class Trying(Recorder):
        supports_dry_run = True

    first = wfplan.plan(PLAN.workflow, execution_strategy=wfplan.ExecutionStrategy(dry_run_first=True))
    bad = Trying(lambda call: fails() if (call.step.name, call.purpose) == ("c", "execute") else call.purpose)
    report = drive(first, bad)
    executor = Trying()
    again = drive(first, executor, resume=report)
    assert again.ok
    assert [(call.purpose, call.step.name) for call in executor.calls] == [("dry_run", "c"), ("execute", "c")]
    only = drive(first, Trying(), resume=report, dry_run=True)
    assert only.ok
    assert only.statuses == {"a": "succeeded", "b": "succeeded", "c": "skipped", "d": "succeeded"}


# Which step is which.


def test_keys_are_the_same_for_the_same_step_and_no_other() -> None:
    steps = [
        Step(name="x", action="act", parameters={"p": [1, {"q": None}]}, recommendation_id="rec-1"),
        Step(name="y", action="act", parameters={"p": [1, {"q": None}]}, recommendation_id="rec-2"),
        Step(name="z", action="act", dependencies=["x", "y"]),
    ]
    keys = StepKeys(plan_of(*steps))
    renamed = StepKeys(
        plan_of(
            steps[0].model_copy(update={"name": "other"}),
            steps[1],
            Step(name="z", action="act", dependencies=["y", "other"]),
        )
    )
    assert keys["x"] == renamed["other"]
    assert keys["z"] == renamed["z"]
    assert len({keys["x"], keys["y"], keys["z"]}) == 3


def test_steps_that_share_a_recommendation_are_told_apart_by_name(drive: Driver) -> None:
    plan = plan_of(
        Step(name="a", recommendation_id="rec"),
        Step(name="b", recommendation_id="rec"),
        Step(name="c", dependencies=["a"]),
    )
    report = drive(plan, failing("b"), on_failure="skip-dependents")
    assert resume_preview(plan, report).keeps == ("a", "c")


class TestWhatMustNotBeDoneTwice:
    """It was in flight when the run was lost, and the new plan does not know it by this name, or says nothing of it."""

    @staticmethod
    def lost(**fields: Any) -> ExecutionReport:
        plan = plan_of(Step(name="a", idempotent=False, **fields), Step(name="b"))
        progress = wfplan.Progress(plan)
        progress.get_ready(0)
        return progress.report()

    @pytest.mark.parametrize("after", [[Step(name="b")], [Step(name="renamed", action="a", idempotent=False)]])
    def test_removed_or_renamed_it_is_refused(self, after: List[Step]) -> None:
        report = self.lost()
        preview = resume_preview(wfplan.plan(after), report)
        assert [problem.code for problem in preview.problems] == ["resume-mismatch"]
        assert 'step "a" must not be done twice and was in flight' in preview.problems[0].message
        assert preview.uncertain == ("a",)

    def test_renamed_with_its_recommendation_it_fails_as_of_unknown_outcome(self) -> None:
        report = self.lost(recommendation_id="7")
        plan = wfplan.plan([Step(name="renamed", action="a", recommendation_id="7", idempotent=False)])
        again = wfplan.run(plan, {"a": int}, resume=report)
        assert again.steps["renamed"].reason == "outcome-unknown"

    @pytest.mark.parametrize(("idempotent", "ok"), [(None, False), (True, True)])
    def test_a_plan_that_says_nothing_of_it_any_more(self, idempotent: Any, ok: bool) -> None:
        plan = wfplan.plan([Step(name="a", idempotent=idempotent), Step(name="b")])
        assert resume_preview(plan, self.lost()).ok is ok

    def test_suspended_it_is_uncertain(self) -> None:
        progress = wfplan.Progress(plan_of(Step(name="a", idempotent=False)))
        progress.get_ready(0)
        progress.suspend(cancel=True, grace_seconds=0, now=0)
        progress.get_ready(0)
        assert progress.report().uncertain == ("a",)


def test_resuming_and_comparing_call_the_same_steps_the_same() -> None:
    before = wfplan.plan([Step(name="a", recommendation_id="1"), Step(name="b", recommendation_id="2"), Step(name="c")])
    steps = [Step(name="x", action="a", recommendation_id="1"), Step(name="b", recommendation_id="3"), Step(name="c")]
    after = wfplan.plan(steps)
    report = wfplan.run(before, {"a": int, "b": int, "c": int})
    compared = diff(before, after)
    preview = resume_preview(after, report)
    assert (compared.added, compared.removed) == ((), ())
    assert [problem.steps for problem in preview.problems] == [("b",)]
    assert "not in the plan" not in preview.problems[0].message
