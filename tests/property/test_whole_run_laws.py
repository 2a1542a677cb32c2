"""What holds for a run as a whole: a dry run, the execution proper, a rollback, and the journal of all that.

A `Progress` is walked with outcomes and orders that hypothesis chooses, beside copies that were restored on the way
from a report, or from a journal as it would be after a crash at that moment.
"""

from __future__ import annotations

from typing import Any, Dict, Iterable, Iterator, List, Set, Tuple

import networkx as nx
import pytest
from execution_strategies import Choices, choices, plans
from hypothesis import event, given, settings
from hypothesis import strategies as st

from wfplan import ExecutionPlan, ExecutionReport, PermanentError, Progress, StepCall
from wfplan.execution import rollback as rollback_module
from wfplan.execution.journal.reader import Record, read_journal, with_plan
from wfplan.execution.journal.writer import Journal
from wfplan.execution.rollback import rollback_plan, rollback_preview
from wfplan.problems import ProblemCollector

BAD = ("failed", "timed_out", "cancelled")


def arrows(plan: ExecutionPlan) -> Any:
    """From each step to those that need it."""
    graph = nx.DiGraph()
    graph.add_nodes_from(plan.steps)
    graph.add_edges_from((needed, step.name) for step in plan.workflow.steps for needed in step.dependencies)
    return graph


def subsets(plan: ExecutionPlan) -> st.SearchStrategy[Set[str]]:
    return st.sets(st.sampled_from(sorted(plan.steps))) if plan.steps else st.just(set())


class Memory:
    """A file of a journal that is on no disk."""

    def __init__(self) -> None:
        self.data = b""

    def append(self, data: bytes) -> None:
        self.data += data

    def keep_name(self) -> None:
        pass

    def close(self) -> None:
        pass


def read(data: bytes) -> Record:
    problems = ProblemCollector()
    record, length = read_journal(data, problems)
    assert not problems.has_errors, problems.as_tuple()
    assert record is not None
    assert length == data.rfind(b"\n") + 1
    return record


class Walker:
    """Takes a progress from one moment to the next, as it was chosen."""

    def __init__(self, progress: Progress, chosen: Choices) -> None:
        self.progress = progress
        self.chosen = chosen
        self.now = progress.now
        self.flying: List[StepCall] = list(progress.in_flight)
        self.calls: List[StepCall] = []
        self.stopped = False
        self.copies: List[Progress] = []
        """Told of the same, and expected to say the same."""

    def run(self) -> Iterator[None]:
        """To the end; comes back after each move."""
        for _ in range(1000):
            self.look()
            yield
            if not self.progress.is_active():
                return
            self.move()
        raise AssertionError("the run does not end")

    def look(self) -> None:
        started = self.progress.get_ready(self.now)
        for copy in self.copies:
            assert told(copy.get_ready(self.now)) == told(started)
            assert copy.next_deadline == self.progress.next_deadline
            assert copy.is_active() == self.progress.is_active()
        self.calls.extend(started)
        self.flying.extend(started)

    def move(self) -> None:
        late = set(self.progress.abandoned)
        runs = [call for call in self.flying if call.step.name not in late]
        wake = self.progress.next_deadline
        if not runs and wake is None:  # nothing but what is left behind is in flight
            assert late
            self.finish(self.flying[0], "succeeded")
            return
        what = self.chosen.below(8) if runs else 7
        if what < 6:
            self.finish(runs[self.chosen.below(len(runs))], ("succeeded",) * 5 + ("failed", "permanent", "cancelled"))
        elif what == 6 and self.chosen.below(4) == 0:
            self.stopped = True
            cancel = self.chosen.below(2) == 1
            for progress in (self.progress, *self.copies):
                progress.stop(cancel=cancel, now=self.now)
        else:
            self.now = self.now + 0.5 if wake is None else max(wake, self.now)

    def finish(self, call: StepCall, how: Any) -> None:
        name = call.step.name
        self.flying.remove(call)
        how = how if isinstance(how, str) else how[self.chosen.below(len(how))]
        error = PermanentError("no use") if how == "permanent" else OSError("once more")
        for progress in (self.progress, *self.copies):
            if how == "succeeded":
                progress.done(name, [name, call.attempt], now=self.now)
            elif how == "cancelled":
                progress.cancelled(name, now=self.now)
            else:
                progress.failed(name, error, now=self.now)


def told(calls: Iterable[StepCall]) -> List[Tuple[Any, ...]]:
    return [(c.purpose, c.step, c.attempt, dict(c.outputs), c.run_id, c.idempotency_key) for c in calls]


# The plan of a rollback.


@given(st.data())
def test_a_rollback_undoes_what_succeeded_dependents_first(data: st.DataObject) -> None:
    made = data.draw(plans(undoable=True))
    succeeded = data.draw(subsets(made))
    undoing = rollback_plan(made, succeeded)
    undone = {name for name in succeeded if made.steps[name].rollback is not None}
    assert set(undoing.steps) == undone
    graph = arrows(made)
    for name in undone:
        without = graph.subgraph((set(graph) - undone) | {name})
        behind = {name, *nx.descendants(without, name)}
        direct = {other for inner in behind for other in graph.successors(inner) if other in undone}
        assert set(undoing.steps[name].dependencies) == direct


@given(st.data())
def test_where_one_stands_for_many_the_order_is_kept(data: st.DataObject) -> None:
    made = data.draw(plans(undoable=True))
    succeeded = data.draw(subsets(made))
    exact = arrows(rollback_plan(made, succeeded))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rollback_module, "_MOST_PASSED_ON", 1)
        thrifty = arrows(rollback_plan(made, succeeded))
    for name in exact:
        assert nx.descendants(exact, name) <= nx.descendants(thrifty, name)


@given(st.data())
def test_a_preview_tells_what_cannot_be_undone(data: st.DataObject) -> None:
    made = data.draw(plans(undoable=True))
    preview = rollback_preview(made)
    assert preview.plan == rollback_plan(made, made.steps)
    assert set(preview.irreversible) == {step.name for step in made.workflow.steps if step.rollback is None}
    numbers = [batch.number for batch in made.batches if set(preview.irreversible) & set(batch.steps)]
    assert preview.point_of_no_return == min(numbers, default=None)


# A whole run.


@settings(max_examples=3 * settings.default.max_examples)
@given(plans(undoable=True), choices())
def test_a_dry_run_then_the_execution_then_a_rollback(made: ExecutionPlan, chosen: Choices) -> None:
    progress = Progress(made, run_id="r")
    walker = Walker(progress, chosen)
    for _ in walker.run():
        pass
    report = progress.report()
    strategy = made.workflow.execution_strategy
    purposes = [call.purpose for call in walker.calls]
    assert purposes == sorted(purposes, key=["dry_run", "execute", "compensate"].index)
    tried = [step.status for step in report.dry_run.values()]
    assert bool(tried) == bool(strategy.dry_run_first and (made.steps or tried))
    if any(status != "succeeded" for status in tried):
        event("dry run failed")
        assert set(report.statuses.values()) == {"skipped"}
        assert "execute" not in purposes
        assert report.phase == "failed"
    culprits = [
        s.name
        for s in made.workflow.steps
        if report.statuses[s.name] in BAD and not (s.continue_on_failure and report.statuses[s.name] != "cancelled")
    ]
    undoable = [name for name, status in report.statuses.items() if status == "succeeded" and made.steps[name].rollback]
    if strategy.rollback_on_failure and culprits and undoable and not walker.stopped:
        event("rolled back")
        assert set(report.rollback) == set(undoable)
        done = all(step.status == "succeeded" for step in report.rollback.values())
        assert report.phase == ("rolled_back" if done else "failed")
        for step in report.rollback.values():
            assert step.status in ("succeeded", "failed", "timed_out", "skipped")
            assert step.status != "skipped" or step.reason in ("blocked-by-abandoned-call", "dependency-failed")
    elif not walker.stopped:
        assert not report.rollback
    if walker.stopped:
        assert report.stop_requested
    check_order(made, walker.calls, report)
    assert ExecutionReport.model_validate_json(report.model_dump_json()) == report


def check_order(made: ExecutionPlan, calls: List[StepCall], report: ExecutionReport) -> None:
    """A compensation starts when those of all that depended on its step have ended, and knows the outputs."""
    graph = arrows(made)
    for call in calls:
        if call.purpose == "compensate":
            own = report.rollback[call.step.name]
            assert call.step.action == "undo"
            assert call.outputs[call.step.name] == report.steps[call.step.name].output
            assert set(call.outputs) <= {call.step.name, *made.steps[call.step.name].dependencies}
            for behind in nx.descendants(graph, call.step.name) & set(report.rollback):
                ended = report.rollback[behind].ended_at
                assert ended is not None
                assert own.started_at is not None
                assert ended <= own.started_at
        else:
            assert call.step == made.steps[call.step.name]


@settings(max_examples=2 * settings.default.max_examples)
@given(plans(undoable=True), choices(), st.sets(st.integers(0, 25), max_size=3))
def test_a_progress_that_was_restored_goes_on_as_the_unbroken_one(
    made: ExecutionPlan, chosen: Choices, when: Set[int]
) -> None:
    walker = Walker(Progress(made, run_id="r"), chosen)
    for moment, _ in enumerate(walker.run()):
        if moment in when:
            report = walker.progress.report()
            copy = Progress(made, ExecutionReport.model_validate_json(report.model_dump_json()))
            assert copy.report() == report
            assert sorted(told(copy.in_flight), key=repr) == sorted(told(walker.progress.in_flight), key=repr)
            walker.copies.append(copy)
    for copy in walker.copies:
        assert copy.report() == walker.progress.report()


# The journal.


@settings(max_examples=2 * settings.default.max_examples)
@given(plans(undoable=True), choices())
def test_a_journal_tells_what_happened(made: ExecutionPlan, chosen: Choices) -> None:
    memory: Any = Memory()
    progress = Progress(made, run_id="r")
    journal = Journal(memory, progress)
    walker = Walker(progress, chosen)
    stop_noted = False
    for _ in walker.run():
        if walker.stopped and not stop_noted:
            stop_noted = True
            journal.note_stop(walker.now, cancel=False)
        journal.write(journal.take())
        now = with_plan(read(memory.data).report, made)
        assert now.statuses == progress.report().statuses
        assert {name: step.status for name, step in now.rollback.items()}.items() <= {
            name: step.status for name, step in progress.report().rollback.items()
        }.items()
    report = progress.report()
    journal.note_end(walker.now, report)
    journal.write(journal.take())
    assert with_plan(read(memory.data).report, made) == report
    assert read(memory.data).report == report


@settings(max_examples=2 * settings.default.max_examples)
@given(plans(undoable=True), choices(), choices(0, 60), st.integers(0, 10_000))
def test_every_prefix_of_a_journal_leads_to_an_end(
    made: ExecutionPlan, chosen: Choices, then: Choices, cut: int
) -> None:
    memory: Any = Memory()
    progress = Progress(made, run_id="r")
    journal = Journal(memory, progress)
    walker = Walker(progress, chosen)
    for _ in walker.run():
        journal.write(journal.take())
    header = memory.data.index(b"\n") + 1
    kept = memory.data[: header + cut % (len(memory.data) - header + 1)]
    record = read(kept)
    succeeded = {
        purpose: {name for name, step in steps.items() if step.status == "succeeded"}
        for purpose, steps in (
            ("dry_run", record.report.dry_run),
            ("execute", record.report.steps),
            ("compensate", record.report.rollback),
        )
    }
    running = [step for step in record.report.steps.values() if step.status == "running" and not step.abandoned]
    assert record.report.settings is not None
    progress = Progress(made, with_plan(record.report, made), **record.report.settings.model_dump())
    again = progress.restart_in_flight(progress.now)
    walker = Walker(progress, then)
    for _ in walker.run():
        pass
    for call in (*again, *walker.calls):
        assert call.step.name not in succeeded[call.purpose]
    report = progress.report()
    assert report.ended
    for step in running:
        made_again = [c for c in again if c.purpose == "execute" and c.step.name == step.name]
        if made.steps[step.name].idempotent is False:
            assert not made_again
            assert report.steps[step.name].reason == "outcome-unknown"
        elif made_again:
            assert (made_again[0].attempt, made_again[0].run_id) == (step.attempts, "r")
    if record.report.rollback:
        assert {call.purpose for call in (*again, *walker.calls)} <= {"compensate"}
    ended: Dict[str, str] = {n: s for n, s in record.report.statuses.items() if s not in ("pending", "running")}
    assert ended.items() <= report.statuses.items()


@given(plans(undoable=True), choices(), choices(0, 60), st.integers(0, 12), st.booleans())
def test_a_suspended_run_concludes_nothing_and_goes_on_to_an_end(
    made: ExecutionPlan, chosen: Choices, then: Choices, moves: int, cancel: bool
) -> None:
    """Whenever it is suspended; also on the way through its journal, which tells what the report tells."""
    memory: Any = Memory()
    progress = Progress(made, run_id="r")
    journal = Journal(memory, progress)
    walker = Walker(progress, chosen)
    walk = walker.run()
    for _, _ in zip(range(moves), walk):
        pass
    before, stop_requested = progress.report(), walker.stopped
    progress.suspend(cancel=cancel, now=walker.now)
    walker.stopped = True
    for _ in walk:
        pass
    report = progress.report()
    journal.note_end(walker.now, report)
    journal.write(journal.take())
    if not stop_requested:
        assert read(memory.data).report.statuses == report.statuses
        assert read(memory.data).report.phase == report.phase
    skipped = {name for name, step in before.steps.items() if step.status == "skipped"}
    if report.phase == "suspended" and not progress.report().stop_requested:
        assert {name for name, step in report.steps.items() if step.status == "skipped"} == skipped
    succeeded = {name for name, step in report.steps.items() if step.status == "succeeded"}
    progress = Progress(made, ExecutionReport.model_validate_json(report.model_dump_json()))
    again = progress.restart_in_flight(walker.now)
    walker = Walker(progress, then)
    walker.now = max(progress.now, walker.now)
    for _ in walker.run():
        pass
    assert progress.report().ended
    for call in (*again, *walker.calls):
        assert call.run_id == "r"
        assert call.purpose != "execute" or call.step.name not in succeeded
