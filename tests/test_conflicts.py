"""Conflicts by example: two steps, one thing, no path between them; their number, order and scale."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any, Iterator, List, Optional, Sequence, Tuple

import pytest
from pydantic import ValidationError

from wfplan import Action, InvalidWorkflowError, Problem, Recommendation, Step, check, plan
from wfplan import conflicts as conflicts_module
from wfplan.conflicts import Conflict, Conflicts, find_conflicts

EFFECTS: Tuple[Any, ...] = ("read", "write", "destructive", None)
LISTED = 1000
BLOCK = 4096


def holder(name: str, *needs: str, effect: Any = None, locks: Sequence[str] = ("x",)) -> Step:
    return Step(name=name, dependencies=needs, effect=effect, locks=locks)


def found(steps: Sequence[Step]) -> List[Tuple[str, ...]]:
    """Every conflict: the steps, and the lock."""
    conflicts = find_conflicts(steps)
    assert conflicts.total == len(conflicts.listed)
    return [(*conflict.steps, conflict.lock) for conflict in conflicts.listed]


def codes(problems: Sequence[Problem]) -> List[Tuple[str, str, Tuple[str, ...]]]:
    return [(problem.code, problem.severity, problem.steps) for problem in problems]


# What is a conflict


def test_two_steps_that_share_a_lock_are_in_conflict() -> None:
    assert find_conflicts([holder("a"), holder("b")]) == Conflicts((Conflict(steps=("a", "b"), lock="x"),), 1)


@pytest.mark.parametrize("one", EFFECTS)
@pytest.mark.parametrize("other", EFFECTS)
def test_only_two_that_read_are_in_no_conflict(one: Any, other: Any) -> None:
    """An effect that is not known counts as more than reading."""
    steps = [holder("a", effect=one), holder("b", effect=other)]
    assert bool(found(steps)) is not (one == other == "read")


@pytest.mark.parametrize("reads", [False, True])
def test_one_that_waits_for_the_other_is_in_no_conflict_with_it(reads: bool) -> None:
    """Whatever lies between: first -> between -> last."""
    effect = "read" if reads else "write"
    assert (
        found([holder("last", "between"), holder("between", "first", locks=()), holder("first", effect=effect)]) == []
    )


def test_branches_are_in_conflict_and_what_is_before_and_behind_them_is_not() -> None:
    """The diamond top -> (left, right) -> bottom."""
    steps = [holder("top"), holder("left", "top"), holder("right", "top"), holder("bottom", "left", "right")]
    assert found(steps) == [("left", "right", "x")]


def test_a_reader_is_in_conflict_with_each_writer_it_is_not_ordered_with() -> None:
    steps = [holder("r", effect="read"), holder("s", effect="read"), holder("v", "r"), holder("w", "v", "s")]
    assert found(steps) == [("s", "v", "x")]


def test_steps_that_share_nothing_are_in_no_conflict() -> None:
    assert found([holder("a"), holder("b", locks=["y"]), holder("c", locks=[])]) == []
    assert found([]) == []


def test_each_lock_that_two_steps_share_is_told() -> None:
    steps = [holder("a", locks=["z", "y", "x"]), holder("b", locks=["x", "y"])]
    assert found(steps) == [("a", "b", "x"), ("a", "b", "y")]


def test_a_lock_that_a_step_lists_twice_counts_once() -> None:
    steps = [holder("a", locks=["x", "y", "x"]), holder("b", locks=["x", "x"]), holder("c", "b", locks=["x", "x"])]
    assert found(steps) == [("a", "b", "x"), ("a", "c", "x")]
    assert found([holder("a", locks=["x", "x"])]) == []


def test_a_dependency_that_is_listed_twice_counts_once() -> None:
    assert found([holder("a"), holder("b", "a", "a"), holder("c", "b", "b", "a")]) == []


def test_a_lock_that_is_handed_on_by_readers_and_writers_is_in_no_conflict() -> None:
    effects: Sequence[Optional[str]] = ("read", "write", None, "read", "destructive")
    steps = [holder(f"s{n}", *[f"s{n - 1}"][: n and 1], effect=effect) for n, effect in enumerate(effects)]
    assert found(steps) == []


def test_conflicts_are_listed_in_declared_order() -> None:
    """Not in that of the levels: "late" is the first, although it starts last."""
    steps = [holder("late", "free"), holder("b"), holder("a"), holder("free", locks=())]
    assert found(steps) == [("late", "b", "x"), ("late", "a", "x"), ("b", "a", "x")]


def test_any_iterable_of_steps_will_do() -> None:
    def give() -> Iterator[Step]:
        yield holder("a")
        yield holder("b")

    assert find_conflicts(give()).total == 1


def test_a_conflict_tells_itself_on_one_line() -> None:
    conflict = Conflict(steps=['say "x"', "b"], lock="line\nbreak \u202e")
    assert str(conflict) == '"say \\"x\\"" and "b" touch "line\\nbreak \\u202e", and neither waits for the other'


def test_a_conflict_is_a_value() -> None:
    conflict = Conflict(steps=["a", "b"], lock="x")
    assert Conflict.model_validate_json(conflict.model_dump_json()) == conflict
    with pytest.raises(ValidationError):
        conflict.lock = "y"  # type: ignore[misc]


def test_cycles_are_refused() -> None:
    with pytest.raises(InvalidWorkflowError) as raised:
        find_conflicts([holder("a", "b"), holder("b", "a"), holder("c")])
    assert codes(raised.value.problems) == [("dependency-cycle", "error", ("a", "b"))]
    with pytest.raises(InvalidWorkflowError):
        find_conflicts([holder("a", "a")])


def test_what_is_no_graph_is_refused() -> None:
    with pytest.raises(KeyError):
        find_conflicts([holder("a", "missing")])
    with pytest.raises(ValueError, match="twice"):
        find_conflicts([holder("a"), holder("a")])


# How many there are


@pytest.mark.parametrize("count", [45, 46, 100])
def test_the_first_1000_are_listed_and_all_are_counted(count: int) -> None:
    """45 steps make 990 pairs, 46 make 1,035."""
    conflicts = find_conflicts([holder(f"s{number}") for number in range(count)])
    assert conflicts.total == count * (count - 1) // 2
    assert len(conflicts.listed) == min(conflicts.total, LISTED)
    assert len({conflict.steps for conflict in conflicts.listed}) == len(conflicts.listed)


@pytest.mark.parametrize("size", [1, 2, 3, 7, 9, 10])
def test_the_size_of_blocks_makes_no_difference(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    steps = [
        holder(f"s{n}", *[f"s{n - 3}"][: n > 2 and 1], effect=EFFECTS[n % 4], locks=["x", "y"][: 1 + n % 2])
        for n in range(9)
    ]
    expected = find_conflicts(steps)
    assert expected.total > 10
    monkeypatch.setattr(conflicts_module, "_BLOCK", size)
    assert find_conflicts(steps) == expected


def test_more_than_a_thousand_over_many_blocks_are_counted_exactly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conflicts_module, "_BLOCK", 7)
    conflicts = find_conflicts([holder(f"s{number}", effect=EFFECTS[number % 4]) for number in range(120)])
    readers = 30
    assert conflicts.total == 120 * 119 // 2 - readers * (readers - 1) // 2
    assert len(set(conflicts.listed)) == LISTED


@pytest.mark.parametrize("count", [BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK + 1])
def test_more_holders_than_a_block_has_room_for(count: int) -> None:
    """One holder of each lock at each end, all others hold one of their own and share a reader's."""
    steps = [holder(f"s{n}", effect="read", locks=["shared", f"own-{n}"]) for n in range(count)]
    steps[0] = holder("s0", locks=["ends"], effect="read")
    steps[-1] = holder(f"s{count - 1}", locks=["ends", "shared"])
    conflicts = find_conflicts(steps)
    assert conflicts.total == count - 2 + 1
    assert len(conflicts.listed) == LISTED


def test_all_pairs_of_5000_holders_are_counted() -> None:
    conflicts = find_conflicts([holder(f"s{number}") for number in range(5000)])
    assert conflicts.total == 5000 * 4999 // 2
    assert len(conflicts.listed) == LISTED


# Large and hostile shapes; nothing is timed


def test_a_long_chain_that_hands_on_one_lock_and_many_readers_of_another() -> None:
    chain = [holder(f"c{n}", *[f"c{n - 1}"][: n and 1], effect="write") for n in range(20_000)]
    readers = [holder(f"r{n}", effect="read", locks=["y"]) for n in range(20_000)]
    assert find_conflicts([*chain, *readers]) == Conflicts((), 0)
    assert find_conflicts([*readers[::-1], *chain[::-1]]) == Conflicts((), 0)


def test_a_long_chain_of_writers_and_many_readers_of_the_same() -> None:
    """Each reader is in conflict with each step of the chain."""
    chain = [holder(f"c{n}", *[f"c{n - 1}"][: n and 1], effect="write") for n in range(20_000)]
    readers = [holder(f"r{n}", effect="read") for n in range(20_000)]
    assert find_conflicts([*chain, *readers]).total == 20_000 * 20_000


def test_as_many_locks_as_steps() -> None:
    """A ladder: each lock is held by two neighbours, one of which reads, and of which every second pair is ordered."""
    steps = [
        holder(f"s{n}", *[f"s{n - 1}"][: n % 2], effect=EFFECTS[n % 2], locks=[f"l{n}", f"l{n + 1}"])
        for n in range(20_000)
    ]
    assert find_conflicts(steps).total == 9_999


# What plan and check make of them


def test_a_conflict_is_a_warning_that_says_what_to_do() -> None:
    steps = [holder("scale", locks=["prod/web"]), holder("restart", locks=["prod/web"])]
    (problem,) = check(steps, on_conflict="warn")
    assert plan(steps, on_conflict="warn").problems == (problem,)
    assert problem.steps == ("scale", "restart")
    assert str(problem) == (
        'warning conflict: "scale" and "restart" touch "prod/web", and neither waits for the other (let "restart" '
        'depend on "scale", or the other way round; if they may run in any order, one at a time, plan with '
        'on_conflict="lock")'
    )


def test_conflicts_refuse_a_plan_if_asked_to() -> None:
    steps = [holder("a"), holder("b"), Step(name="c", dependencies=["a", "a"])]
    with pytest.raises(InvalidWorkflowError) as raised:
        plan(steps, on_conflict="error")
    assert codes(raised.value.problems) == [
        ("conflict", "error", ("a", "b")),
        ("duplicate-dependency", "warning", ("c",)),
    ]
    assert raised.value.problems == check(steps, on_conflict="error")
    assert plan([holder("a"), holder("b", "a")], on_conflict="error").problems == ()


def test_it_can_be_enough_that_they_do_not_overlap() -> None:
    planned = plan([holder("a"), holder("b")], on_conflict="lock")
    assert planned.problems == ()
    assert [batch.steps for batch in planned.batches] == [("a",), ("b",)]


def test_without_a_word_nobody_looks_for_conflicts() -> None:
    assert check([holder("a"), holder("b")]) == ()


def test_the_plan_is_the_same_however_conflicts_are_told() -> None:
    steps = [holder("a"), holder("b"), holder("c", "a")]
    plans = [plan(steps), plan(steps, on_conflict="warn"), plan(steps, on_conflict="lock")]
    assert plans[0] == plans[1] == plans[2]
    assert len({planned.fingerprint for planned in plans}) == 1


def test_conflicts_of_recommendations_speak_of_ids() -> None:
    catalog = {"restart": Action(locks=lambda _: ["web"])}
    recommendations = [Recommendation(id=id_, action="restart") for id_ in ("one", "two")]
    for naming in ("action", "id"):
        (problem,) = check(recommendations, catalog=catalog, naming=naming)  # type: ignore[arg-type]
        assert problem.steps == ("one", "two")
        assert problem.message.startswith('"one" and "two" touch "web"')


def test_errors_in_the_graph_come_before_conflicts() -> None:
    """Where there is a cycle, no one can say which steps have no path between them."""
    steps = [holder("a", "b"), holder("b", "a"), holder("c")]
    assert [problem.code for problem in check(steps, on_conflict="error")] == ["dependency-cycle"]


@pytest.mark.parametrize("on_conflict", ["warn", "error"])
def test_what_is_not_listed_is_counted(on_conflict: Any) -> None:
    """100 steps make 4,950 pairs."""
    problems = check([holder(f"s{number}") for number in range(100)], on_conflict=on_conflict)
    assert len(problems) == LISTED
    assert {problem.code for problem in problems[:-1]} == {"conflict"}
    assert problems[-1].code == "limit-exceeded"
    assert problems[-1].message == "3,951 more problems are not listed"
    assert {problem.severity for problem in problems} == {"warning" if on_conflict == "warn" else "error"}


@pytest.mark.parametrize(
    ("given", "shown"), [("wait", '"wait"'), ("", '""'), ("\u202e", '"\\u202e"'), (1, "int"), (["warn"], "list")]
)
def test_other_words_for_what_becomes_of_conflicts_are_refused(given: Any, shown: str) -> None:
    (problem,) = check([holder("a")], on_conflict=given)
    assert problem.code == "invalid-field"
    assert problem.message == f'on_conflict must be "warn" or "error" or "lock", not {shown}'
    with pytest.raises(InvalidWorkflowError):
        plan([holder("a")], on_conflict=given)


# The same whatever the hash seed

_SCRIPT = r"""
from wfplan import Step, check
from wfplan.conflicts import find_conflicts

effects = ("read", "write", None, "destructive")
steps = [
    Step(
        name=f"step-{number}",
        dependencies=[f"step-{other}" for other in {number // 2, number // 3} if other < number and number % 5],
        locks=[f"lock-{number % 7}", f"lock-{number % 3}", "all"][: number % 4],
        effect=effects[number % 4],
    )
    for number in range(SIZE)
][::-1]
for conflict in find_conflicts(steps).listed:
    print(conflict.model_dump_json())
for problem in check(steps, on_conflict="error"):
    print(problem.model_dump_json())
"""


def _output(size: int, seed: str) -> bytes:
    environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONIOENCODING": "utf-8"}
    script = _SCRIPT.replace("SIZE", str(size))
    return subprocess.run([sys.executable, "-c", script], env=environment, stdout=subprocess.PIPE, check=True).stdout


@pytest.mark.parametrize("size", [40, 400], ids=["all listed", "only the first listed"])
def test_bytes_are_the_same_under_every_hash_seed(size: int) -> None:
    """Also which of them are listed where not all of them are."""
    first = _output(size, "0")
    assert first.count(b'"lock"') > 100
    assert (b"limit-exceeded" in first) is (size == 400)
    for seed in ("1", "42", "4294967295"):
        assert _output(size, seed) == first
