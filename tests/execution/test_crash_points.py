"""Runs whose processes end at any write of the journal, and journals that end anywhere, go on to the same end."""

from __future__ import annotations

import os
import random
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, NamedTuple, Sequence, Tuple

import pytest
from execution_helpers import Driver, plan_of
from killed_run import (
    MANNERS,
    PROMISES,
    SHORT,
    Death,
    Traced,
    Traces,
    all_steps,
    broken_promises,
    called_under_another_key,
    difference,
    effects_in,
    known_from,
    outline,
    small,
    traces_from,
)

import wfplan
from wfplan import Compensation, ExecutionPlan, ExecutionReport, RefusedError, Step

pytestmark = pytest.mark.slow

CASES = tuple(SHORT)
needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")


# Every write of a journal.


class Runs(NamedTuple):
    writes: Dict[str, int]
    """By case, in a run that is not disturbed."""
    unbroken: Dict[str, Dict[str, Any]]
    """By case, the outline of the end."""
    crashed: List[Traces]


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Runs:
    made = Runs({}, {}, [])
    for traces in traces_from("crash", folder=tmp_path_factory.mktemp("crashed")):
        case = traces.told["case"]
        if case in made.unbroken:
            made.crashed.append(traces)
        else:
            made.writes[case] = traces.told["writes"]
            made.unbroken[case] = outline(traces.report)
    return made


@needs_fork
def test_a_process_ends_at_every_write_of_every_journal_in_every_manner(runs: Runs) -> None:
    assert len(runs.writes) == len(CASES)
    assert all(writes >= 5 for writes in runs.writes.values())
    wanted = {
        (case, write, manner)
        for case, writes in runs.writes.items()
        for write in range(1, writes + 1)
        for manner in MANNERS
    }
    assert {(traces.told["case"], *traces.told["crash"]) for traces in runs.crashed} == wanted
    assert all(traces.deaths for traces in runs.crashed)


@needs_fork
def test_a_write_that_did_not_happen_and_one_that_is_torn_have_started_nothing(runs: Runs) -> None:
    first = [traces.deaths[0] for traces in runs.crashed if traces.told["crash"][0] == 1]
    assert len(first) > len(MANNERS)
    assert not any(death.before for death in first)


@needs_fork
@pytest.mark.parametrize("promise", PROMISES, ids=lambda promise: promise.__name__.replace("_", "-"))
def test_no_promise_is_broken_at_any_write(promise: Callable[[Sequence[Death]], List[str]], runs: Runs) -> None:
    broken = [f"{traces.name}: {told}" for traces in runs.crashed for told in promise(traces.deaths)]
    assert not broken, broken[:5]


@needs_fork
def test_every_call_of_a_run_has_the_key_of_its_step_in_this_run_whatever_process_makes_it(runs: Runs) -> None:
    for traces in runs.crashed:
        broken = called_under_another_key(traces.plan, traces.report.run_id, traces.effects)
        assert not broken, f"{traces.name}: {broken[:5]}"


@needs_fork
def test_the_end_is_that_of_an_unbroken_run_wherever_and_however_often_the_process_ended(runs: Runs) -> None:
    for traces in runs.crashed:
        differs = difference(runs.unbroken[traces.told["case"]], outline(traces.report))
        assert not differs, f"{traces.name}: {differs[:5]}"


@needs_fork
def test_the_journal_tells_the_same_end_as_the_report(runs: Runs) -> None:
    for traces in runs.crashed:
        assert ExecutionReport.from_journal(traces.journal, traces.plan) == traces.report, traces.name


# Every beginning of a journal.


class Whole(NamedTuple):
    """A journal from its beginning to its end, of a run that was not disturbed."""

    plan: ExecutionPlan
    data: bytes
    report: ExecutionReport


@pytest.fixture(params=CASES)
def whole(request: pytest.FixtureRequest, tmp_path: Path) -> Whole:
    plan = small(**{"max_parallel": 3, **SHORT[request.param]})
    report = wfplan.run(plan, Traced(tmp_path / "effects"), journal=tmp_path / "whole")
    return Whole(plan, (tmp_path / "whole").read_bytes(), report)


def line_ends(data: bytes) -> List[int]:
    return [number + 1 for number, byte in enumerate(data) if byte == ord("\n")]


def places_in_lines(data: bytes, count: int) -> List[int]:
    luck = random.Random(len(line_ends(data)))
    return sorted(luck.sample(range(line_ends(data)[0], len(data)), count))


def succeeded(report: ExecutionReport) -> List[Tuple[str, str]]:
    return [(purpose, step.name) for purpose, step in all_steps(report) if step.status == "succeeded"]


def cuts(whole: Whole, lengths: List[int], folder: Path) -> Iterator[Path]:
    """A file for each beginning of so many bytes."""
    for length in lengths:
        path = folder / f"first-{length}-bytes"
        path.write_bytes(whole.data[:length])
        yield path


def assert_goes_on(drive: Driver, whole: Whole, journal: Path) -> None:
    """It ends as the whole one did, and no promise is broken on the way."""
    known, traced = known_from(journal), journal.with_suffix(".effects")
    report = drive(whole.plan, Traced(traced), journal=journal)
    effects = effects_in(traced.read_bytes())
    assert difference(outline(whole.report), outline(report)) == [], journal.name
    assert broken_promises([Death(whole.plan, known, (), effects)]) == [], journal.name
    assert called_under_another_key(whole.plan, report.run_id, effects) == [], journal.name
    assert ExecutionReport.from_journal(journal, whole.plan) == report, journal.name


def test_a_journal_that_ends_at_any_line_goes_on_to_the_same_end(whole: Whole, drive: Driver, tmp_path: Path) -> None:
    for journal in cuts(whole, line_ends(whole.data)[:-1], tmp_path):
        assert_goes_on(drive, whole, journal)


def test_a_journal_that_ends_within_a_line_goes_on_to_the_same_end(whole: Whole, drive: Driver, tmp_path: Path) -> None:
    for journal in cuts(whole, places_in_lines(whole.data, 8), tmp_path):
        assert_goes_on(drive, whole, journal)


def test_a_journal_without_a_whole_first_line_is_that_of_a_run_that_never_began(
    whole: Whole, drive: Driver, tmp_path: Path
) -> None:
    header = line_ends(whole.data)[0]
    for journal in cuts(whole, [0, 1, 10, 20, header // 2, header - 1], tmp_path):
        with pytest.raises(RefusedError, match="nothing has happened yet"):
            ExecutionReport.from_journal(journal)
        assert_goes_on(drive, whole, journal)
        assert ExecutionReport.from_journal(journal).run_id != whole.report.run_id


def test_a_whole_journal_gives_its_report_and_nothing_is_called(whole: Whole, drive: Driver, tmp_path: Path) -> None:
    for journal in cuts(whole, [len(whole.data)], tmp_path):
        traced = tmp_path / "nothing"
        assert drive(whole.plan, Traced(traced), journal=journal) == whole.report
        assert traced.read_bytes() == b""
        assert journal.read_bytes() == whole.data


def test_no_beginning_of_a_journal_tells_of_a_success_that_the_whole_one_does_not(whole: Whole, tmp_path: Path) -> None:
    lengths = sorted({*line_ends(whole.data), *places_in_lines(whole.data, 40)})
    before: List[Tuple[str, str]] = []
    for journal in cuts(whole, lengths, tmp_path):
        found = succeeded(ExecutionReport.from_journal(journal, whole.plan))
        assert set(before) <= set(found) <= set(succeeded(whole.report)), journal.name
        before = found
    assert sorted(before) == sorted(succeeded(whole.report))


def test_reading_any_beginning_of_a_journal_changes_nothing_in_it(whole: Whole, tmp_path: Path) -> None:
    for journal in cuts(whole, places_in_lines(whole.data, 8), tmp_path):
        written = journal.read_bytes()
        ExecutionReport.from_journal(journal, whole.plan)
        assert journal.read_bytes() == written


def test_what_was_undone_is_in_the_order_of_its_batches_in_the_report_and_in_that_from_the_journal(
    tmp_path: Path,
) -> None:
    undo = Compensation(action="undo")
    plan = plan_of(
        Step(name="c", action="work", rollback=undo),
        Step(name="a", action="work", rollback=undo),
        Step(name="b", action="work", rollback=undo, dependencies=["a"]),
        Step(name="fails", action="work", parameters={"fails": 9}, dependencies=["b", "c"]),
        rollback_on_failure=True,
        max_parallel=1,
    )
    made = wfplan.run(plan, Traced(tmp_path / "effects"), journal=tmp_path / "journal")
    told = ExecutionReport.from_journal(tmp_path / "journal", plan)
    for report in (made, told):
        batches = [report.rollback[name].batch for name in report.undone]
        assert batches == [1, 1, 2]
    assert made.undone == told.undone
