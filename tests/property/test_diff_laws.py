"""What holds for the difference of any two plans."""

from __future__ import annotations

import itertools
import json
from typing import Any, Dict, Iterable, List, Mapping, NamedTuple, Sequence, Set, Tuple

from hypothesis import event, given
from hypothesis import strategies as st
from strategies import (
    json_objects,
    recommendation_lists,
    settings_of_planning,
    some_of,
    step_fields,
    step_lists,
    workflows,
)

from wfplan import ExecutionPlan, ExecutionStrategy, Recommendation, Step, Workflow, plan
from wfplan.diff import Edge, FieldChange, Overlap, PlanDiff, diff

Pairs = Set[Tuple[str, str]]


class Two(NamedTuple):
    before: ExecutionPlan
    after: ExecutionPlan


@st.composite
def edited(draw: st.DrawFn) -> Two:
    """A plan and what somebody made of it: steps dropped, added, renamed, changed, tied anew, declared elsewhere.

    Names come from the same few, so a new name is often that of another step, there still or not.
    """
    before = plan(draw(workflows().map(_with_recommendation_ids)), execution_strategy=draw(settings_of_planning()))
    if draw(st.booleans()):
        return Two(before, plan(draw(workflows().map(_with_recommendation_ids))))
    in_order = [before.steps[name] for batch in before.batches for name in batch.steps]
    kept = [step for step in in_order if draw(st.integers(0, 4))]
    pool = [*(step.name for step in in_order), "new-1", "new-2", "new-3"]
    new_names: Dict[str, str] = {step.name: step.name for step in kept}
    if draw(st.booleans()):
        new_names = dict(zip(new_names, draw(st.permutations(pool))))
    left = [name for name in pool if name not in new_names.values()]
    steps: List[Step] = []
    for step in kept:
        fields = {**vars(step), "name": new_names[step.name]}
        fields["dependencies"] = [new_names[needed] for needed in step.dependencies if needed in new_names]
        if not draw(st.integers(0, 2)):
            fields.update(draw(step_fields()))
        if not draw(st.integers(0, 2)):
            fields["dependencies"] = draw(some_of([earlier.name for earlier in steps]))
        steps.append(Step(**fields))
    for name in draw(some_of(left, max_size=2)):
        needed = draw(some_of([earlier.name for earlier in steps]))
        steps.append(Step(name=name, dependencies=needed, **draw(step_fields())))
    workflow = before.workflow if draw(st.booleans()) else draw(workflows())
    declared = draw(st.permutations(steps)) if draw(st.booleans()) else steps
    return Two(before, plan(Workflow(**{**vars(workflow), "steps": declared})))


def _with_recommendation_ids(workflow: Workflow) -> Workflow:
    """Steps that were recommendations, but for every third; two have the same id."""
    steps = [
        step if place % 3 == 2 else Step(**{**vars(step), "recommendation_id": f"rec-{min(place, 4)}"})
        for place, step in enumerate(workflow.steps)
    ]
    return Workflow(**{**vars(workflow), "steps": steps})


def partners(two: Two, told: PlanDiff) -> Dict[str, str]:
    """Which step after each step before is, by what the difference tells."""
    renamed = {change.name_before: change.name for change in told.changed}
    removed = {step.name for step in told.removed}
    return {name: renamed.get(name, name) for name in two.before.steps if name not in removed}


def is_the_same(one: Any, other: Any) -> bool:
    """As JSON, so that 1 is not true."""
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


def essence(planned: ExecutionPlan) -> Any:
    """All that a plan is, but for the order of declaration and the order inside a parallel batch."""
    workflow = planned.workflow.model_dump(mode="json", exclude_defaults=True)
    workflow["steps"] = {step["name"]: step for step in workflow["steps"]}
    batches = [sorted(batch.steps) if batch.parallel else batch.steps for batch in planned.batches]
    return workflow, batches, [batch.parallel for batch in planned.batches], planned.strategy


# Nothing changed


@given(workflows())
def test_a_plan_does_not_differ_from_itself(workflow: Workflow) -> None:
    planned = plan(workflow)
    assert diff(planned, planned) == PlanDiff()
    assert diff(planned, ExecutionPlan.model_validate_json(planned.model_dump_json())) == PlanDiff()
    assert not diff(planned, planned)
    assert str(diff(planned, planned)) == "no changes"


@given(edited())
def test_a_difference_is_empty_if_and_only_if_the_plans_are_the_same(two: Two) -> None:
    told = diff(*two)
    assert told.is_empty == is_the_same(essence(two.before), essence(two.after))
    assert bool(told) != told.is_empty


@given(edited())
def test_what_changes_what_runs_changes_the_fingerprint(two: Two) -> None:
    """But not the other way round: the name of a workflow and the order of declaration are in the fingerprint."""
    if diff(*two).changes_what_runs:
        assert two.before.fingerprint != two.after.fingerprint


@given(step_lists(min_size=1), st.text(max_size=5), st.none() | st.floats(0, 1), st.text(max_size=5))
def test_commentary_changes_nothing_of_what_runs(
    steps: List[Step], description: str, confidence: float | None, name: str
) -> None:
    commented = [Step(**{**vars(step), "description": description, "confidence": confidence}) for step in steps]
    told = diff(plan(steps), plan(Workflow(steps=commented, name=name)))
    assert not told.changes_what_runs
    assert told.is_empty == (steps == commented and not name)


@given(step_lists(), settings_of_planning(), st.data())
def test_input_order_matters_only_where_it_changes_batches(
    steps: List[Step], settings: ExecutionStrategy, data: st.DataObject
) -> None:
    """Who is in which batch, and the order of those that run one at a time."""
    before = plan(steps, execution_strategy=settings)
    after = plan(data.draw(st.permutations(steps)), execution_strategy=settings)
    told = diff(before, after)
    only_batches = {"batches", "reordered", "newly_parallel", "newly_sequential"}
    assert {field for field, value in told if value and field != "strategy"} <= only_batches
    same = [(set(b.steps) if b.parallel else b.steps) for b in before.batches] == [
        (set(b.steps) if b.parallel else b.steps) for b in after.batches
    ]
    event(f"same batches: {same}")
    assert told.is_empty == same


# Who is who


def identity(step: Step, steps: Sequence[Step]) -> str:
    """Return the id of the step's recommendation, unless another step has it as its id or its name; else the name."""
    own = step.recommendation_id
    others = [other for other in steps if other is not step]
    shared = any(own in (other.name, other.recommendation_id) for other in others)
    return step.name if own is None or shared else own


@given(edited())
def test_steps_are_matched_by_their_identity_else_by_name(two: Two) -> None:
    told = partners(two, diff(*two))
    before, after = (side.workflow.steps for side in two)
    expected: Dict[str, str] = {}
    for one, other in itertools.product(before, after):
        if identity(one, before) == identity(other, after):
            expected[one.name] = other.name
    for name in two.before.steps:
        if name in two.after.steps and name not in expected and name not in expected.values():
            expected[name] = name
    assert told == expected


@given(recommendation_lists())
def test_another_naming_only_renames(recommendations: List[Recommendation]) -> None:
    told = diff(plan(recommendations), plan(recommendations, naming="id"))
    assert {field for field, value in told if value} <= {"changed"}
    assert not any(change.fields for change in told.changed)


@given(recommendation_lists(), st.sampled_from(("act", "scale", "a", "a-b")))
def test_one_more_recommendation_is_one_more_step(recommendations: List[Recommendation], action: str) -> None:
    """Whatever becomes of the names of the others."""
    before, after = plan(recommendations), plan([*recommendations, Recommendation(id="one-more", action=action)])
    told = diff(before, after)
    assert [step.recommendation_id for step in told.added] == ["one-more"]
    assert {field for field, value in told if value} <= {"added", "changed", "batches", "newly_sequential", "strategy"}
    assert all(not change.fields for change in told.changed)


# Both ways


def _turned(change: FieldChange) -> FieldChange:
    return FieldChange(field=change.field, before=change.after, after=change.before)


def _in_any_order(items: Iterable[Any]) -> List[str]:
    return sorted(item.model_dump_json() for item in items)


@given(edited())
def test_the_way_back_is_the_mirror(two: Two) -> None:
    there, back = diff(two.before, two.after), diff(two.after, two.before)
    assert (there.added, there.removed) == (back.removed, back.added)
    assert (there.added_edges, there.removed_edges) == (back.removed_edges, back.added_edges)
    assert (there.newly_parallel, there.newly_sequential) == (back.newly_sequential, back.newly_parallel)
    assert there.settings == tuple(map(_turned, back.settings))
    assert there.strategy == (back.strategy and _turned(back.strategy))
    assert there.name == (back.name and _turned(back.name))
    old_name = {after: before for before, after in partners(two, there).items()}
    assert {(c.name, c.name_before): c.fields for c in there.changed} == {
        (c.name_before, c.name): tuple(map(_turned, c.fields)) for c in back.changed
    }
    assert {(old_name[c.name], c.before, c.after) for c in there.batches} == {
        (c.name, c.after, c.before) for c in back.batches
    }
    assert _in_any_order(there.reordered) == _in_any_order(
        change.model_copy(update={"before": change.after, "after": change.before}) for change in back.reordered
    )
    assert there.changes_what_runs == back.changes_what_runs


@given(edited())
def test_what_is_told_makes_the_steps_after_of_the_steps_before(two: Two) -> None:
    """Removed steps removed, names replaced, changed fields replaced, added steps added."""
    told = diff(*two)
    new_name = partners(two, told)
    changes = {change.name: change for change in told.changed}
    made: Dict[str, Dict[str, Any]] = {step.name: step.model_dump(mode="json") for step in told.added}
    for name_before, name in new_name.items():
        fields = two.before.steps[name_before].model_dump(mode="json")
        fields["name"] = name
        fields["dependencies"] = [new_name.get(needed, needed) for needed in fields["dependencies"]]
        if name in changes:
            assert [change.before for change in changes[name].fields] == [
                two.before.steps[name_before].model_dump(mode="json")[change.field] for change in changes[name].fields
            ]
            fields.update((change.field, change.after) for change in changes[name].fields)
        made[name] = fields
    after = {name: step.model_dump(mode="json") for name, step in two.after.steps.items()}
    assert made.keys() == after.keys()
    assert {name: _same_numbers(step) for name, step in made.items()} == {
        name: _same_numbers(step) for name, step in after.items()
    }


def _same_numbers(step: Mapping[str, Any]) -> Mapping[str, Any]:
    """With what may hold any JSON as a text, so that 1 is not true."""
    free = ("parameters", "metadata")
    return {key: json.dumps(value, sort_keys=True) if key in free else value for key, value in step.items()}


# Edges, batches, overlap: by brute force


def _edges(planned: ExecutionPlan) -> Pairs:
    return {(needed, step.name) for step in planned.workflow.steps for needed in step.dependencies}


def _told_edges(edges: Iterable[Edge]) -> Pairs:
    return {(edge.dependency, edge.dependent) for edge in edges}


@given(edited())
def test_edges_are_those_of_one_plan_that_the_other_has_not(two: Two) -> None:
    told = diff(*two)
    new_name = partners(two, told)
    still = {pair for pair in _edges(two.before) if set(pair) <= set(new_name)}
    carried = {pair: (new_name[pair[0]], new_name[pair[1]]) for pair in still}
    assert _told_edges(told.added_edges) == _edges(two.after) - set(carried.values())
    assert _told_edges(told.removed_edges) == {
        pair for pair in _edges(two.before) if carried.get(pair) not in _edges(two.after)
    }
    assert len(told.added_edges) == len(_told_edges(told.added_edges))


@given(edited())
def test_batches_are_those_whose_number_changed(two: Two) -> None:
    told = diff(*two)
    number = [{name: batch.number for batch in side.batches for name in batch.steps} for side in two]
    assert {change.name: (change.before, change.after) for change in told.batches} == {
        after: (number[0][before], number[1][after])
        for before, after in partners(two, told).items()
        if number[0][before] != number[1][after]
    }


def _overlapping(planned: ExecutionPlan) -> Pairs:
    """Pairs of one parallel batch, both ways round."""
    return {pair for batch in planned.batches if batch.parallel for pair in itertools.permutations(batch.steps, 2)}


def _across(overlaps: Iterable[Overlap]) -> Pairs:
    """Pairs of different groups, both ways round."""
    return {
        pair
        for overlap in overlaps
        for one, other in itertools.permutations(overlap.groups, 2)
        for pair in itertools.product(one, other)
    }


@given(edited())
def test_overlaps_are_all_pairs_that_may_overlap_in_one_plan_only(two: Two) -> None:
    """And the groups are no more than the steps, though the pairs are their square."""
    told = diff(*two)
    new_name = partners(two, told)
    old_name = {after: before for before, after in new_name.items()}
    before = {pair for pair in _overlapping(two.before) if set(pair) <= set(new_name)}
    after = {pair for pair in _overlapping(two.after) if set(pair) <= set(old_name)}
    event(f"newly parallel: {bool(told.newly_parallel)}, newly sequential: {bool(told.newly_sequential)}")
    assert _across(told.newly_parallel) == after - {(new_name[one], new_name[other]) for one, other in before}
    assert _across(told.newly_sequential) == before - {(old_name[one], old_name[other]) for one, other in after}
    listed = [name for overlap in told.newly_parallel for group in overlap.groups for name in group]
    assert len(listed) == len(set(listed))
    for overlap in told.newly_parallel:
        batch = two.after.batches[overlap.batch - 1].steps
        assert {name for group in overlap.groups for name in group} == set(batch) & set(old_name)


def _one_after_the_other(planned: ExecutionPlan) -> Pairs:
    """Pairs of one batch that is not parallel, the earlier one first."""
    return {pair for batch in planned.batches if not batch.parallel for pair in itertools.combinations(batch.steps, 2)}


@given(edited())
def test_reordered_are_all_pairs_of_one_batch_whose_turn_changed(two: Two) -> None:
    told = diff(*two)
    new_name = partners(two, told)
    before = {
        (new_name[one], new_name[other])
        for one, other in _one_after_the_other(two.before)
        if one in new_name and other in new_name
    }
    now_first = {(one, other) for one, other in _one_after_the_other(two.after) if (other, one) in before}
    found: Pairs = set()
    for change in told.reordered:
        was = [new_name[name] for name in change.before]
        assert sorted(was) == sorted(change.after)
        found.update(
            pair for pair in itertools.combinations(change.after, 2) if was.index(pair[0]) > was.index(pair[1])
        )
    event(f"reordered: {bool(found)}")
    assert found == now_first


# As text


@given(edited())
def test_a_difference_goes_through_json_and_back(two: Two) -> None:
    told = diff(*two)
    again = PlanDiff.model_validate_json(told.model_dump_json())
    assert again == told
    assert again.model_dump_json() == told.model_dump_json()
    assert str(again) == str(told)


@given(edited(), json_objects(), json_objects())
def test_a_difference_is_printable(two: Two, one: Dict[str, Any], other: Dict[str, Any]) -> None:
    parameters = [plan([Step(name="a", parameters=value)]) for value in (one, other)]
    for told in (diff(*two), diff(*parameters)):
        assert all(line.isprintable() for line in str(told).split("\n"))
        assert all(str(line) for line in str(told).split("\n"))
