"""What holds for every catalog and every plan with one: locks, claims, conflicts, and every problem at once."""

from __future__ import annotations

import itertools
import json
import threading
import time
from collections import Counter
from typing import Any, Dict, Iterable, List, Mapping, Sequence, Set, Tuple
from unittest import mock

import networkx as nx
import pytest
from catalog_strategies import (
    EFFECTS,
    UNKNOWN_ACTIONS,
    Cataloged,
    CatalogedRecommendations,
    Known,
    cataloged_recommendations,
    cataloged_steps,
    catalogs,
    contested_fields,
)
from execution_strategies import SCHEDULES, Choices, choices
from hypothesis import event, given, settings
from hypothesis import strategies as st
from strategies import (
    Planted,
    batching_fields,
    json_objects,
    junk,
    nearly_sound,
    planted,
    settings_of_planning,
    step_lists,
)

from wfplan import (
    Action,
    ExecutionPlan,
    ExecutionStrategy,
    InvalidWorkflowError,
    Problem,
    Progress,
    Reading,
    Recommendation,
    Step,
    StepCall,
    Workflow,
    check,
    plan,
    read,
    run,
)
from wfplan import conflicts as conflicts_module
from wfplan.conflicts import find_conflicts

Pair = Tuple[str, str, str]

FORMS = st.sampled_from((None, "warn", "error", "lock"))


def reference_conflicts(steps: Sequence[Step]) -> List[Pair]:
    """Every two steps and each lock of both, if one does more than read and no path connects them."""
    graph = nx.DiGraph()
    graph.add_nodes_from(step.name for step in steps)
    graph.add_edges_from((needed, step.name) for step in steps for needed in step.dependencies)
    above: Dict[str, Set[str]] = {name: nx.ancestors(graph, name) for name in graph}
    return [
        (one.name, other.name, lock)
        for one, other in itertools.combinations(steps, 2)
        if (one.effect, other.effect) != ("read", "read")
        and one.name not in above[other.name]
        and other.name not in above[one.name]
        for lock in sorted(set(one.locks) & set(other.locks))
    ]


def reference_locks(step: Step, catalog: Mapping[str, Action]) -> Set[str]:
    """What the catalog gives for the parameters that are on the step."""
    action = catalog[step.action]
    if action.locks is None:
        return set()
    if action.parameters is None:
        return set(action.locks(_Nothing()))
    return set(action.locks(action.parameters.model_validate_json(json.dumps(step.parameters))))


class _Nothing:
    """In place of an instance of a model without fields."""

    @staticmethod
    def model_dump_json() -> str:
        return "{}"


def listed(problems: Iterable[Problem], code: str) -> List[Tuple[str, Tuple[str, ...]]]:
    return [(problem.severity, problem.steps) for problem in problems if problem.code == code]


def assert_check_and_plan_agree(source: Any, **keywords: Any) -> Tuple[Problem, ...]:
    """`check` lists exactly what `plan` raises or carries; all of it can be printed and dumped."""
    problems = check(source, **keywords)
    for problem in problems:
        str(problem).encode()
        assert Problem.model_validate_json(problem.model_dump_json()) == problem
    if any(problem.severity == "error" for problem in problems):
        with pytest.raises(InvalidWorkflowError) as raised:
            plan(source, **keywords)
        assert raised.value.problems == tuple(problem for problem in problems if problem.severity != "info")
    else:
        warnings = tuple(problem for problem in problems if problem.severity == "warning")
        assert plan(source, **keywords).problems == warnings
    return problems


# Plans with a catalog


@given(cataloged_steps(), settings_of_planning(), st.sampled_from((None, "warn", "lock")))
def test_planning_a_plans_workflow_gives_the_plan(made: Cataloged, how: ExecutionStrategy, on_conflict: Any) -> None:
    """With the catalog and without it: everything that it knows is on the steps."""
    planned = plan(made.steps, execution_strategy=how, catalog=made.catalog, on_conflict=on_conflict)
    for again in (
        plan(planned.workflow, catalog=made.catalog),
        plan(planned.workflow, catalog=made.catalog, on_conflict=on_conflict),
        plan(planned.workflow),
        ExecutionPlan.model_validate_json(planned.model_dump_json()),
    ):
        assert again == planned
        assert again.fingerprint == planned.fingerprint
        assert again.model_dump_json(exclude={"problems"}) == planned.model_dump_json(exclude={"problems"})


@given(cataloged_steps())
def test_every_form_of_the_same_steps_gives_the_same_plan(made: Cataloged) -> None:
    planned = plan(made.steps, catalog=made.catalog)
    for source in (tuple(made.steps), iter(made.steps), Workflow(steps=made.steps)):
        again = plan(source, catalog=dict(made.catalog))
        assert again == planned
        assert again.problems == planned.problems


@given(cataloged_recommendations(), st.sampled_from(("action", "id")))
def test_planning_recommendations_gives_the_plan_of_their_workflow(made: CatalogedRecommendations, naming: Any) -> None:
    """And their names and all that they say are as without the catalog, but for what it knows."""
    planned = plan(made.recommendations, catalog=made.catalog, naming=naming)
    assert plan(planned.workflow, catalog=made.catalog) == planned
    without = plan(made.recommendations, naming=naming)
    assert list(planned.steps) == list(without.steps)
    for name, step in without.steps.items():
        for field in ("action", "dependencies", "metadata", "description", "confidence", "recommendation_id"):
            assert getattr(planned.steps[name], field) == getattr(step, field)


@given(cataloged_recommendations())
def test_a_recommendation_gets_what_the_catalog_says(made: CatalogedRecommendations) -> None:
    planned = plan(made.recommendations, catalog=made.catalog, naming="id")
    for step in planned.workflow.steps:
        action = made.catalog[step.action]
        assert (step.effect, step.idempotent) == (action.effect, action.idempotent)
        assert (step.timeout_seconds, step.estimated_seconds) == (action.timeout_seconds, action.estimated_seconds)
        assert set(step.locks) == reference_locks(step, made.catalog)


@given(cataloged_steps())
def test_what_a_step_says_of_itself_never_makes_it_milder(made: Cataloged) -> None:
    planned = plan(made.steps, catalog=made.catalog)
    bare = [
        Step(name=step.name, action=step.action, parameters=step.parameters, dependencies=step.dependencies)
        for step in made.steps
    ]
    by_catalog = plan(bare, catalog=made.catalog).steps
    for own in made.steps:
        step, alone = planned.steps[own.name], by_catalog[own.name]
        assert EFFECTS.index(step.effect) == max(EFFECTS.index(alone.effect), EFFECTS.index(own.effect or "read"))
        timeouts = [seconds for seconds in (alone.timeout_seconds, own.timeout_seconds) if seconds is not None]
        assert step.timeout_seconds == min(timeouts, default=None)
        assert step.locks[: len(alone.locks)] == alone.locks
        assert set(step.locks) == {*alone.locks, *own.locks}
        assert len(step.locks) == len(set(step.locks))
        assert step.rollback == alone.rollback
        assert step.parameters == alone.parameters
        assert step.idempotent is (False if own.idempotent is False else alone.idempotent)
        assert step.retry == (None if alone.idempotent is False else own.retry)


@given(cataloged_steps())
def test_claims_are_told_exactly_where_they_are_milder(made: Cataloged) -> None:
    """Nothing is claimed any more by the steps of the plan."""
    planned = plan(made.steps, catalog=made.catalog)
    expected: List[str] = []
    for own in made.steps:
        action, step = made.catalog[own.action], planned.steps[own.name]
        if own.effect is not None and own.effect != step.effect:
            expected.append(own.name)
        if own.retry is not None and action.idempotent is False:
            expected.append(own.name)
        if own.idempotent is True and action.idempotent is not True:
            expected.append(own.name)
        if own.rollback not in (None, step.rollback):
            expected.append(own.name)
    found = listed(planned.problems, "overruled-field")
    assert found == [("warning", (name,)) for name in expected]
    assert listed(check(planned.workflow, catalog=made.catalog), "overruled-field") == []


@given(cataloged_steps(fields=batching_fields), settings_of_planning())
def test_locks_of_the_catalog_are_on_the_steps_and_hold_in_every_plan(made: Cataloged, how: ExecutionStrategy) -> None:
    planned = plan(made.steps, execution_strategy=how, catalog=made.catalog)
    for step in planned.workflow.steps:
        assert reference_locks(step, made.catalog) <= set(step.locks)
    for batch in planned.batches:
        held = Counter(lock for name in batch.steps for lock in planned.steps[name].locks)
        event(f"parallel: {batch.parallel}")
        assert not batch.parallel or max(held.values(), default=0) <= 1


# Runs of plans with a catalog


class Overlaps:
    """An executor that notes which locks are held, and by whom, whenever a step starts."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._holders: Dict[str, str] = {}
        self._done: Set[str] = set()
        self.wrong: List[Tuple[str, str, str]] = []

    def execute(self, call: StepCall) -> None:
        step = call.step
        with self._guard:
            self.wrong += [(self._holders[lock], step.name, lock) for lock in step.locks if lock in self._holders]
            self._holders.update(dict.fromkeys(step.locks, step.name))
        time.sleep(0.0003)
        with self._guard:
            for lock in step.locks:
                self._holders.pop(lock, None)
            self._done.add(step.name)

    @property
    def done(self) -> Set[str]:
        return self._done


@pytest.mark.parametrize("schedule", SCHEDULES)
@settings(max_examples=25)
@given(made=cataloged_steps(fields=contested_fields), on_conflict=st.sampled_from(("warn", "lock")))
def test_locks_of_the_catalog_hold_in_every_run(schedule: Any, made: Cataloged, on_conflict: Any) -> None:
    """No two steps that hold the same lock are ever in flight together."""
    catalog = {name: action.model_copy(update={"timeout_seconds": None}) for name, action in made.catalog.items()}
    planned = plan(made.steps, catalog=catalog, on_conflict=on_conflict)
    executor = Overlaps()
    report = run(planned, executor, schedule=schedule, max_parallel=8)
    assert report.ok
    assert executor.wrong == []
    assert executor.done == set(planned.steps)


def assert_nothing_overlaps_that_must_not(planned: ExecutionPlan, chosen: Choices, schedule: Any) -> None:
    """Walk the plan, with as much in flight as may be, and steps ending in an order that was chosen."""
    conflicting = {frozenset(pair[:2]) for pair in reference_conflicts(planned.workflow.steps)}
    progress = Progress(planned, schedule=schedule, max_parallel=8, run_id="r")
    flying: List[Step] = []
    ended: Set[str] = set()
    while progress.is_active():
        flying += [call.step for call in progress.get_ready(now=0)]
        for one, other in itertools.combinations(flying, 2):
            assert not set(one.locks) & set(other.locks)
            assert {one.name, other.name} not in conflicting
        for step in flying:
            assert ended.issuperset(step.dependencies)
        if flying:
            ending = flying.pop(chosen.below(len(flying)))
            ended.add(ending.name)
            progress.done(ending.name, now=0)
    assert ended == set(planned.steps)


@given(cataloged_steps(), settings_of_planning(), st.sampled_from(SCHEDULES), choices(0, 12))
def test_locks_of_the_catalog_hold_in_every_walk(
    made: Cataloged, how: ExecutionStrategy, schedule: Any, chosen: Choices
) -> None:
    planned = plan(made.steps, execution_strategy=how, catalog=made.catalog)
    assert_nothing_overlaps_that_must_not(planned, chosen, schedule)


@given(step_lists(fields=contested_fields), st.sampled_from(SCHEDULES), choices(0, 12))
def test_where_locking_is_enough_conflicting_steps_never_overlap(
    steps: List[Step], schedule: Any, chosen: Choices
) -> None:
    """Nor is a word said of them."""
    planned = plan(steps, on_conflict="lock")
    assert listed(planned.problems, "conflict") == []
    event(f"conflicts: {bool(reference_conflicts(steps))}")
    assert_nothing_overlaps_that_must_not(planned, chosen, schedule)


# Conflicts


@given(step_lists(fields=contested_fields, max_size=9))
def test_conflicts_are_those_of_the_rule(steps: List[Step]) -> None:
    expected = reference_conflicts(steps)
    event(f"conflicts: {min(len(expected), 5)}")
    conflicts = find_conflicts(steps)
    assert [(*conflict.steps, conflict.lock) for conflict in conflicts.listed] == expected
    assert conflicts.total == len(expected)


@given(step_lists(fields=contested_fields, max_size=9), st.integers(1, 4))
def test_conflicts_are_the_same_however_many_holders_are_looked_at_together(steps: List[Step], size: int) -> None:
    with mock.patch.object(conflicts_module, "_BLOCK", size):
        conflicts = find_conflicts(steps)
    assert conflicts == find_conflicts(steps)


@given(step_lists(fields=contested_fields, max_size=9), st.integers(1, 9), st.integers(1, 6))
def test_all_conflicts_are_counted_where_not_all_are_listed(steps: List[Step], size: int, most: int) -> None:
    expected = reference_conflicts(steps)
    with mock.patch.object(conflicts_module, "_BLOCK", size), mock.patch.object(conflicts_module, "_MOST_LISTED", most):
        conflicts = find_conflicts(steps)
    found = [(*conflict.steps, conflict.lock) for conflict in conflicts.listed]
    assert conflicts.total == len(expected)
    assert len(found) == len(set(found)) == min(most, len(expected))
    assert found == [pair for pair in expected if pair in set(found)]


@given(st.lists(st.tuples(st.sampled_from(EFFECTS), st.sets(st.sampled_from("xyz"))), min_size=20, max_size=60))
def test_conflicts_of_larger_graphs_are_those_of_the_rule(made: List[Tuple[Any, Set[str]]]) -> None:
    """Each step needs the one at half its number, and every third also the one before the last."""
    steps = [
        Step(
            name=f"s{number}",
            dependencies=[f"s{other}" for other in (number // 2, number - 2)[: 1 + (number % 3 == 0)] if other > 0],
            effect=effect,
            locks=sorted(locks),
        )
        for number, (effect, locks) in enumerate(made, start=1)
    ]
    expected = reference_conflicts(steps)
    for size in (3, 4096):
        with mock.patch.object(conflicts_module, "_BLOCK", size):
            assert find_conflicts(steps).total == len(expected)


@given(cataloged_steps(), st.booleans())
def test_a_plan_is_refused_for_a_conflict_if_and_only_if_there_is_one(made: Cataloged, with_catalog: bool) -> None:
    """All of them are told, as warnings or as errors, and nothing is said where locking is enough."""
    keywords: Dict[str, Any] = {"catalog": made.catalog if with_catalog else None}
    planned = plan(made.steps, on_conflict="lock", **keywords)
    expected = [pair[:2] for pair in reference_conflicts(planned.workflow.steps)]
    event(f"conflicts: {bool(expected)}")
    assert listed(planned.problems, "conflict") == []
    warned = plan(made.steps, on_conflict="warn", **keywords)
    assert warned == planned
    assert listed(warned.problems, "conflict") == [("warning", pair) for pair in expected]
    problems = check(made.steps, on_conflict="error", **keywords)
    assert listed(problems, "conflict") == [("error", pair) for pair in expected]
    if expected:
        with pytest.raises(InvalidWorkflowError) as raised:
            plan(made.steps, on_conflict="error", **keywords)
        assert raised.value.problems == problems
    else:
        assert plan(made.steps, on_conflict="error", **keywords) == planned


@given(cataloged_steps())
def test_conflicts_are_looked_for_with_every_catalog(made: Cataloged) -> None:
    assert check(made.steps, catalog=made.catalog) == check(made.steps, catalog=made.catalog, on_conflict="warn")


@given(cataloged_recommendations(), st.sampled_from(("action", "id")))
def test_conflicts_of_recommendations_speak_of_ids(made: CatalogedRecommendations, naming: Any) -> None:
    planned = plan(made.recommendations, catalog=made.catalog, naming=naming)
    ids = {step.name: step.recommendation_id for step in planned.workflow.steps}
    expected = [(ids[one], ids[other]) for one, other, _ in reference_conflicts(planned.workflow.steps)]
    assert listed(planned.problems, "conflict") == [("warning", pair) for pair in expected]


# Every problem at once


@st.composite
def planted_uses(draw: st.DrawFn) -> Tuple[List[Step], Known, List[Tuple[str, Tuple[str, ...]]]]:
    """Steps with defects of the graph, and some of unknown actions, or with a parameter that is no field."""
    made: Planted = draw(planted())
    known = draw(catalogs())
    names = sorted(known.catalog)
    steps = []
    defects = list(made.defects)
    for step in made.steps:
        action = draw(st.sampled_from(names))
        parameters = draw(known.fitting[action])
        what = draw(st.integers(0, 3))
        if what == 0:
            action = draw(st.sampled_from([text for text in UNKNOWN_ACTIONS if text]))
            defects.append(("unknown-action", (step.name,)))
        elif what == 1 and _refuses_unknown_keys(known.catalog[action]):
            parameters = {**parameters, "namespce": draw(st.sampled_from((None, 1, "prod", [], {"a": 1})))}
            defects.append(("invalid-parameters", (step.name,)))
        steps.append(Step(**{**vars(step), "action": action, "parameters": parameters}))
    return steps, known, defects


def _refuses_unknown_keys(action: Action) -> bool:
    return action.parameters is None or action.parameters.__name__ not in ("Open", "Counts")


@given(planted_uses(), FORMS)
def test_check_finds_everything_that_was_planted_and_nothing_else(
    made: Tuple[List[Step], Known, List[Tuple[str, Tuple[str, ...]]]], on_conflict: Any
) -> None:
    """In one pass: problems of the graph hide none of the catalog, nor the other way round."""
    steps, known, defects = made
    for code in {code for code, _ in defects}:
        event(code)
    for source in (steps, Workflow(steps=steps)):
        problems = assert_check_and_plan_agree(source, catalog=known.catalog, on_conflict=on_conflict)
        found = Counter((problem.code, problem.steps) for problem in problems if problem.code != "conflict")
        assert found == Counter(defects)


@given(planted_uses())
def test_problems_of_recommendations_are_the_same_and_speak_of_ids(
    made: Tuple[List[Step], Known, List[Tuple[str, Tuple[str, ...]]]],
) -> None:
    steps, known, defects = made
    recommendations = [
        Recommendation(
            id=step.name,
            action=step.action,
            parameters=step.parameters,
            dependencies=step.dependencies,
            metadata=step.metadata,
        )
        for step in steps
    ]
    problems = assert_check_and_plan_agree(recommendations, catalog=known.catalog)
    found = Counter((problem.code, problem.steps) for problem in problems if problem.code != "conflict")
    assert found == Counter(defects)


@given(cataloged_steps(), FORMS)
def test_check_lists_what_plan_raises_or_carries(made: Cataloged, on_conflict: Any) -> None:
    assert_check_and_plan_agree(made.steps, catalog=made.catalog, on_conflict=on_conflict)


@given(
    junk() | nearly_sound() | planted().map(lambda made: made.steps),
    st.one_of(junk(), st.dictionaries(st.text(max_size=3), junk() | st.just(Action()), max_size=3)),
)
def test_check_never_raises_whatever_the_catalog(source: Any, catalog: Any) -> None:
    assert_check_and_plan_agree(source, catalog=catalog)


@given(nearly_sound(), junk())
def test_check_never_raises_whatever_is_to_become_of_conflicts(source: Any, on_conflict: Any) -> None:
    assert_check_and_plan_agree(source, on_conflict=on_conflict)


@given(step_lists(max_size=3), catalogs(), json_objects(), st.data())
def test_check_never_raises_whatever_the_parameters(
    steps: List[Step], known: Known, parameters: Dict[str, Any], data: st.DataObject
) -> None:
    """If they fit, planning again gives the same."""
    action = data.draw(st.sampled_from(sorted(known.catalog)))
    steps = [Step(**{**vars(step), "action": action, "parameters": parameters}) for step in steps]
    problems = assert_check_and_plan_agree(steps, catalog=known.catalog)
    assert {problem.code for problem in problems if problem.severity == "error"} <= {"invalid-parameters"}
    if not any(problem.severity == "error" for problem in problems):
        planned = plan(steps, catalog=known.catalog)
        assert plan(planned.workflow, catalog=known.catalog) == planned == plan(planned.workflow)


@given(cataloged_steps(), st.data())
def test_whatever_the_functions_of_a_catalog_give_check_says_so(made: Cataloged, data: st.DataObject) -> None:
    """A plan, or errors of the catalog; never an exception."""
    given_ = data.draw(junk())
    field = data.draw(st.sampled_from(("locks", "rollback")))
    catalog = {
        name: action.model_copy(update={field: lambda _: given_, "timeout_seconds": None})
        for name, action in made.catalog.items()
    }
    problems = assert_check_and_plan_agree(made.steps, catalog=catalog)
    assert {problem.code for problem in problems if problem.severity == "error"} <= {"invalid-catalog"}


@given(junk() | nearly_sound(), catalogs())
def test_check_never_raises_whatever_is_planned_with_a_catalog(source: Any, known: Known) -> None:
    assert_check_and_plan_agree(source, catalog=known.catalog)


@given(cataloged_recommendations(), st.data())
def test_a_reading_with_a_catalog_is_planned_as_with_the_catalog(case: CatalogedRecommendations, data: Any) -> None:
    """For any items, changed ones too, and through JSON: the same plan, or a refusal that asks for the catalog."""
    dumped = json.dumps([item.model_dump(mode="json") for item in case.recommendations])
    reading, bare = read(dumped, catalog=case.catalog), read(dumped)
    assert reading.recommendations == bare.recommendations
    assert _says_the_same(reading, bare, case.catalog)
    if case.recommendations:
        id_ = data.draw(st.sampled_from([item.id for item in case.recommendations]))
        other = data.draw(st.sampled_from(case.recommendations))
        changes = {"action": other.action, "parameters": other.parameters}
        assert _says_the_same(reading.replace(id_, **changes), bare.replace(id_, **changes), case.catalog)


def _says_the_same(reading: Reading, bare: Reading, catalog: Dict[str, Action]) -> bool:
    loaded = Reading.model_validate_json(reading.model_dump_json())
    expected = check(bare, catalog=catalog)
    is_fine = all(problem.severity != "error" for problem in expected)
    assert loaded == reading
    assert reading.ok == loaded.ok == is_fine
    assert check(reading, catalog=catalog) == expected
    if is_fine:
        planned = plan(bare, catalog=catalog)
        assert plan(reading) == plan(loaded) == planned
    return True
