"""What holds for the analysis of every plan: beside networkx, beside all that can be tried out, beside itself."""

from __future__ import annotations

import heapq
from itertools import combinations
from typing import Any, Dict, List, Sequence, Set, Tuple

import networkx as nx
import pytest
from execution_strategies import Choices, choices, plans
from hypothesis import event, given
from hypothesis import strategies as st
from strategies import needs

import wfplan
from wfplan import ExecutionPlan, ExecutionReport, Progress, StepCall, Workflow
from wfplan.analysis import (
    compare,
    critical_path,
    explain,
    lint,
    lower_bound,
    simulate,
    slack,
    why_not_parallel,
    width_bounds,
)
from wfplan.execution.events import Event
from wfplan.outcomes import cancelled, fails, hangs, succeeds

SCHEDULES = ("batch", "eager")


@st.composite
def wide_needs(draw: st.DrawFn, max_size: int = 12) -> Dict[str, List[str]]:
    """Graphs of more steps, some with crossings."""
    count = draw(st.integers(0, max_size))
    bits = draw(st.lists(st.integers(0, 2**24 - 1), min_size=count, max_size=count))
    sparse = draw(st.booleans())
    wanted = 3 if sparse else 1
    return {
        f"s{n}": [f"s{back}" for back in range(n) if bits[n] >> 2 * (back % 12) & 3 & wanted == wanted]
        for n in range(count)
    }


def graph_of(plan: ExecutionPlan) -> Any:
    """From each step to those that need it."""
    graph = nx.DiGraph()
    graph.add_nodes_from(plan.steps)
    graph.add_edges_from((needed, step.name) for step in plan.workflow.steps for needed in step.dependencies)
    return graph


def seconds_of(plan: ExecutionPlan) -> Dict[str, float]:
    return {s.name: 1.0 if s.estimated_seconds is None else s.estimated_seconds for s in plan.workflow.steps}


def plain(plan: ExecutionPlan, **settings: Any) -> ExecutionPlan:
    """The same graph and estimates, without anything else that keeps steps apart."""
    names = ("name", "dependencies", "estimated_seconds")
    steps = [wfplan.Step(**{name: getattr(step, name) for name in names}) for step in plan.workflow.steps]
    return wfplan.plan(Workflow(steps=steps, execution_strategy=wfplan.ExecutionStrategy(**settings)))


def overlaps(report: ExecutionReport, one: str, other: str) -> bool:
    a, b = report.steps[one], report.steps[other]
    assert a.started_at is not None and a.ended_at is not None  # noqa: PT018
    assert b.started_at is not None and b.ended_at is not None  # noqa: PT018
    return max(a.started_at, b.started_at) < min(a.ended_at, b.ended_at)


# Times


@given(plans())
def test_no_path_is_longer_than_the_critical_one(made: ExecutionPlan) -> None:
    graph, seconds = graph_of(made), seconds_of(made)
    path = critical_path(made)
    for before, after in zip(path.steps, path.steps[1:]):
        assert graph.has_edge(before, after)
    assert sum(map(seconds.__getitem__, path.steps)) == path.seconds
    if made.steps:
        weighted = nx.DiGraph()
        weighted.add_weighted_edges_from(("", name, seconds[name]) for name in graph)
        weighted.add_weighted_edges_from((one, other, seconds[other]) for one, other in graph.edges)
        assert path.seconds == nx.dag_longest_path_length(weighted)
        assert not graph.in_degree(path.steps[0])
        assert not graph.out_degree(path.steps[-1])


@given(plans())
def test_critical_steps_have_no_slack_and_others_have_just_theirs(made: ExecutionPlan) -> None:
    seconds, timing, whole = seconds_of(made), slack(made), critical_path(made)
    assert list(timing) == list(made.steps)
    assert {timing[name].slack for name in whole.steps} <= {0}
    for name, step in timing.items():
        own = step.slack
        assert step.earliest_end == step.earliest_start + step.seconds
        assert step.latest_start == step.earliest_start + own
        assert critical_path(made, durations={**seconds, name: seconds[name] + own}).seconds == whole.seconds
        assert critical_path(made, durations={**seconds, name: seconds[name] + own + 1}).seconds == whole.seconds + 1


@given(plans(), st.integers(1, 4))
def test_the_bound_is_work_or_path(made: ExecutionPlan, workers: int) -> None:
    work = sum(seconds_of(made).values())
    assert lower_bound(made, workers) == max(critical_path(made).seconds, work / workers)


# Width


@given(wide_needs() | needs(max_size=9))
def test_the_largest_antichain_is_within_the_bounds(needed: Dict[str, List[str]]) -> None:
    made = wfplan.plan(needed)
    largest = max(len(chain) for chain in nx.antichains(graph_of(made)))
    low, high = width_bounds(made)
    event("bounds meet" if low == high else "bounds are apart")
    assert max((len(batch.steps) for batch in made.batches), default=0) <= low <= largest <= high


@given(st.integers(4, 40), st.integers(1, 6), st.randoms(use_true_random=False))
def test_what_a_largest_matching_leaves_is_within_the_bounds(count: int, bottlenecks: int, dice: Any) -> None:
    """Beside networkx's matching on the transitive closure, for graphs in which many paths go through a few steps."""
    needed: Dict[str, List[str]] = {}
    for number in range(count):
        known = list(needed)
        middle = known[len(known) // 3 :][:bottlenecks]
        near = dice.sample(known, min(len(known), dice.choice((0, 0, 1, 2))))
        needed[f"s{number}"] = list(dict.fromkeys([*near, *(name for name in middle if dice.random() < 0.3)]))
    made = wfplan.plan(needed)
    closure = nx.transitive_closure_dag(graph_of(made))
    pairs = nx.Graph()
    pairs.add_nodes_from(("out", name) for name in closure)
    pairs.add_edges_from((("out", one), ("in", other)) for one, other in closure.edges)
    matching = nx.bipartite.hopcroft_karp_matching(pairs, [("out", name) for name in closure])
    low, high = width_bounds(made)
    assert low <= count - len(matching) // 2 <= high
    event("bounds meet" if low == high else "bounds are apart")


@given(wide_needs(max_size=9))
def test_no_more_steps_run_together_than_the_plan_is_wide(needed: Dict[str, List[str]]) -> None:
    made = wfplan.plan(needed)
    report = simulate(made, schedule="eager")
    moments = [step.started_at for step in report.steps.values()]
    together = [
        sum(step.started_at <= at < step.ended_at for step in report.steps.values())  # type: ignore[operator]
        for at in moments
    ]
    assert max(together, default=0) <= width_bounds(made)[1]


# Simulations


def schedule_by_hand(made: ExecutionPlan, workers: int) -> float:
    """A list schedule by the longest path first, for plans without hints, locks and batches that matter."""
    seconds = seconds_of(made)
    graph = graph_of(made)
    behind = {name: seconds[name] for name in graph}
    for name in reversed(list(nx.topological_sort(graph))):
        behind[name] += max((behind[other] for other in graph.successors(name)), default=0)
    rank = sorted(made.steps, key=lambda name: -behind[name])
    done: Set[str] = set()
    begun: Set[str] = set()
    ends: List[Tuple[float, str]] = []
    now = 0.0
    while len(done) < len(made.steps):
        for name in rank:
            if len(ends) < workers and name not in begun and done.issuperset(made.steps[name].dependencies):
                heapq.heappush(ends, (now + seconds[name], name))
                begun.add(name)
        now = ends[0][0]
        while ends and ends[0][0] == now:
            done.add(heapq.heappop(ends)[1])
    return now


@given(plans(), st.integers(1, 4))
def test_the_eager_schedule_is_a_list_schedule(made: ExecutionPlan, workers: int) -> None:
    free = plain(made)
    assert simulate(free, schedule="eager", max_parallel=workers).makespan == schedule_by_hand(free, workers)


@given(plans(timed=False), st.sampled_from((None, 1, 2, 3)), st.sampled_from(SCHEDULES))
def test_no_schedule_beats_the_bound(made: ExecutionPlan, workers: Any, schedule: Any) -> None:
    report = simulate(made, schedule=schedule, max_parallel=workers)
    assert report.ok
    assert report.makespan >= lower_bound(made, workers) - 1e-9


@given(plans())
def test_eager_with_enough_workers_takes_the_critical_path(made: ExecutionPlan) -> None:
    free = plain(made)
    assert simulate(free, schedule="eager").makespan == critical_path(free).seconds
    assert simulate(free, schedule="eager", max_parallel=max(1, width_bounds(free)[1])).makespan <= lower_bound(free, 1)


@given(plans())
def test_batches_take_the_longest_of_each(made: ExecutionPlan) -> None:
    free = plain(made)
    seconds = seconds_of(free)
    longest = [max(seconds[name] for name in batch.steps) for batch in free.batches]
    assert simulate(free, schedule="batch").makespan == sum(longest)


ENDS = (succeeds(1), succeeds(2), fails("once more"), wfplan.PermanentError("no use"), cancelled(), hangs())


@given(plans(undoable=True), choices(), st.booleans(), st.sampled_from((None, "stop", "cancel", "skip-dependents")))
def test_simulating_what_happened_gives_what_happened(
    made: ExecutionPlan, chosen: Choices, cancellable: bool, on_failure: Any
) -> None:
    """A run with any outcomes; then one that is told what became of each call of the first, and when."""
    noted: Dict[Tuple[Any, ...], Any] = {}
    clock: Dict[Tuple[Any, ...], float] = {}

    def key(call: StepCall) -> Tuple[Any, ...]:
        return (call.purpose, call.step.name, call.attempt)

    def decide(call: StepCall) -> Any:
        return noted.setdefault(key(call), ENDS[chosen.below(len(ENDS))])

    def last(call: StepCall) -> float:
        return clock.setdefault(key(call), chosen.below(5) / 2)

    keywords: Any = {"on_failure": on_failure, "cancellable": cancellable}
    first = simulate(made, outcomes=decide, durations=last, **keywords)
    event(first.phase)
    again = simulate(made, outcomes=lambda call: noted[key(call)], durations=lambda call: clock[key(call)], **keywords)
    assert again == first
    restored = ExecutionReport.model_validate_json(first.model_dump_json())
    if first.ended:
        assert not Progress(made, restored, on_failure=on_failure).is_active()


@given(plans(undoable=True), choices())
def test_a_simulated_run_tells_what_a_driven_one_does(made: ExecutionPlan, chosen: Choices) -> None:
    """The calls of a progress that is driven by hand, with the same ends at the same times."""
    progress = Progress(made, run_id="simulation")
    told: List[Event] = []
    progress.subscribe(told.append)
    kinds: Dict[Tuple[str, str, int], Any] = {}
    flying: List[Tuple[float, int, StepCall]] = []
    now, started = 0.0, 0
    while True:
        for call in progress.get_ready(now):
            started += 1
            ends = kinds[call.purpose, call.step.name, call.attempt] = (chosen.below(4), chosen.below(4) / 2)
            flying.append((now + ends[1], started, call))
        asked = progress.get_cancellations()
        for name in asked:
            flying = [entry for entry in flying if entry[2].step.name != name]
            progress.cancelled(name, now=now)
        if asked:
            continue
        if not progress.is_active():
            break
        due = [at for at, _, _ in flying] + ([] if progress.next_deadline is None else [progress.next_deadline])
        now = max(now, min(due))
        for entry in sorted(entry for entry in flying if entry[0] <= now):
            flying.remove(entry)
            call = entry[2]
            if kinds[call.purpose, call.step.name, call.attempt][0]:
                progress.done(call.step.name, None, now=now)
            else:
                progress.failed(call.step.name, "it failed", now=now)
    report = simulate(
        made,
        outcomes=lambda call: succeeds() if kinds[call.purpose, call.step.name, call.attempt][0] else fails(),
        durations=lambda call: kinds[call.purpose, call.step.name, call.attempt][1],
    )
    assert report == progress.report()


# Comparisons and explanations


@given(plans(max_size=5), st.sampled_from(((1, 2), (3,), ())))
def test_a_comparison_says_what_simulations_do(made: ExecutionPlan, workers: Sequence[int]) -> None:
    told = compare(made, workers)
    assert [(one.max_parallel, one.schedule) for one in told.results] == [(k, s) for k in workers for s in SCHEDULES]
    for one in told.results:
        assert one.lower_bound == lower_bound(made, one.max_parallel)
        assert one.over_bound >= 1 - 1e-9
        assert 0 <= one.efficiency <= 1
    bounds = [told.critical_path, *(cost.makespan for cost in told.costs)]
    assert min(bounds) == told.critical_path
    for cost in told.costs:
        assert cost.seconds == told.makespan - cost.makespan
    assert str(told)
    assert type(told).model_validate_json(told.model_dump_json()) == told


@given(plans(max_size=6), st.data())
def test_an_explanation_says_what_is_so(made: ExecutionPlan, data: st.DataObject) -> None:
    if not made.steps:
        return
    name = data.draw(st.sampled_from(list(made.steps)))
    told = explain(made, name)
    graph = graph_of(made)
    assert name in told.batch_steps
    assert told.batch_steps == made.batches[told.batch - 1].steps
    assert told.timing == slack(made)[name]
    assert set(told.holds_up) == nx.descendants(graph, name)
    assert set(told.dependents) == set(graph.successors(name))
    assert set(told.latest) | set(told.deepest) <= set(made.steps[name].dependencies)
    assert bool(told.latest) == bool(told.deepest) == bool(made.steps[name].dependencies)
    assert told.starts_at >= told.timing.earliest_start
    assert all(change.starts_at < told.starts_at for change in told.earlier)
    before = sum(seconds_of(made)[other] for other in told.path[:-1])
    assert before == told.timing.earliest_start
    assert str(told)


@given(
    plans(timed=False), st.lists(st.sampled_from((0.5, 1, 2, 4)), min_size=8, max_size=8), st.sampled_from(SCHEDULES)
)
def test_what_is_kept_apart_never_overlaps(made: ExecutionPlan, seconds: Sequence[float], schedule: Any) -> None:
    durations = dict(zip(made.steps, seconds))
    report = simulate(made, schedule=schedule, durations=durations)
    for one, other in combinations(made.steps, 2):
        told = why_not_parallel(made, one, other, schedule=schedule)
        assert told.parallel == why_not_parallel(made, other, one, schedule=schedule).parallel
        if not told.parallel:
            assert not overlaps(report, one, other)


@given(plans(timed=False), st.sampled_from(SCHEDULES))
def test_what_is_not_kept_apart_may_overlap(made: ExecutionPlan, schedule: Any) -> None:
    """Without hints, locks and limits: if all others take no time, two steps that nothing keeps apart are together."""
    free = plain(made)
    for one, other in combinations(free.steps, 2):
        told = why_not_parallel(free, one, other, schedule=schedule)
        durations = {name: float(name in (one, other)) for name in free.steps}
        assert told.parallel == overlaps(simulate(free, schedule=schedule, durations=durations), one, other)


@given(wide_needs(max_size=8) | needs(max_size=8))
def test_a_path_that_is_shown_is_a_shortest_one(needed: Dict[str, List[str]]) -> None:
    made = wfplan.plan(needed)
    graph = graph_of(made)
    for one, other in combinations(made.steps, 2):
        paths = [reason.path for reason in why_not_parallel(made, one, other).reasons if reason.kind == "path"]
        ways = [(a, b) for a, b in ((one, other), (other, one)) if nx.has_path(graph, a, b)]
        assert len(paths) == len(ways)
        for path, (start, end) in zip(paths, ways):
            assert (path[0], path[-1]) == (start, end)
            assert len(path) == nx.shortest_path_length(graph, start, end) + 1
            assert all(graph.has_edge(a, b) for a, b in zip(path, path[1:]))


# Lint


@pytest.mark.parametrize("block", [1, 2, 4096])
@given(needed=wide_needs() | needs(max_size=9))
def test_what_is_not_in_the_transitive_reduction_is_redundant(block: int, needed: Dict[str, List[str]]) -> None:
    made = wfplan.plan(needed)
    graph = graph_of(made)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("wfplan.analysis.redundancy._BLOCK", block)
        found = [problem.steps for problem in lint(made) if problem.code == "redundant-dependency"]
    kept = nx.transitive_reduction(graph)
    assert sorted(steps[:2] for steps in found) == sorted((b, a) for a, b in graph.edges if not kept.has_edge(a, b))
    for step, dependency, by_way_of in found:
        assert by_way_of in made.steps[step].dependencies
        assert nx.has_path(graph, dependency, by_way_of)
    less = wfplan.plan({name: list(kept.predecessors(name)) for name in made.steps})
    assert [sorted(batch.steps) for batch in less.batches] == [sorted(batch.steps) for batch in made.batches]


@given(plans())
def test_lint_finds_nothing_wrong(made: ExecutionPlan) -> None:
    found = lint(made)
    assert all(problem.severity != "error" for problem in found)
    assert all(set(problem.steps) <= set(made.steps) for problem in found)
    assert lint(made) == found
