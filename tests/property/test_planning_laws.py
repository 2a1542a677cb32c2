"""What holds for every plan, whatever the steps: the planning rules P1 to P10 as laws."""

from __future__ import annotations

import copy
import itertools
import pickle
import random
from collections import Counter
from typing import Any, Callable, Dict, Iterator, List, Mapping, Sequence, Tuple

import pytest
from hypothesis import assume, event, example, given
from hypothesis import strategies as st
from pydantic import ValidationError
from strategies import (
    CYCLE,
    DEFECTS,
    DOCUMENT_KEYS,
    DUPLICATE_STEP,
    SELF_DEPENDENCY,
    UNKNOWN_MODE,
    Planted,
    batching_fields,
    is_name,
    json_objects,
    junk,
    locks,
    metadata,
    names,
    nearly_sound,
    needs,
    planted,
    recommendation_lists,
    settings_of_planning,
    some_of,
    step_lists,
    workflows,
)

from wfplan import (
    Compensation,
    ExecutionBatch,
    ExecutionPlan,
    ExecutionStrategy,
    InvalidWorkflowError,
    Problem,
    Reading,
    Recommendation,
    RetryPolicy,
    Step,
    Workflow,
    check,
    plan,
    read,
)
from wfplan.planner import (
    build_dependency_graph,
    calculate_execution_order,
    can_execute_in_parallel,
    determine_execution_strategy,
)

Batches = List[Tuple[Tuple[str, ...], bool]]

WARNINGS = {"duplicate-dependency", "unknown-execution-mode", "empty-workflow"}


# The rules P1 to P6 once more: brute force, word by word, sharing nothing with the library.


def reference_levels(needed: Mapping[str, Sequence[str]]) -> Dict[str, int]:
    """P1: one more than the deepest of the dependencies."""
    levels: Dict[str, int] = {}
    while len(levels) < len(needed):
        for name, own in needed.items():
            if all(other in levels for other in own):
                levels[name] = 1 + max((levels[other] for other in own), default=0)
    return levels


def longest_chain(needed: Mapping[str, Sequence[str]]) -> int:
    """The number of names in the longest chain, by walking every chain."""

    def longest_from(name: str) -> int:
        return 1 + max((longest_from(other) for other in needed[name]), default=0)

    return max((longest_from(name) for name in needed), default=0)


def is_hinted(step: Step) -> bool:
    """P3: `parallel` and `auto` are no hint, every other value counts as `sequential`."""
    return "execution_mode" in step.metadata and step.metadata["execution_mode"] not in ("parallel", "auto")


def may_overlap(steps: Sequence[Step]) -> bool:
    """P3, pair by pair."""
    if len(steps) < 2 or any(is_hinted(step) for step in steps):
        return False
    return not any(
        one.name in other.dependencies or other.name in one.dependencies or set(one.locks) & set(other.locks)
        for one, other in itertools.combinations(steps, 2)
    )


def reference_parts(steps: Sequence[Step]) -> List[List[Step]]:
    """P5: in declared order, each goes into the part after the last one that holds any of its locks."""
    parts: List[List[Step]] = []
    for step in steps:
        place = 0
        for number, part in enumerate(parts):
            if any(set(step.locks) & set(other.locks) for other in part):
                place = number + 1
        if place == len(parts):
            parts.append([])
        parts[place].append(step)
    return parts


def reference_batches(steps: Sequence[Step], settings: ExecutionStrategy) -> Batches:
    """P1 to P5."""
    levels = reference_levels({step.name: step.dependencies for step in steps})
    batches: Batches = []
    for level in sorted(set(levels.values())):
        due = [step for step in steps if levels[step.name] == level]
        hinted = [step for step in due if is_hinted(step)]
        if hinted and not settings.isolate_sequential:
            batches.append((tuple(step.name for step in due), False))
            continue
        for part in reference_parts([step for step in due if not is_hinted(step)]):
            size = settings.max_batch_size or len(part)
            for start in range(0, len(part), size):
                chunk = part[start : start + size]
                batches.append((tuple(step.name for step in chunk), may_overlap(chunk)))
        batches.extend(((step.name,), False) for step in hinted)
    if settings.mode == "sequential":
        batches = [(names_, False) for names_, _ in batches]
    return batches


def reference_strategy(batches: Batches) -> str:
    """P6."""
    if len(batches) == 1 and batches[0][1]:
        return "parallel"
    return "sequential-with-parallel" if any(parallel for _, parallel in batches) else "sequential"


def batches_of(planned: ExecutionPlan) -> Batches:
    """The batches of a plan, the numbers of which are 1, 2, 3 ..."""
    assert [batch.number for batch in planned.batches] == list(range(1, len(planned.batches) + 1))
    return [(batch.steps, batch.parallel) for batch in planned.batches]


def assert_follows_the_rules(steps: Sequence[Step], settings: ExecutionStrategy) -> None:
    planned = plan(Workflow(steps=steps, execution_strategy=settings))
    expected = reference_batches(steps, settings)
    assert batches_of(planned) == expected
    assert planned.strategy == reference_strategy(expected)


# P1, P2: levels and order


@given(step_lists(), settings_of_planning())
def test_every_step_is_in_exactly_one_batch(steps: List[Step], settings: ExecutionStrategy) -> None:
    """Nothing is lost, nothing is there twice."""
    planned = plan(steps, execution_strategy=settings)
    assert Counter(name for batch in planned.batches for name in batch.steps) == Counter(step.name for step in steps)
    assert all(batch.steps for batch in planned.batches)
    assert list(planned.steps) == [step.name for step in steps]
    assert list(planned.steps.values()) == steps


@given(step_lists(), settings_of_planning())
def test_dependencies_are_in_earlier_batches(steps: List[Step], settings: ExecutionStrategy) -> None:
    planned = plan(steps, execution_strategy=settings)
    number_of = {name: batch.number for batch in planned.batches for name in batch.steps}
    for step in steps:
        assert all(number_of[needed] < number_of[step.name] for needed in step.dependencies)


@given(needs())
def test_levels_are_minimal(mapping: Dict[str, List[str]]) -> None:
    """Where nothing splits a level, a batch is a level, and there are as many as the longest chain has steps."""
    planned = plan(mapping)
    number_of = {name: batch.number for batch in planned.batches for name in batch.steps}
    assert len(planned.batches) == longest_chain(mapping)
    for name, needed in mapping.items():
        assert number_of[name] == 1 + max((number_of[other] for other in needed), default=0)


@given(step_lists())
def test_levels_of_the_graph_are_those_of_the_rule(steps: List[Step]) -> None:
    """Hints and locks split batches, but never change a level."""
    levels = build_dependency_graph(steps).levels()
    expected = reference_levels({step.name: step.dependencies for step in steps})
    assert {name: number for number, level in enumerate(levels, 1) for name in level} == expected


@given(step_lists(), st.randoms(use_true_random=False))
def test_levels_are_the_same_under_shuffling(steps: List[Step], chance: random.Random) -> None:
    shuffled = list(steps)
    chance.shuffle(shuffled)
    one, other = build_dependency_graph(steps).levels(), build_dependency_graph(shuffled).levels()
    assert list(map(set, one)) == list(map(set, other))


@given(needs(), st.randoms(use_true_random=False))
def test_batches_are_the_same_sets_under_shuffling(mapping: Dict[str, List[str]], chance: random.Random) -> None:
    shuffled = list(mapping.items())
    chance.shuffle(shuffled)
    one, other = plan(mapping), plan(dict(shuffled))
    assert [set(batch.steps) for batch in one.batches] == [set(batch.steps) for batch in other.batches]
    assert one.strategy == other.strategy


@given(step_lists(), settings_of_planning())
def test_declared_order_decides_inside_a_batch(steps: List[Step], settings: ExecutionStrategy) -> None:
    declared = [step.name for step in steps]
    for batch in plan(steps, execution_strategy=settings).batches:
        assert list(batch.steps) == sorted(batch.steps, key=declared.index)


@given(needs())
def test_levels_are_the_generations_of_networkx(mapping: Dict[str, List[str]]) -> None:
    networkx = pytest.importorskip("networkx")
    graph = networkx.DiGraph()
    graph.add_nodes_from(mapping)
    graph.add_edges_from((needed, name) for name, own in mapping.items() for needed in own)
    generations = [set(generation) for generation in networkx.topological_generations(graph)]
    assert [set(batch.steps) for batch in plan(mapping).batches] == generations


# P3 to P6: hints, locks, size, mode, strategy


@given(step_lists(fields=batching_fields), settings_of_planning())
def test_batches_and_strategy_follow_the_rules(steps: List[Step], settings: ExecutionStrategy) -> None:
    """P1 to P6 against a second implementation."""
    event(f"{plan(steps, execution_strategy=settings).strategy}")
    assert_follows_the_rules(steps, settings)


def _every_level_of_three() -> Iterator[List[Step]]:
    kinds = list(itertools.product(({}, {"execution_mode": "sequential"}), ((), ("x",), ("y",), ("x", "y"))))
    choices = [[Step(name=name, metadata=hint, locks=held) for hint, held in kinds] for name in "abc"]
    return map(list, itertools.product(*choices))


@pytest.mark.parametrize("size", [None, 1, 2])
@pytest.mark.parametrize("isolate", [False, True])
@pytest.mark.parametrize("mode", ["auto", "sequential"])
def test_every_combination_in_a_level_of_three_follows_the_rules(mode: Any, isolate: bool, size: Any) -> None:
    """Hint or none, each set of two locks, for each of three steps: all 512 levels, under all settings."""
    settings = ExecutionStrategy(mode=mode, isolate_sequential=isolate, max_batch_size=size)
    for steps in _every_level_of_three():
        assert_follows_the_rules(steps, settings)


@given(step_lists(fields=batching_fields), settings_of_planning())
def test_a_batch_is_parallel_if_its_steps_may_overlap(steps: List[Step], settings: ExecutionStrategy) -> None:
    """P3: `parallel` is the answer of the check, not the size; in mode `sequential` it is always False."""
    planned = plan(steps, execution_strategy=settings)
    for batch in planned.batches:
        answer = can_execute_in_parallel([planned.steps[name] for name in batch.steps])
        assert batch.parallel == (answer and settings.mode == "auto")


@given(step_lists(fields=batching_fields, max_size=9), st.data())
def test_parallel_check_is_the_rule(steps: List[Step], data: st.DataObject) -> None:
    """P3 for any steps, not only those of one level."""
    chosen = data.draw(st.lists(st.sampled_from(steps), unique_by=lambda step: step.name) if steps else st.just([]))
    assert can_execute_in_parallel(chosen) == may_overlap(chosen)
    assert can_execute_in_parallel(iter(chosen)) == may_overlap(chosen)


@given(step_lists(fields=batching_fields), settings_of_planning())
def test_no_parallel_batch_is_unsafe_or_too_large(steps: List[Step], settings: ExecutionStrategy) -> None:
    """P5: a backend may start a whole parallel batch at once."""
    planned = plan(steps, execution_strategy=settings)
    for batch in planned.batches:
        if batch.parallel:
            held = Counter(lock for name in batch.steps for lock in set(planned.steps[name].locks))
            assert max(held.values(), default=0) <= 1
            assert not any(is_hinted(planned.steps[name]) for name in batch.steps)
            assert settings.mode == "auto"
            assert settings.max_batch_size is None or len(batch.steps) <= settings.max_batch_size


@given(step_lists(fields=batching_fields), settings_of_planning())
def test_stages_give_what_plan_gives(steps: List[Step], settings: ExecutionStrategy) -> None:
    """Graph, order and strategy, each called alone, are the plan in mode `auto`."""
    settings = ExecutionStrategy(**{**settings.model_dump(), "mode": "auto"})
    planned = plan(steps, execution_strategy=settings)
    batches = calculate_execution_order(
        build_dependency_graph(steps),
        isolate_sequential=settings.isolate_sequential,
        max_batch_size=settings.max_batch_size,
    )
    assert batches == planned.batches
    assert determine_execution_strategy(batches) == planned.strategy


@given(step_lists(fields=batching_fields))
def test_every_unknown_mode_is_warned_of(steps: List[Step]) -> None:
    """P3: it counts as sequential, on the safe side, and the plan says so."""
    unknown = [
        step.name
        for step in steps
        if "execution_mode" in step.metadata
        and step.metadata["execution_mode"] not in ("sequential", "parallel", "auto")
    ]
    told = [problem for problem in plan(steps).problems if problem.code == UNKNOWN_MODE]
    assert [problem.steps for problem in told] == [(name,) for name in unknown]
    assert {problem.severity for problem in told} <= {"warning"}


# Settings and plans as values


@given(workflows())
def test_planning_a_plans_workflow_gives_the_plan(workflow: Workflow) -> None:
    planned = plan(workflow)
    again = plan(planned.workflow)
    assert again == planned
    assert (again.workflow, again.batches, again.strategy) == (planned.workflow, planned.batches, planned.strategy)
    assert again.fingerprint == planned.fingerprint


@given(
    workflows(),
    st.none() | settings_of_planning(),
    st.sampled_from((None, False, True)),
    st.none() | st.integers(1, 4),
)
def test_keywords_take_the_place_of_the_workflows_settings(
    workflow: Workflow, settings: ExecutionStrategy | None, isolate: Any, size: int | None
) -> None:
    """A keyword that is given is recorded in the plan's own workflow; all else stays."""
    planned = plan(workflow, execution_strategy=settings, isolate_sequential=isolate, max_batch_size=size)
    expected = dict((settings or workflow.execution_strategy).model_dump())
    if isolate is not None:
        expected["isolate_sequential"] = isolate
    if size is not None:
        expected["max_batch_size"] = size
    assert planned.workflow.execution_strategy.model_dump() == expected
    assert (planned.workflow.steps, planned.workflow.name) == (workflow.steps, workflow.name)
    assert batches_of(planned) == reference_batches(workflow.steps, planned.workflow.execution_strategy)
    again = plan(planned.workflow)
    assert again == planned
    assert again.fingerprint == planned.fingerprint


@given(step_lists())
def test_every_form_of_the_same_steps_gives_the_same_plan(steps: List[Step]) -> None:
    """A list, a tuple, an iterator, a workflow and a reading of it."""
    planned = plan(steps)
    workflow = Workflow(steps=steps)
    for source in (tuple(steps), iter(steps), workflow, Reading(workflow=workflow)):
        assert plan(source) == planned


@given(needs())
def test_a_mapping_is_steps_with_names_and_dependencies(mapping: Dict[str, List[str]]) -> None:
    assert plan(mapping) == plan([Step(name=name, dependencies=needed) for name, needed in mapping.items()])


@pytest.mark.parametrize("name", DOCUMENT_KEYS)
def test_a_step_may_have_the_name_of_a_key_of_documents(name: str) -> None:
    """Alone, it is taken for a document only where it could be one: a list of nothing under the key of a list."""
    for mapping in ({name: [], "then": [name]}, {name: ["first"], "first": []}):
        assert plan(mapping).strategy == "sequential"
    if name in ("recommendations", "steps"):
        (problem,) = check({name: []})
        assert problem.code == "invalid-document"
        assert "read" in problem.suggestion
    else:
        assert [batch.steps for batch in plan({name: []}).batches] == [(name,)]


@pytest.mark.parametrize(
    "source", [[], (), {}, Workflow(steps=[]), Reading(), iter([])], ids=lambda source: type(source).__name__
)
def test_empty_is_a_plan_without_batches(source: Any) -> None:
    """P9: strategy `sequential`, with a warning."""
    planned = plan(source)
    assert (planned.batches, planned.strategy) == ((), "sequential")
    assert [(problem.code, problem.severity) for problem in planned.problems] == [("empty-workflow", "warning")]
    assert dict(planned.steps) == {}
    assert plan(planned.workflow) == planned


# Round trips


@given(workflows())
def test_workflows_survive_json(workflow: Workflow) -> None:
    text = workflow.model_dump_json()
    assert Workflow.model_validate_json(text) == workflow
    assert Workflow.model_validate_json(text).model_dump_json() == text
    assert Workflow.model_validate(workflow.model_dump()) == workflow
    assert Workflow.model_validate(workflow.model_dump(mode="json")) == workflow


@given(workflows())
def test_plans_survive_json(workflow: Workflow) -> None:
    planned = plan(workflow)
    text = planned.model_dump_json()
    for loaded in (
        ExecutionPlan.model_validate_json(text),
        ExecutionPlan.model_validate(planned.model_dump()),
        ExecutionPlan.model_validate(planned.model_dump(mode="json")),
    ):
        assert loaded == planned
        assert loaded.problems == planned.problems
        assert loaded.fingerprint == planned.fingerprint
        assert loaded.model_dump_json() == text


@given(workflows(), st.integers(0, pickle.HIGHEST_PROTOCOL), st.booleans())
def test_workflows_and_plans_survive_pickling(workflow: Workflow, protocol: int, looked_at: bool) -> None:
    """In every protocol, also where the plan's steps have been looked at before."""
    planned = plan(workflow)
    if looked_at:
        assert len(planned.steps) == len(workflow.steps)
    assert pickle.loads(pickle.dumps(workflow, protocol)) == workflow
    again = pickle.loads(pickle.dumps(planned, protocol))
    assert again == planned
    assert again.problems == planned.problems
    assert dict(again.steps) == dict(planned.steps)
    assert again.model_dump_json() == planned.model_dump_json()


@given(workflows(), st.booleans())
def test_workflows_and_plans_survive_copying(workflow: Workflow, looked_at: bool) -> None:
    planned = plan(workflow)
    if looked_at:
        assert len(planned.steps) == len(workflow.steps)
    for copied in (copy.copy, copy.deepcopy):
        assert copied(workflow) == workflow
        assert copied(planned) == planned
        assert dict(copied(planned).steps) == dict(planned.steps)
        assert copied(planned).model_dump_json() == planned.model_dump_json()


@given(planted())
def test_the_error_survives_pickling(made: Planted) -> None:
    """So a pool of processes can hand it back."""
    assume(any(code not in WARNINGS for code, _ in made.defects))
    with pytest.raises(InvalidWorkflowError) as raised:
        plan(made.steps)
    error = raised.value
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is InvalidWorkflowError
    assert (again.problems, again.reason, str(again)) == (error.problems, error.reason, str(error))


@given(workflows())
def test_dumps_of_workflows_are_read(workflow: Workflow) -> None:
    planned = plan(workflow)
    for dump in (
        workflow.model_dump_json(),
        workflow.model_dump_json(indent=1).encode(),
        workflow.model_dump(mode="json"),
        workflow.model_dump(),
    ):
        reading = read(dump)
        assert reading.ok
        assert reading.workflow == workflow
        assert plan(reading) == planned
        assert plan(reading).fingerprint == planned.fingerprint
        assert [problem.code for problem in reading.problems] == [problem.code for problem in planned.problems]


@given(workflows())
def test_json_dumps_of_plans_are_read(workflow: Workflow) -> None:
    planned = plan(workflow)
    for dump in (
        planned.model_dump_json(),
        planned.model_dump_json(indent=1).encode(),
        planned.model_dump(mode="json"),
    ):
        reading = read(dump)
        assert reading.ok
        assert reading.workflow == planned.workflow
        assert plan(reading) == planned
        assert plan(reading).fingerprint == planned.fingerprint


@given(workflows())
def test_python_dumps_of_plans_are_read(workflow: Workflow) -> None:
    """`model_dump()` without a mode leaves tuples where JSON has lists: it is the same plan."""
    planned = plan(workflow)
    reading = read(planned.model_dump())
    assert reading.problems == read(planned.model_dump(mode="json")).problems
    assert plan(reading) == planned


@given(recommendation_lists())
def test_recommendations_are_read_as_they_were_written(recommendations: List[Recommendation]) -> None:
    dumps = [recommendation.model_dump(mode="json") for recommendation in recommendations]
    for document in (dumps, {"recommendations": dumps}):
        reading = read(document)
        assert list(reading.recommendations) == recommendations
        assert plan(reading) == plan(recommendations)
        assert plan(reading, naming="id") == plan(recommendations, naming="id")


# Batches that do not follow from the workflow


Batch = Dict[str, Any]


def _swap(one: Batch, other: Batch) -> None:
    for key in ("steps", "parallel"):
        one[key], other[key] = other[key], one[key]


def _merge(batches: List[Batch], one: Batch, other: Batch) -> None:
    if one is not other:
        one["steps"].extend(other["steps"])
        batches.remove(other)
        for number, batch in enumerate(batches, 1):
            batch["number"] = number


_TAMPERING: Dict[str, Callable[[List[Batch], Batch, Batch], Any]] = {
    "the mark": lambda _, one, __: one.update(parallel=not one["parallel"]),
    "the number": lambda _, one, __: one.update(number=one["number"] + 1),
    "one is left out": lambda batches, one, _: batches.remove(one),
    "one is there twice": lambda batches, one, _: batches.append(copy.deepcopy(one)),
    "two are swapped": lambda _, one, other: _swap(one, other),
    "two are merged": _merge,
    "another order in it": lambda _, one, __: one["steps"].reverse(),
    "a step is moved": lambda _, one, other: other["steps"].append(one["steps"].pop()),
    "a step is left out": lambda _, one, __: one["steps"].pop(),
    "a step is there twice": lambda _, one, other: other["steps"].append(one["steps"][0]),
}


@given(step_lists(fields=batching_fields, min_size=1), settings_of_planning(), st.data())
def test_tampered_batches_and_strategy_are_refused(
    steps: List[Step], settings: ExecutionStrategy, data: st.DataObject
) -> None:
    """Loading a plan checks that batches and strategy are what its workflow gives; so does reading it."""
    genuine = plan(steps, execution_strategy=settings).model_dump(mode="json")
    tampered = copy.deepcopy(genuine)
    kind = data.draw(st.sampled_from(("strategy", *_TAMPERING)))
    event(kind)
    if kind == "strategy":
        tampered["strategy"] = data.draw(st.sampled_from(("sequential", "parallel", "sequential-with-parallel")))
    else:
        batches = tampered["batches"]
        _TAMPERING[kind](batches, *(data.draw(st.sampled_from(batches)) for _ in range(2)))
    assume(tampered != genuine)
    with pytest.raises(ValidationError):
        ExecutionPlan.model_validate(tampered)
    made = [
        ExecutionBatch.model_construct(**{**batch, "steps": tuple(batch["steps"])}) for batch in tampered["batches"]
    ]
    with pytest.raises(ValidationError):
        ExecutionPlan(
            workflow=Workflow.model_validate(tampered["workflow"]), batches=made, strategy=tampered["strategy"]
        )
    reading = read(tampered)
    assert not reading.ok
    assert {problem.code for problem in reading.problems} <= {"invalid-document", UNKNOWN_MODE}
    with pytest.raises(InvalidWorkflowError):
        plan(reading)


@given(step_lists(min_size=2), settings_of_planning(), st.data())
def test_a_tampered_workflow_is_refused(steps: List[Step], settings: ExecutionStrategy, data: st.DataObject) -> None:
    """Batches that another workflow would give are refused with this one."""
    genuine = plan(steps, execution_strategy=settings)
    changed = data.draw(step_lists(min_size=2) | st.permutations(steps))
    dump = genuine.model_dump(mode="json")
    dump["workflow"]["steps"] = [step.model_dump(mode="json") for step in changed]
    fits = reference_batches(changed, settings) == batches_of(genuine)
    event(f"fits: {fits}")
    if fits:
        assert ExecutionPlan.model_validate(dump).workflow.steps == tuple(changed)
    else:
        with pytest.raises(ValidationError):
            ExecutionPlan.model_validate(dump)


@given(planted())
def test_a_plan_of_a_broken_workflow_is_refused(made: Planted) -> None:
    """No batches make a plan of a workflow that cannot be planned."""
    assume(any(code not in WARNINGS for code, _ in made.defects))
    steps = [step.model_dump(mode="json") for step in made.steps]
    batches = [{"number": 1, "steps": [step.name for step in made.steps], "parallel": False}]
    for offered in (batches, []):
        with pytest.raises(ValidationError):
            ExecutionPlan.model_validate({"workflow": {"steps": steps}, "batches": offered, "strategy": "sequential"})


# P7, what is wrong with the steps


def found(problems: Sequence[Problem]) -> Counter[Tuple[str, Tuple[str, ...]]]:
    """Code and steps of each problem; each has the severity of its code, errors are first."""
    severities = [problem.severity for problem in problems]
    assert severities == sorted(severities, key=("error", "warning", "info").index)
    assert severities == ["warning" if problem.code in WARNINGS else "error" for problem in problems]
    assert all(problem.message for problem in problems)
    return Counter((problem.code, problem.steps) for problem in problems)


@given(planted())
def test_check_finds_what_was_planted_and_nothing_else(made: Planted) -> None:
    """P7: every problem at once; a cycle names its members only, from the first declared, each needing the next."""
    for code in {code for code, _ in made.defects}:
        event(code)
    expected = Counter(made.defects)
    assert found(check(made.steps)) == expected
    assert found(check(Workflow(steps=made.steps))) == expected
    assert found(check(Reading(workflow=Workflow(steps=made.steps)))) == expected
    assert all(not problem.location for problem in check(made.steps))


@given(planted())
def test_problems_of_recommendations_speak_of_ids(made: Planted) -> None:
    expected = Counter(made.defects)
    assert found(check(made.recommendations)) == expected
    assert found(check(made.recommendations, naming="id")) == expected
    assert found(check(Reading(recommendations=made.recommendations))) == expected


@given(planted(among=[code for code in DEFECTS if code not in (DUPLICATE_STEP, UNKNOWN_MODE)]))
def test_check_finds_what_was_planted_in_a_mapping(made: Planted) -> None:
    """A name that occurs only as a dependency is unknown."""
    assert found(check(made.mapping)) == Counter(made.defects)


@given(planted())
def test_read_finds_what_was_planted(made: Planted) -> None:
    """As `check` does, in text and in objects."""
    steps = {"steps": [step.model_dump(mode="json") for step in made.steps]}
    text = Workflow(steps=made.steps).model_dump_json()
    recommendations = [recommendation.model_dump(mode="json") for recommendation in made.recommendations]
    for document in (steps, text, recommendations):
        problems = [problem for problem in read(document).problems if problem.code != "no-dependencies"]
        assert found(problems) == Counter(made.defects)


def _at(document: Any, pointer: str) -> Any:
    """What a JSON pointer points to."""
    for part in pointer.split("/")[1:]:
        key = part.replace("~1", "/").replace("~0", "~")
        document = document[int(key)] if isinstance(document, list) else document[key]
    return document


@given(planted(among=[code for code in DEFECTS if code != CYCLE]))
def test_pointers_point_to_the_step_and_the_very_dependency(made: Planted) -> None:
    """Every finding in a document has a pointer into it."""
    document = {"steps": [step.model_dump(mode="json") for step in made.steps]}
    for problem in read(document).problems:
        head, number = problem.location.split("/")[1:3]
        assert head == "steps"
        assert (document["steps"][int(number)]["name"],) == problem.steps
        pointed = _at(document, problem.location)
        if problem.code == SELF_DEPENDENCY:
            assert (pointed,) == problem.steps
        elif problem.code == "unknown-dependency":
            assert pointed in document["steps"][int(number)]["dependencies"]
            assert pointed not in [step["name"] for step in document["steps"]]
        elif problem.code == UNKNOWN_MODE:
            assert pointed not in ("sequential", "parallel", "auto")
        elif problem.code == DUPLICATE_STEP:
            assert (pointed,) == problem.steps


@given(planted(among=[CYCLE]))
def test_the_pointer_of_a_cycle_points_to_one_of_its_steps(made: Planted) -> None:
    """Every finding in a document has a pointer into it."""
    document = {"steps": [step.model_dump(mode="json") for step in made.steps]}
    for problem in read(document).problems:
        assert problem.location.startswith("/steps/")
        assert document["steps"][int(problem.location.split("/")[2])]["name"] in problem.steps


@given(planted(among=[CYCLE]))
def test_a_cycle_is_told_as_a_path(made: Planted) -> None:
    """`a needs c, c needs b, b needs a`, the names in quotes."""
    for problem in check(made.steps):
        quoted = ['"' + name.replace('"', '\\"') + '"' for name in problem.steps]
        hops = [f"{name} needs {needed}" for name, needed in zip(quoted, (*quoted[1:], quoted[0]))]
        assert problem.message == ", ".join(hops)


@given(planted(), settings_of_planning())
def test_plan_refuses_exactly_what_check_finds_an_error_in(made: Planted, settings: ExecutionStrategy) -> None:
    """Errors refuse, with every problem; warnings ride along."""
    problems = check(made.steps, execution_strategy=settings)
    if any(problem.severity == "error" for problem in problems):
        with pytest.raises(InvalidWorkflowError) as raised:
            plan(made.steps, execution_strategy=settings)
        assert raised.value.problems == problems
        assert raised.value.reason == "dependency_resolution_failed"
    else:
        assert plan(made.steps, execution_strategy=settings).problems == problems


@given(planted())
def test_the_graph_refuses_unknown_and_duplicate_names_and_the_order_refuses_cycles(made: Planted) -> None:
    """The stages by themselves: what `build_dependency_graph` refuses, and what is left for the order to refuse."""
    codes = {code for code, _ in made.defects}
    if codes & {"unknown-dependency", DUPLICATE_STEP}:
        with pytest.raises(InvalidWorkflowError) as raised:
            build_dependency_graph(made.steps)
        assert raised.value.reason == "dependency_resolution_failed"
        assert found(raised.value.problems) == Counter(made.defects)
        return
    graph = build_dependency_graph(made.steps)
    if codes & {CYCLE, SELF_DEPENDENCY}:
        with pytest.raises(InvalidWorkflowError) as raised:
            calculate_execution_order(graph)
        assert raised.value.reason == "execution_order_failed"
        assert found(raised.value.problems) == Counter(
            defect for defect in made.defects if defect[0] in (CYCLE, SELF_DEPENDENCY)
        )
    else:
        assert calculate_execution_order(graph) == plan(made.steps).batches


# check never raises


def assert_check_and_plan_agree(source: Any, **keywords: Any) -> None:
    """`check` returns, with problems that can be printed and dumped; `plan` raises if one of them is an error."""
    problems = check(source, **keywords)
    assert type(problems) is tuple
    for problem in problems:
        assert type(problem) is Problem
        str(problem).encode()
        assert Problem.model_validate_json(problem.model_dump_json()) == problem
    if any(problem.severity == "error" for problem in problems):
        with pytest.raises(InvalidWorkflowError) as raised:
            plan(source, **keywords)
        assert [problem for problem in raised.value.problems if problem.severity == "error"] == [
            problem for problem in problems if problem.severity == "error"
        ]
    else:
        planned = plan(source, **keywords)
        assert planned.problems == tuple(problem for problem in problems if problem.severity == "warning")


@given(junk() | nearly_sound())
def test_check_never_raises_and_plan_raises_exactly_if_it_has_an_error(source: Any) -> None:
    assert_check_and_plan_agree(source)


@given(
    nearly_sound(), st.sampled_from(("naming", "execution_strategy", "isolate_sequential", "max_batch_size")), junk()
)
def test_check_never_raises_whatever_the_keywords(source: Any, keyword: str, value: Any) -> None:
    assert_check_and_plan_agree(source, **{keyword: value})


@given(junk() | nearly_sound())
def test_read_never_raises_and_a_reading_is_ok_exactly_if_it_can_be_planned(source: Any) -> None:
    for reading in (read(source), source if isinstance(source, Reading) else Reading()):
        problems = check(reading)
        assert reading.ok == (not any(problem.severity == "error" for problem in problems))
        assert_check_and_plan_agree(reading)


class _Raising:
    """Raises whatever is asked of it."""

    def _raise(self, *_: object, **__: object) -> Any:
        raise RuntimeError("no")

    __repr__ = __str__ = __eq__ = __bool__ = __len__ = __iter__ = __getitem__ = __contains__ = _raise
    __hash__ = object.__hash__


class _RaisingMapping(Mapping[str, Any]):
    """A mapping whose entries cannot be had."""

    def __getitem__(self, key: str) -> Any:
        raise RuntimeError("no")

    def __iter__(self) -> Iterator[str]:
        return iter("ab")

    def __len__(self) -> int:
        return 2


def _raising_iterator() -> Iterator[Step]:
    yield Step(name="a")
    raise RuntimeError("no")


def _nested(depth: int, kind: Callable[[Any], Any]) -> Any:
    value: Any = "a"
    for _ in range(depth):
        value = kind(value)
    return value


def _holding_itself() -> List[Any]:
    value: List[Any] = []
    value.append(value)
    return value


_HOSTILE: Dict[str, Callable[[], Any]] = {
    "object that raises": _Raising,
    "list of objects that raise": lambda: [_Raising()],
    "steps, then an object that raises": lambda: [Step(name="a"), _Raising()],
    "mapping to an object that raises": lambda: {"a": _Raising()},
    "mapping to a list of objects that raise": lambda: {"a": [_Raising()]},
    "mapping from an object that raises": lambda: {_Raising(): []},
    "mapping that raises": _RaisingMapping,
    "iterator that raises": _raising_iterator,
    "number of 5,001 digits": lambda: 10**5000,
    "mapping from a number of 5,001 digits": lambda: {10**5000: []},
    "mapping to a number of 5,001 digits": lambda: {"a": 10**5000},
    "mapping to a list of a number of 5,001 digits": lambda: {"a": [10**5000]},
    "list that holds itself": _holding_itself,
    "mapping to a list that holds itself": lambda: {"a": _holding_itself()},
    "list of 100,000 levels": lambda: _nested(100_000, lambda value: [value]),
    "mapping to a list of 100,000 levels": lambda: {"a": _nested(100_000, lambda value: [value])},
    "mapping of 100,000 levels": lambda: _nested(100_000, lambda value: {"a": value}),
    "class of a mapping": lambda: dict,
    "class Step": lambda: Step,
}
_UNCHECKED: Dict[str, Callable[[], Any]] = {
    "step without a name": lambda: [Step.model_construct()],
    "step whose name is a list": lambda: [Step.model_construct(name=["a"])],
    "step whose name is a number": lambda: [Step.model_construct(name=1)],
    "step whose dependencies are null": lambda: [Step.model_construct(name="a", dependencies=None)],
    "step whose dependencies are a text": lambda: [Step.model_construct(name="a", dependencies="a")],
    "step whose dependencies are lists": lambda: [Step.model_construct(name="a", dependencies=[["a"]])],
    "step whose metadata are null": lambda: [Step.model_construct(name="a", metadata=None)],
    "step whose locks are null": lambda: [Step.model_construct(name="a", locks=None)],
    "step whose locks are a number": lambda: [Step.model_construct(name="a", locks=1)],
    "recommendation without an action": lambda: [Recommendation.model_construct(id="a")],
    "recommendation whose action is null": lambda: [Recommendation.model_construct(id="a", action=None)],
    "workflow without steps": Workflow.model_construct,
    "workflow whose steps are null": lambda: Workflow.model_construct(steps=None),
    "workflow without settings": lambda: Workflow.model_construct(steps=(), execution_strategy=None),
    "workflow of texts": lambda: Workflow.model_construct(steps=("a", "b")),
    "reading whose problems are null": lambda: Reading.model_construct(problems=None),
    "reading whose recommendations are null": lambda: Reading.model_construct(recommendations=None),
}


@pytest.mark.parametrize("make", _HOSTILE.values(), ids=_HOSTILE)
def test_check_never_raises_on_hostile_objects(make: Callable[[], Any]) -> None:
    """Nor does `plan` raise anything but InvalidWorkflowError, and only if `check` has an error."""
    _assert_check_never_raises(make)


@pytest.mark.parametrize("make", _UNCHECKED.values(), ids=_UNCHECKED)
def test_check_never_raises_on_models_made_without_their_checks(make: Callable[[], Any]) -> None:
    """Whoever uses `model_construct` answers for what `plan` then does, but `check` has an answer."""
    assert isinstance(check(make()), tuple)


def _assert_check_never_raises(make: Callable[[], Any]) -> None:
    problems = check(make())
    if any(problem.severity == "error" for problem in problems):
        with pytest.raises(InvalidWorkflowError):
            plan(make())
    else:
        plan(make())


# P8: names of recommendations


def reference_names(recommendations: Sequence[Recommendation]) -> List[str]:
    """P8, word by word."""
    actions = [recommendation.action for recommendation in recommendations]

    def is_others_id(name: str, own: Recommendation) -> bool:
        return any(other.id == name for other in recommendations if other is not own)

    named: Dict[str, str] = {}
    for recommendation in recommendations:
        action = recommendation.action
        if is_name(action) and actions.count(action) == 1 and not is_others_id(action, recommendation):
            named[recommendation.id] = action
    for recommendation in recommendations:
        if recommendation.id in named:
            continue
        longer = f"{recommendation.action}-{recommendation.id}"
        fits = is_name(longer) and longer not in named.values() and not is_others_id(longer, recommendation)
        named[recommendation.id] = longer if fits and actions.count(recommendation.action) > 1 else recommendation.id
    return [named[recommendation.id] for recommendation in recommendations]


def _of_pairs(*pairs: Tuple[str, str]) -> List[Recommendation]:
    return [Recommendation(id=id_, action=action) for id_, action in pairs]


@given(recommendation_lists())
@example(_of_pairs(("b", "a"), ("x", "a"), ("y", "a-b")))  # what the first two would be made into is an action
@example(_of_pairs(("b-c", "a"), ("x", "a"), ("c", "a-b"), ("y", "a-b")))  # two are made into the same
@example(_of_pairs(("b", "a"), ("x", "a"), ("a-b", "c")))  # or into the id of another
@example(_of_pairs(("b", "a"), ("a", "c")))  # an action is the id of another
@example(_of_pairs(("a", "a"), ("b", "c")))  # an action is its own id
def test_names_follow_the_rule(recommendations: List[Recommendation]) -> None:
    """P8: the action; `action-id`; the id."""
    assert list(plan(recommendations).steps) == reference_names(recommendations)


@given(recommendation_lists(), st.sampled_from(("action", "id")))
def test_names_are_distinct_and_valid(recommendations: List[Recommendation], naming: Any) -> None:
    steps = plan(recommendations, naming=naming).workflow.steps
    assert len({step.name for step in steps}) == len(recommendations)
    assert all(is_name(step.name) for step in steps)
    assert [Step.model_validate(step.model_dump()) for step in steps] == list(steps)


@given(recommendation_lists())
def test_naming_by_id_keeps_the_ids(recommendations: List[Recommendation]) -> None:
    steps = plan(recommendations, naming="id").workflow.steps
    assert [step.name for step in steps] == [recommendation.id for recommendation in recommendations]


@given(recommendation_lists(), st.sampled_from(("action", "id")))
def test_a_step_is_its_recommendation(recommendations: List[Recommendation], naming: Any) -> None:
    """In declared order, with all that it carries, its dependencies under their new names."""
    steps = plan(recommendations, naming=naming).workflow.steps
    name_of = {recommendation.id: step.name for recommendation, step in zip(recommendations, steps)}
    assert len(steps) == len(recommendations)
    for recommendation, step in zip(recommendations, steps):
        assert step == Step(
            name=name_of[recommendation.id],
            action=recommendation.action,
            parameters=recommendation.parameters,
            dependencies=[name_of[needed] for needed in recommendation.dependencies],
            metadata=recommendation.metadata,
            description=recommendation.description,
            confidence=recommendation.confidence,
            recommendation_id=recommendation.id,
        )


@given(recommendation_lists(), st.sampled_from(("action", "id")), settings_of_planning())
def test_plans_of_recommendations_are_plans_of_their_workflow(
    recommendations: List[Recommendation], naming: Any, settings: ExecutionStrategy
) -> None:
    planned = plan(recommendations, naming=naming, execution_strategy=settings)
    assert plan(planned.workflow) == planned
    assert plan(planned.workflow).fingerprint == planned.fingerprint
    assert ExecutionPlan.model_validate_json(planned.model_dump_json()) == planned
    assert batches_of(planned) == reference_batches(planned.workflow.steps, settings)


@given(recommendation_lists())
def test_naming_does_not_change_the_shape_of_a_plan(recommendations: List[Recommendation]) -> None:
    by_action, by_id = plan(recommendations), plan(recommendations, naming="id")
    id_of = {step.name: step.recommendation_id for step in by_action.workflow.steps}
    assert [[id_of[name] for name in batch.steps] for batch in by_action.batches] == [
        list(batch.steps) for batch in by_id.batches
    ]
    assert by_action.strategy == by_id.strategy


# Fingerprint

_PLAIN: Dict[str, Any] = {
    "name": "b",
    "dependencies": ["a"],
    "retry": RetryPolicy(),
    "rollback": Compensation(action="undo"),
}
_STEP_CHANGES: Dict[str, Dict[str, Any]] = {
    "nothing": {},
    "name": {"name": "B"},
    "action": {"action": "other"},
    "parameters": {"parameters": {"replicas": 1}},
    "another parameter": {"parameters": {"replicas": 2}},
    "the type of a parameter": {"parameters": {"replicas": True}},
    "a parameter that is null": {"parameters": {"replicas": None}},
    "one dependency less": {"dependencies": []},
    "one dependency more": {"dependencies": ["a", "c"]},
    "another dependency": {"dependencies": ["c"]},
    "hint": {"metadata": {"execution_mode": "sequential"}},
    "estimated_seconds": {"estimated_seconds": 1},
    "timeout_seconds": {"timeout_seconds": 1},
    "no retry": {"retry": None},
    "max_attempts": {"retry": RetryPolicy(max_attempts=2)},
    "delay_seconds": {"retry": RetryPolicy(delay_seconds=1)},
    "factor": {"retry": RetryPolicy(factor=3)},
    "max_delay_seconds": {"retry": RetryPolicy(max_delay_seconds=1)},
    "jitter": {"retry": RetryPolicy(jitter=0.5)},
    "no retry of timeouts": {"retry": RetryPolicy(retry_timeouts=False)},
    "no rollback": {"rollback": None},
    "action of the rollback": {"rollback": Compensation(action="restore")},
    "parameters of the rollback": {"rollback": Compensation(action="undo", parameters={"x": 1})},
    "locks": {"locks": ["x"]},
    "other locks": {"locks": ["y"]},
    "effect": {"effect": "read"},
    "another effect": {"effect": "write"},
    "continue_on_failure": {"continue_on_failure": True},
    "idempotent": {"idempotent": True},
    "not idempotent": {"idempotent": False},
}
_SETTING_CHANGES: Dict[str, Dict[str, Any]] = {
    "mode": {"mode": "sequential"},
    "dry_run_first": {"dry_run_first": True},
    "rollback_on_failure": {"rollback_on_failure": True},
    "max_parallel": {"max_parallel": 2},
    "another max_parallel": {"max_parallel": 3},
    "isolate_sequential": {"isolate_sequential": True},
    "max_batch_size": {"max_batch_size": 2},
    "schedule": {"schedule": "eager"},
    "on_failure": {"on_failure": "cancel"},
    "another on_failure": {"on_failure": "skip-dependents"},
}


def _fingerprint(order: Sequence[str] = "abc", settings: Mapping[str, Any] | None = None, **changes: Any) -> str:
    """The fingerprint of three steps, one of which is changed."""
    steps = {"a": Step(name="a"), "b": Step(**{**_PLAIN, **changes}), "c": Step(name="c")}
    return plan([steps[name] for name in order], execution_strategy=ExecutionStrategy(**settings or {})).fingerprint


def test_fingerprint_changes_with_everything_that_changes_what_runs() -> None:
    """Fields of a step, settings, the order of the steps: no two of these plans have the same one."""
    prints = {change: _fingerprint(**fields) for change, fields in _STEP_CHANGES.items()}
    prints.update((change, _fingerprint(settings=fields)) for change, fields in _SETTING_CHANGES.items())
    prints["order"] = _fingerprint("cba")
    same = [pair for pair in itertools.combinations(prints, 2) if prints[pair[0]] == prints[pair[1]]]
    assert not same


def test_fingerprint_tests_name_every_field() -> None:
    """A field that is added later has to be listed above, or here as one that may change without another run."""
    changed = {field for fields in _STEP_CHANGES.values() for field in fields}
    others = {"description", "confidence", "recommendation_id"}
    assert changed | others == set(Step.model_fields)
    assert {field for fields in _SETTING_CHANGES.values() for field in fields} == set(ExecutionStrategy.model_fields)


@given(step_lists(min_size=1), st.text(max_size=5), st.none() | st.floats(0, 1))
def test_fingerprint_does_not_change_with_commentary(
    steps: List[Step], description: str, confidence: float | None
) -> None:
    """Description and confidence say nothing of what runs."""
    commented = [Step(**{**step.__dict__, "description": description, "confidence": confidence}) for step in steps]
    assert plan(commented).fingerprint == plan(steps).fingerprint


@given(workflows())
def test_fingerprint_is_64_hexadecimal_digits_and_the_same_each_time(workflow: Workflow) -> None:
    planned = plan(workflow)
    assert len(planned.fingerprint) == 64
    assert set(planned.fingerprint) <= set("0123456789abcdef")
    assert planned.fingerprint == plan(copy.deepcopy(workflow)).fingerprint


@given(workflows(), st.data())
def test_fingerprint_changes_with_a_parameter_of_any_step(workflow: Workflow, data: st.DataObject) -> None:
    assume(workflow.steps)
    name = data.draw(st.sampled_from([step.name for step in workflow.steps]))
    parameters = data.draw(json_objects())
    old = next(step.parameters for step in workflow.steps if step.name == name)
    assume(repr(parameters) != repr(old) and parameters != old)
    assert plan(workflow.replace(name, parameters=parameters)).fingerprint != plan(workflow).fingerprint


# Plans as immutable values, whatever was done to what they were made of


@given(needs(min_size=1), json_objects(), metadata(), locks(), some_of("abc"), names())
def test_a_plan_shares_nothing_with_what_it_was_made_of(
    mapping: Dict[str, List[str]],
    parameters: Dict[str, Any],
    own_metadata: Dict[str, Any],
    held: List[str],
    more: List[str],
    name: str,
) -> None:
    """Parameters are copied in: whoever changes the originals afterwards does not change the plan."""
    steps = [
        Step(name=own, dependencies=needed, parameters=parameters, metadata=own_metadata, locks=held)
        for own, needed in mapping.items()
    ]
    planned = plan(steps)
    before = planned.model_dump_json()
    steps.clear()
    held.extend(more)
    parameters[name] = more
    own_metadata["execution_mode"] = name
    for value in (*parameters.values(), *own_metadata.values()):
        if isinstance(value, list):
            value.append(name)
        elif isinstance(value, dict):
            value[name] = name
    for needed in mapping.values():
        needed.append(name)
    assert planned.model_dump_json() == before
