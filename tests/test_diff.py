"""What changed between two plans: examples."""

from __future__ import annotations

from typing import Any, List, Sequence

import pytest
from pydantic import ValidationError

from wfplan import (
    Compensation,
    ExecutionPlan,
    ExecutionStrategy,
    Recommendation,
    RetryPolicy,
    Step,
    Workflow,
    plan,
)
from wfplan.diff import BatchChange, Edge, FieldChange, OrderChange, Overlap, PlanDiff, StepChange, diff

MANY = 100_000


def _between(before: Sequence[Step], after: Sequence[Step]) -> PlanDiff:
    return diff(plan(before), plan(after))


def _field(before: Step, after: Step) -> FieldChange:
    """The one field in which two steps differ."""
    (change,) = _between([before], [after]).changed
    (field,) = change.fields
    return field


def _told(told: PlanDiff) -> set[str]:
    """What a difference speaks of."""
    return {field for field, value in told if value}


# Steps


def test_steps_are_added_and_removed() -> None:
    told = _between([Step(name="a"), Step(name="b")], [Step(name="c"), Step(name="b")])
    assert ([step.name for step in told.added], [step.name for step in told.removed]) == (["c"], ["a"])
    assert _told(told) == {"added", "removed"}


@pytest.mark.parametrize(
    "fields",
    [
        {"action": "other"},
        {"parameters": {"replicas": 2}},
        {"locks": ["disk"]},
        {"metadata": {"ticket": 7}},
        {"recommendation_id": "rec-1"},
        {"estimated_seconds": 3.0},
        {"timeout_seconds": 3.0},
        {"retry": RetryPolicy(max_attempts=2)},
        {"rollback": Compensation(action="undo")},
        {"effect": "write"},
        {"continue_on_failure": True},
        {"idempotent": False},
        {"description": "why"},
        {"confidence": 0.5},
    ],
    ids=lambda fields: next(iter(fields)),
)
def test_every_field_of_a_step_is_told(fields: Any) -> None:
    before, after = Step(name="a"), Step(name="a", **fields)
    (name,) = fields
    told = _field(before, after)
    assert told.field == name
    assert (told.before, told.after) == (
        before.model_dump(mode="json")[name],
        after.model_dump(mode="json")[name],
    )
    assert told.is_commentary == (name in ("description", "confidence"))


def test_no_field_is_forgotten() -> None:
    """A field that is added later has to be listed above."""
    (mark,) = test_every_field_of_a_step_is_told.pytestmark  # type: ignore[attr-defined]
    listed = {field for fields in mark.args[1] for field in fields}
    assert {*listed, "name", "dependencies"} == set(Step.model_fields)


@pytest.mark.parametrize(("one", "other"), [(1, True), (1, 1.0), (0, False), ([1], [True]), (0.0, -0.0)])
def test_values_that_python_takes_for_one_are_two(one: Any, other: Any) -> None:
    for before, after in ((one, other), (other, one)):
        assert _field(Step(name="a", parameters={"x": before}), Step(name="a", parameters={"x": after}))
        undo = [Compensation(action="undo", parameters={"x": value}) for value in (before, after)]
        assert _field(Step(name="a", metadata={"x": before}), Step(name="a", metadata={"x": after}))
        assert _field(Step(name="a", rollback=undo[0]), Step(name="a", rollback=undo[1]))


def test_a_number_of_seconds_is_the_same_with_and_without_a_point() -> None:
    """The default factor is a whole number, one that was read is not."""
    planned = plan([Step(name="a", retry=RetryPolicy(max_attempts=2))])
    assert diff(planned, ExecutionPlan.model_validate_json(planned.model_dump_json())).is_empty


def test_deep_and_large_parameters_are_told() -> None:
    deep: Any = 1
    for _ in range(62):
        deep = [deep]
    told = _between([Step(name="a")], [Step(name="a", parameters={"deep": deep, "large": 10**4000})])
    assert PlanDiff.model_validate_json(told.model_dump_json()) == told
    assert len(str(told)) < 200


def test_commentary_is_told_apart() -> None:
    told = _between([Step(name="a")], [Step(name="a", description="why", confidence=0.5)])
    assert told
    assert not told.changes_what_runs
    assert not told.changed[0].changes_what_runs
    assert str(told).startswith("only commentary has changed\n")
    assert _between([Step(name="a")], [Step(name="a", description="why", locks=["x"])]).changes_what_runs


# Names


def test_a_rename_is_no_new_step() -> None:
    """A second recommendation of the same action changes the name of the first; dependencies follow it."""
    scale = Recommendation(id="1", action="scale")
    verify = Recommendation(id="2", action="verify", dependencies=["1"])
    told = diff(plan([scale, verify]), plan([scale, verify, Recommendation(id="3", action="scale")]))
    assert told.changed == (StepChange(name="scale-1", name_before="scale"),)
    assert told.changed[0].is_renamed
    assert told.changed[0].changes_what_runs
    assert [step.name for step in told.added] == ["scale-3"]
    assert _told(told) == {"changed", "added", "strategy"}


def test_swapped_names_are_two_renames() -> None:
    before = [Step(name="a", recommendation_id="1"), Step(name="b", recommendation_id="2")]
    after = [Step(name="b", action="a", recommendation_id="1"), Step(name="a", action="b", recommendation_id="2")]
    assert _between(before, after).changed == (
        StepChange(name="b", name_before="a"),
        StepChange(name="a", name_before="b"),
    )


def test_an_id_that_two_steps_have_identifies_neither() -> None:
    twins = [Step(name="a", recommendation_id="1"), Step(name="b", recommendation_id="1")]
    told = _between(twins, [Step(name="c", recommendation_id="1")])
    assert [step.name for step in told.removed] == ["a", "b"]
    assert [step.name for step in told.added] == ["c"]
    assert diff(plan(twins), plan(twins[1:])).removed == (twins[0],)


def test_another_recommendation_under_the_same_name_is_the_same_step() -> None:
    told = _field(Step(name="a", recommendation_id="1"), Step(name="a", recommendation_id="2"))
    assert told == FieldChange(field="recommendation_id", before="1", after="2")


def test_a_name_that_was_another_step_is_another_dependency() -> None:
    """The step x is gone, w is now called x: who needed x needs something else now, under the same name."""
    last = Step(name="z", dependencies=["x"])
    before = [Step(name="w", recommendation_id="1"), Step(name="x"), last]
    told = _between(before, [Step(name="x", action="w", recommendation_id="1"), last])
    assert told.changed[1].fields == (FieldChange(field="dependencies", before=["x"], after=["x"]),)
    assert told.removed_edges == told.added_edges == (Edge(dependency="x", dependent="z"),)


# Dependencies


def test_edges_are_added_and_removed() -> None:
    before = [Step(name="a"), Step(name="b"), Step(name="c", dependencies=["a"])]
    after = [Step(name="a"), Step(name="b"), Step(name="c", dependencies=["b"])]
    told = _between(before, after)
    assert told.added_edges == (Edge(dependency="b", dependent="c"),)
    assert told.removed_edges == (Edge(dependency="a", dependent="c"),)
    assert told.changed[0].fields == (FieldChange(field="dependencies", before=["a"], after=["b"]),)


def test_edges_of_added_and_removed_steps_are_told() -> None:
    told = _between([Step(name="a"), Step(name="b", dependencies=["a"])], [Step(name="a")])
    assert told.removed_edges == (Edge(dependency="a", dependent="b"),)
    assert not told.changed


def test_a_dependency_that_is_listed_twice_is_one_edge() -> None:
    told = _between([Step(name="a")], [Step(name="a"), Step(name="b", dependencies=["a", "a"])])
    assert told.added_edges == (Edge(dependency="a", dependent="b"),)


def test_the_order_of_dependencies_is_a_field_and_no_edge() -> None:
    """The first-declared one that failed is named as the cause."""
    free = [Step(name="a"), Step(name="b")]
    told = _between([*free, Step(name="c", dependencies=["a", "b"])], [*free, Step(name="c", dependencies=["b", "a"])])
    assert _told(told) == {"changed"}


# Batches


def test_steps_that_are_due_in_another_batch_are_told() -> None:
    told = diff(plan({"a": [], "b": []}), plan({"a": [], "b": ["a"]}))
    assert told.batches == (BatchChange(name="b", before=1, after=2),)
    assert told.newly_sequential == (Overlap(batch=1, groups=(("a",), ("b",))),)
    assert told.strategy == FieldChange(field="strategy", before="parallel", after="sequential")


def test_batches_that_become_one_are_its_groups() -> None:
    """First a and b, then c and d: each overlapped with another one before, but not with these."""
    two = {"a": [], "b": [], "c": ["a", "b"], "d": ["a", "b"]}
    told = diff(plan(two), plan({name: [] for name in "abcd"}))
    assert told.newly_parallel == (Overlap(batch=1, groups=(("a", "b"), ("c", "d"))),)
    assert not told.newly_sequential


def test_steps_that_ran_one_by_one_are_a_group_each() -> None:
    told = diff(plan({"a": [], "b": ["a"], "c": ["b"]}), plan({"a": [], "b": [], "c": []}))
    assert told.newly_parallel == (Overlap(batch=1, groups=(("a",), ("b",), ("c",))),)


def test_a_hint_takes_the_overlap_of_its_level() -> None:
    free = [Step(name="a"), Step(name="b")]
    told = _between([*free, Step(name="c")], [*free, Step(name="c", metadata={"execution_mode": "sequential"})])
    assert told.newly_sequential == (Overlap(batch=1, groups=(("a",), ("b",), ("c",))),)
    assert _told(told) == {"changed", "newly_sequential", "strategy"}


def test_what_overlaps_with_a_new_step_only_is_not_newly_parallel() -> None:
    told = _between([Step(name="a")], [Step(name="a"), Step(name="b")])
    assert _told(told) == {"added", "strategy"}


def test_another_order_matters_where_steps_run_one_at_a_time() -> None:
    steps = [Step(name=name) for name in "abc"]
    assert diff(plan(steps), plan(steps[::-1])).is_empty
    one_by_one = ExecutionStrategy(mode="sequential")
    told = diff(plan(steps, execution_strategy=one_by_one), plan(steps[::-1], execution_strategy=one_by_one))
    assert told == PlanDiff(reordered=[OrderChange(before=["a", "b", "c"], after=["c", "b", "a"])])
    assert told.changes_what_runs


def test_steps_that_stay_in_order_are_not_reordered_by_others() -> None:
    """While b goes to another batch, a and c keep their turns."""
    one_by_one = ExecutionStrategy(mode="sequential")
    before = [Step(name="a"), Step(name="b"), Step(name="c")]
    after = [Step(name="a"), Step(name="b", dependencies=["a"]), Step(name="c")]
    told = diff(plan(before, execution_strategy=one_by_one), plan(after, execution_strategy=one_by_one))
    assert not told.reordered
    assert told.batches == (BatchChange(name="b", before=1, after=2),)


# Settings


def test_settings_and_the_name_of_the_workflow_are_told() -> None:
    before = Workflow(steps=[Step(name="a")])
    settings = ExecutionStrategy(max_parallel=4, on_failure="cancel")
    told = diff(plan(before), plan(Workflow(steps=before.steps, name="nightly", execution_strategy=settings)))
    assert told.settings == (
        FieldChange(field="max_parallel", before=None, after=4),
        FieldChange(field="on_failure", before="stop", after="cancel"),
    )
    assert told.name == FieldChange(field="name", before="", after="nightly")
    assert told.name.is_commentary
    assert told.changes_what_runs
    assert not diff(plan(before), plan(Workflow(steps=before.steps, name="nightly"))).changes_what_runs


def test_warnings_are_not_compared() -> None:
    before = plan([Step(name="a", metadata={"execution_mode": "Sequential"})])
    again = ExecutionPlan(**{**vars(before), "problems": ()})
    assert diff(before, again).is_empty


def test_plans_without_steps_do_not_differ() -> None:
    assert diff(plan({}), plan({})).is_empty


# As text


def test_everything_is_printed() -> None:
    before = [
        Step(name="scale", action="scale_up", parameters={"zone": "a", "replicas": 2}, recommendation_id="1"),
        Step(name="check"),
        Step(name="drain", dependencies=["check"]),
        Step(name="restart", dependencies=["scale", "check"]),
    ]
    after = [
        Step(
            name="scale-1",
            action="scale_up",
            parameters={"zone": "a", "replicas": 3},
            recommendation_id="1",
            description="more",
        ),
        Step(name="check"),
        Step(name="notify", action="send_mail", dependencies=["check"]),
        Step(name="restart", dependencies=["scale-1"]),
        Step(name="verify"),
    ]
    workflow = Workflow(steps=after, name="nightly", execution_strategy=ExecutionStrategy(max_batch_size=2))
    assert (
        str(diff(plan(before), plan(workflow)))
        == """\
plan
  name: "" -> "nightly" (commentary)
settings
  max_batch_size: null -> 2
added steps
  "notify" (action "send_mail")
  "verify"
removed steps
  "drain"
changed steps
  "scale-1" (was "scale")
    parameters: {"replicas": 2} -> {"replicas": 3}
    description: "" -> "more" (commentary)
  "restart"
    dependencies: ["scale", "check"] -> ["scale-1"]
added dependencies
  "notify" waits for "check"
removed dependencies
  "drain" waits for "check"
  "restart" waits for "check"
other batches
  "restart": 2 -> 3"""
    )


def test_who_is_newly_parallel_or_in_another_order_is_printed() -> None:
    chain = {"a": [], "b": ["a"], "c": ["b"]}
    free: dict[str, list[str]] = {"a": [], "b": [], "c": []}
    assert str(diff(plan(chain), plan(free))).endswith(
        'newly parallel, across the bars\n  batch 1: "a" | "b" | "c"',
    )
    assert str(diff(plan(free), plan(chain))).endswith(
        'newly sequential, across the bars\n  batch 1: "a" | "b" | "c"',
    )
    told = PlanDiff(reordered=[OrderChange(before=["a", "b"], after=["b", "a"])])
    assert str(told) == 'another order, one at a time\n  "a", "b" -> "b", "a"'


def test_long_lists_are_counted() -> None:
    told = diff(plan({}), plan({f"s{number}": [] for number in range(1025)}))
    assert str(told).splitlines()[-1] == "  and 1,005 more"
    many = Overlap(batch=1, groups=[(str(number),) for number in range(7)])
    assert str(many) == 'batch 1: "0" | "1" | "2" | "3" | "4" | and 2 groups more'


def test_long_values_are_cut_to_where_they_begin_to_differ() -> None:
    same = "x" * 1000
    told = _field(Step(name="a", description=same + "yes" + same), Step(name="a", description=same + "no"))
    assert str(told) == (
        "description: " + "..." + "x" * 20 + "yes" + "x" * 57 + "... -> ..." + "x" * 20 + 'no" (commentary)'
    )
    told = _field(Step(name="a"), Step(name="a", parameters={"x": same}))
    assert str(told) == 'parameters: {} -> {"x": "' + "x" * 73 + "..."


def test_hostile_texts_are_escaped() -> None:
    nasty = "\u202e\x1b[31m\nquiet\u2028"
    after = Step(name='"', action=nasty, parameters={nasty: nasty}, locks=[nasty], description=nasty)
    lines = str(_between([Step(name='"')], [after])).split("\n")
    assert len(lines) == 6
    assert all(line.isprintable() for line in lines)
    assert all(line.isprintable() for line in str(_between([], [after])).split("\n"))
    forged = PlanDiff(
        strategy=FieldChange(field=nasty, before=nasty, after=[nasty]),
        changed=[StepChange(name=nasty, name_before=nasty + "x")],
        added_edges=[Edge(dependency=nasty, dependent=nasty)],
        batches=[BatchChange(name=nasty, before=1, after=2)],
        reordered=[OrderChange(before=[nasty], after=[nasty])],
        newly_parallel=[Overlap(batch=1, groups=[(nasty,)])],
    )
    assert len(str(forged).split("\n")) == 12
    assert all(line.isprintable() for line in str(forged).split("\n"))


def test_a_difference_holds_json_only() -> None:
    with pytest.raises(ValidationError):
        FieldChange(field="parameters", before={}, after=object())  # type: ignore[arg-type]


# Size


@pytest.mark.scale
@pytest.mark.parametrize("shape", ["chain", "fan", "free"])
def test_large_plans_are_compared(shape: str) -> None:
    """Every step is renamed and changed, every third is gone; a chain falls apart, what is free is put in a chain."""
    names = [f"s{number}" for number in range(MANY)]

    def steps(prefix: str, kind: str, kept: List[int]) -> List[Step]:
        return [
            Step(
                name=prefix + names[number],
                dependencies={
                    "chain": [prefix + names[kept[place - 1]]] if place else [],
                    "fan": [prefix + names[kept[0]]] if place else [],
                    "free": [],
                }[kind],
                parameters={"prefix": prefix},
                recommendation_id=names[number],
            )
            for place, number in enumerate(kept)
        ]

    other = {"chain": "free", "fan": "chain", "free": "chain"}[shape]
    kept = [number for number in range(MANY) if number % 3]
    before, after = plan(steps("old-", shape, list(range(MANY)))), plan(steps("new-", other, kept))
    told = diff(before, after)
    assert len(told.changed) == len(kept)
    assert len(told.removed) == MANY - len(kept)
    overlaps = told.newly_parallel if shape == "chain" else told.newly_sequential
    assert [len(overlap.groups) for overlap in overlaps] == [len(kept)]
    assert len(str(told).splitlines()) < 200
