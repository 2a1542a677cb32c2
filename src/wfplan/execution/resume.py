"""What a new run keeps from an earlier one."""

from __future__ import annotations

from typing import Iterator

from wfplan._internal.messages import quote
from wfplan._internal.model import EMPTY, Model, TupleOf
from wfplan._internal.step_identity import StepKeys, identities, match_steps
from wfplan.execution.report import ExecutionReport, StepReport
from wfplan.execution.rollback import rollback_plan
from wfplan.execution.state_validation import UNSUCCESSFUL, check_state, counts_as_done
from wfplan.models import Step
from wfplan.plans import ExecutionPlan
from wfplan.problems import Problem, ProblemCollector

__all__ = ["ResumePreview", "resume_preview", "resume_state"]


class ResumePreview(Model):
    """What `run(plan, executor, resume=report)` would do; all names are those of the plan, in declared order."""

    keeps: TupleOf[str] = EMPTY
    """Steps that are done: they do not run again."""
    continues: TupleOf[str] = EMPTY
    """Steps that were in flight when the run was lost: the same attempt is made again, under the same key."""
    starts_anew: TupleOf[str] = EMPTY
    """Steps that run as if they never had."""
    undoes: TupleOf[str] = EMPTY
    """Steps whose compensations are to be made: the run had begun to roll back, so that is all that is done."""
    uncertain: TupleOf[str] = EMPTY
    """Of those that start anew, the ones whose earlier outcome is unknown; and under its old name, what
    must not be done twice, was in flight and is not in the plan."""
    problems: TupleOf[Problem] = EMPTY
    """Why it would be refused."""

    @property
    def ok(self) -> bool:
        """Whether it would not be refused."""
        return not self.problems


def resume_preview(plan: ExecutionPlan, report: ExecutionReport) -> ResumePreview:
    """Return what would be kept, run again, and refused if `report` were resumed with `plan`.

    Args:
        plan: The plan that would run.
        report: The report that would be resumed.

    >>> import wfplan
    >>> from wfplan import Step
    >>> plan = wfplan.plan([Step(name="a"), Step(name="b", dependencies=["a"])])
    >>> report = wfplan.run(plan, {"a": lambda: 1, "b": lambda: 1 / 0})
    >>> fixed = wfplan.plan(plan.workflow.replace("b", action="better"))
    >>> preview = resume_preview(fixed, report)
    >>> preview.keeps, preview.starts_anew
    (('a',), ('b',))
    """
    problems = ProblemCollector()
    state = resume_state(plan, report, problems)
    check_state(plan, state.steps.values(), problems)
    status = {name: step.status for name, step in state.steps.items()}
    undoes = tuple(name for name, step in state.rollback.items() if step.status == "pending")
    anew = () if state.rollback else tuple(name for name in status if status[name] == "pending")
    old, own = _identity(report), _identity(state)
    before = {old[name] for name in (*report.uncertain, *_in_flight(report))}
    return ResumePreview(
        keeps=tuple(name for name in status if counts_as_done(plan.steps[name], status[name])),
        continues=tuple(name for name in status if status[name] == "running"),
        starts_anew=anew,
        undoes=tuple(name for name in plan.steps if name in undoes),
        uncertain=(*(name for name in anew if own[name] in before), *_lost(plan, report)),
        problems=problems.as_tuple("error"),
    )


def resume_state(plan: ExecutionPlan, report: ExecutionReport, problems: ProblemCollector) -> ExecutionReport:
    """Return the state of a new run in which the steps of `plan` are as `report` has them.

    Args:
        plan: The plan that will run.
        report: The report to resume.
        problems: Receives a `resume-mismatch` for each succeeded step that cannot be kept.
    """
    takeover = _Takeover(plan, report, problems)
    undone = set(report.undone)
    if report.phase == "rolling_back" or any(step.status != "succeeded" for step in report.rollback.values()):
        return takeover.undo_the_rest(undone)
    return takeover.go_on(undone)


class _Takeover:
    """The steps of a plan beside their reports."""

    def __init__(self, plan: ExecutionPlan, report: ExecutionReport, problems: ProblemCollector) -> None:
        self._plan = plan
        self._report = report
        self._problems = problems
        after = {step.name: step.recommendation_id for step in plan.workflow.steps}
        pairs = match_steps({name: step.recommendation_id for name, step in report.steps.items()}, after)
        self._pairs = {name: pairs.get(name) for name in report.steps}
        self._keys = StepKeys(plan)
        self._old_keys = report.keys if report.plan is None else StepKeys(report.plan)

    def go_on(self, undone: set[str]) -> ExecutionReport:
        """Return what succeeded and was not undone is kept, what was in flight is continued, the rest is pending."""
        taken = dict(self._matching(name for name in self._succeeded() if name not in undone))
        for old in () if self._report.ended else _in_flight(self._report):
            new = self._pairs[old]
            if new is not None and self._is_to_be_continued(old, new):
                taken[new] = self._report.steps[old]
            elif self._report.steps[old].idempotent is False and not self._may_be_done_twice(new):
                message = f"step {quote(old)} must not be done twice and was in flight: its outcome is unknown"
                self._refuse(message, old, "keep it in the plan, under its name, to have it fail as of unknown outcome")
        self._keep_what_was_tolerated(taken)
        self._drop_what_has_lost_its_base(taken, {self._pairs[name] for name in undone})
        return self._state(taken)

    def undo_the_rest(self, undone: set[str]) -> ExecutionReport:
        """Continue with the compensations that have not succeeded; nothing is executed any more."""
        taken = dict(self._matching(self._succeeded()))
        for old, new in self._pairs.items():
            if new is not None and self._report.steps[old].status in UNSUCCESSFUL:
                taken[new] = self._report.steps[old]
        done = {
            self._pairs[name]: step
            for name, step in self._report.rollback.items()
            if name in undone or (step.status == "running" and not step.abandoned)
        }
        undoing = rollback_plan(self._plan, [new for new, step in taken.items() if step.status == "succeeded"])
        rollback = {
            name: self._own(done[name], name) if name in done else StepReport(name=name) for name in undoing.steps
        }
        return self._state(taken, rest="skipped").model_copy(update={"phase": "rolling_back", "rollback": rollback})

    def _succeeded(self) -> Iterator[str]:
        return (name for name, step in self._report.steps.items() if step.status == "succeeded")

    def _matching(self, names: Iterator[str]) -> Iterator[tuple[str, StepReport]]:
        for old in names:
            new = self._pairs[old]
            if new is None:
                message = f"step {quote(old)} has succeeded, and is not in the plan any more"
                self._refuse(message, old, "leave it in the plan: what has succeeded is kept, and does not run again")
            elif not self._is_same(old, new):
                message = f"step {quote(new)} has succeeded, and is another one now: {self._what_changed(old, new)}"
                self._refuse(message, new, "leave it as it was, or add another step for what is still to be done")
            if new is not None:  # also where it is refused: what needs it is not a problem of its own
                yield new, self._report.steps[old]

    def _keep_what_was_tolerated(self, taken: dict[str, StepReport]) -> None:
        """Keep a tolerated failure that a kept step depends on."""
        needed = {name for kept in taken for name in self._plan.steps[kept].dependencies}
        for old, new in self._pairs.items():
            step = self._report.steps[old]
            if new in needed and step.status in UNSUCCESSFUL and counts_as_done(self._plan.steps[new], step.status):
                taken[new] = step

    def _drop_what_has_lost_its_base(self, taken: dict[str, StepReport], undone: set[str | None]) -> None:
        """Drop what depends on a step that was undone: it has to run again, if it may."""
        lost = set(undone)
        for batch in self._plan.batches if undone else ():
            for name in batch.steps:
                step = self._plan.steps[name]
                base = next((needed for needed in step.dependencies if needed in lost), None)
                if base is None or name in undone or name not in taken:
                    continue
                del taken[name]
                lost.add(name)
                if not _can_be_done_again(step):
                    message = f"step {quote(name)} was done and not undone, but {quote(base)}, which it needs, was"
                    self._refuse(message, name, "say idempotent=True of it if it can safely be done again")

    def _may_be_done_twice(self, new: str | None) -> bool:
        return new is not None and self._plan.steps[new].idempotent is True

    def _is_to_be_continued(self, old: str, new: str) -> bool:
        """Return whether a call in flight is made again; one that must not be made twice then fails."""
        if self._plan.steps[new].idempotent is None and self._report.steps[old].idempotent is False:
            return False
        return self._plan.steps[new].idempotent is False or (old == new and self._is_same(old, new))

    def _is_same(self, old: str, new: str) -> bool:
        try:
            return self._old_keys[old] == self._keys[new]
        except KeyError:  # a journal has lost it
            return False

    def _what_changed(self, old: str, new: str) -> str:
        if self._report.plan is None:
            return "its action, its parameters or its dependencies differ"
        before, after = self._report.plan.steps[old], self._plan.steps[new]
        names = [field for field in ("action", "parameters") if getattr(before, field) != getattr(after, field)]
        return f"its {' and its '.join(names or ['dependencies'])} differ"

    def _refuse(self, message: str, name: str, suggestion: str) -> None:
        self._problems.add("resume-mismatch", message, steps=(name,), suggestion=suggestion)

    def _own(self, step: StepReport, name: str) -> StepReport:
        """Return the report of a step, under its name in the plan."""
        return step.model_copy(update={"name": name, "run_id": step.run_id or self._report.run_id, "abandoned": False})

    def _state(self, taken: dict[str, StepReport], rest: str = "pending") -> ExecutionReport:
        reason = "run-stopped" if rest == "skipped" else None
        steps = {
            step.name: self._own(taken[step.name], step.name)
            if step.name in taken
            else StepReport(name=step.name, recommendation_id=step.recommendation_id, status=rest, reason=reason)  # type: ignore[arg-type]
            for step in self._plan.workflow.steps
        }
        first = self._plan.workflow.execution_strategy.dry_run_first and rest == "pending"
        first = first and all(step.status != "running" for step in steps.values())  # that is beyond its dry run
        tried = {name: step if step.status == "succeeded" else StepReport(name=name) for name, step in steps.items()}
        return ExecutionReport(
            plan=self._plan, run_id="", phase="executing", steps=steps, dry_run=tried if first else {}
        )


def _identity(report: ExecutionReport) -> dict[str, str]:
    return identities({name: step.recommendation_id for name, step in report.steps.items()})


def _lost(plan: ExecutionPlan, report: ExecutionReport) -> Iterator[str]:
    names = () if report.ended else _in_flight(report)
    return (name for name in names if report.steps[name].idempotent is False and name not in plan.steps)


def _in_flight(report: ExecutionReport) -> Iterator[str]:
    return (name for name, step in report.steps.items() if step.status == "running" and not step.abandoned)


def _can_be_done_again(step: Step) -> bool:
    return step.idempotent is True or step.effect == "read"
