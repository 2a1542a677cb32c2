"""review: the verdicts and their reasons; and that the gate lets through nothing but what was reviewed."""

from __future__ import annotations

import json
import math
import warnings
from typing import Any, Callable, Dict, Iterator, List, Optional, Sequence, Tuple

import pytest

import wfplan
from wfplan import Compensation, ExecutionPlan, ExecutionStrategy, RefusedError, RetryPolicy, Step, Workflow
from wfplan.policy import Approval, ApprovalRequest, Policy, Review, StepReview, review

LAX = Policy(approval_above_steps=None, approval_for_effects=())
SET = object.__setattr__


def lax(**rules: Any) -> Policy:
    """A policy of these rules and no others."""
    return Policy.model_validate({"approval_above_steps": None, "approval_for_effects": [], **rules})


def codes(reasons: Sequence[wfplan.Problem]) -> List[str]:
    return [reason.code for reason in reasons]


def refusals(call: Callable[[], object]) -> List[str]:
    """The codes of the errors that this is refused with."""
    with pytest.raises(RefusedError) as caught:
        call()
    return [problem.code for problem in caught.value.problems if problem.severity == "error"]


def repair(**more: Any) -> ExecutionPlan:
    """A plan with a value in each field of each model.

    look -> wipe -> check, and note beside them
    """
    wipe = Step(
        name="wipe",
        action="wipe_disk",
        parameters={"disk": "sda", "where": {"racks": [1, {"row": "b"}], "force": False}, "count": 1, "ratio": 0.5},
        dependencies=["look"],
        locks=["disk"],
        metadata={"ticket": {"ids": [7]}},
        description="tidies up",
        confidence=0.9,
        recommendation_id="rec-2",
        estimated_seconds=9.0,
        timeout_seconds=60.0,
        retry=RetryPolicy(max_attempts=3, delay_seconds=1.0, max_delay_seconds=9.0),
        rollback=Compensation(action="restore", parameters={"from": {"backups": ["monday"]}}),
        effect="destructive",
        continue_on_failure=True,
        idempotent=True,
    )
    steps = [
        Step(name="look", effect="read"),
        wipe,
        Step(name="check", dependencies=["wipe", "wipe"], effect="read"),
        Step(name="note", effect="read", metadata={"execution_mode": "parallel"}),
    ]
    settings = ExecutionStrategy(**{"max_parallel": 3, "max_batch_size": 8, **more})
    return wfplan.plan(Workflow(name="repair", steps=steps, execution_strategy=settings))


def approve(reviewed: Review) -> Approval:
    return reviewed.request().approve("jo", at=100.0, until=200.0)


# ---------------------------------------------------------------------------------------------------- one rule, a step

UNDO = Compensation(action="restore", parameters={"from": "backup"})


@pytest.mark.parametrize(
    ("rules", "fields", "verdict", "reasons"),
    [
        ({}, {}, "allow", []),
        ({"deny_actions": ["drop"]}, {"action": "drop"}, "deny", ["denied-action"]),
        ({"deny_actions": ["drop"]}, {"action": "drop "}, "allow", []),
        ({"deny_actions": ["drop"]}, {"action": "Drop"}, "allow", []),
        ({"deny_actions": ["s"]}, {}, "deny", ["denied-action"]),
        ({"deny_actions": ["restore"]}, {"action": "drop", "rollback": UNDO}, "deny", ["denied-action"]),
        ({"allow_actions": ["drop"]}, {"action": "drop"}, "allow", []),
        ({"allow_actions": ["drop"]}, {"action": "drop", "rollback": UNDO}, "deny", ["unlisted-action"]),
        ({"allow_actions": ["drop", "restore"]}, {"action": "drop", "rollback": UNDO}, "allow", []),
        ({"allow_actions": []}, {"action": "drop", "rollback": UNDO}, "deny", ["unlisted-action", "unlisted-action"]),
        (
            {"allow_actions": [], "deny_actions": ["drop"]},
            {"action": "drop"},
            "deny",
            ["denied-action", "unlisted-action"],
        ),
        ({"max_parameter_bytes": 2}, {}, "allow", []),
        ({"max_parameter_bytes": 1}, {}, "deny", ["parameters-too-large"]),
        ({"max_parameter_bytes": 7}, {"parameters": {"a": 1}}, "allow", []),
        ({"max_parameter_bytes": 6}, {"parameters": {"a": 1}}, "deny", ["parameters-too-large"]),
        ({"max_parameter_bytes": 10}, {"parameters": {"a": "\u00e9"}}, "allow", []),
        ({"max_parameter_bytes": 9}, {"parameters": {"a": "\u00e9"}}, "deny", ["parameters-too-large"]),
        ({"max_parameter_bytes": 17}, {"rollback": UNDO}, "allow", []),
        ({"max_parameter_bytes": 16}, {"rollback": UNDO}, "deny", ["parameters-too-large"]),
        ({"approval_below_confidence": 0.8}, {"confidence": 0.8}, "allow", []),
        ({"approval_below_confidence": 0.8}, {"confidence": 0.7999999999999999}, "needs-approval", ["low-confidence"]),
        ({"approval_below_confidence": 0.8}, {}, "needs-approval", ["unknown-confidence"]),
        ({"approval_below_confidence": 0}, {}, "needs-approval", ["unknown-confidence"]),
        ({"approval_below_confidence": 0}, {"confidence": 0.0}, "allow", []),
        ({"approval_below_confidence": 1}, {"confidence": 1.0}, "allow", []),
        (
            {"approval_for_effects": ["destructive"]},
            {"effect": "destructive"},
            "needs-approval",
            ["effect-needs-approval"],
        ),
        ({"approval_for_effects": ["destructive"]}, {"effect": "write"}, "allow", []),
        ({"approval_for_effects": ["destructive"]}, {"effect": "read"}, "allow", []),
        ({"approval_for_effects": ["destructive"]}, {}, "needs-approval", ["unknown-effect"]),
        ({"approval_for_effects": ["read"]}, {}, "needs-approval", ["unknown-effect"]),
        ({"approval_for_effects": ["read"]}, {"effect": "destructive"}, "needs-approval", ["effect-needs-approval"]),
        ({"approval_for_irreversible": True}, {"effect": "read"}, "allow", []),
        ({"approval_for_irreversible": True}, {"effect": "write", "rollback": UNDO}, "allow", []),
        ({"approval_for_irreversible": True}, {"effect": "write"}, "needs-approval", ["irreversible-step"]),
        ({"approval_for_irreversible": True}, {}, "needs-approval", ["irreversible-step"]),
        (
            {"approval_for_irreversible": True, "approval_below_confidence": 0.5, "approval_for_effects": ["write"]},
            {"effect": "write", "confidence": 0.4},
            "needs-approval",
            ["effect-needs-approval", "irreversible-step", "low-confidence"],
        ),
        (
            {"approval_below_confidence": 0.5, "deny_actions": ["drop"]},
            {"action": "drop"},
            "deny",
            ["denied-action", "unknown-confidence"],
        ),
    ],
)
def test_one_step_under_one_rule(
    rules: Dict[str, Any], fields: Dict[str, Any], verdict: str, reasons: List[str]
) -> None:
    """Each rule at its bound, and rules together: deny wins over approve, and all reasons are told, errors first."""
    reviewed = review(wfplan.plan([Step(name="s", **fields)]), lax(**rules))
    assert (reviewed.verdict, reviewed.steps["s"].verdict) == (verdict, verdict)
    told = reviewed.steps["s"].reasons
    assert codes(told) == reasons
    assert {reason.steps for reason in told} <= {("s",)}
    assert all(reason.message.startswith('"s" ') for reason in told)
    assert reviewed.reasons == ()


@pytest.mark.parametrize(
    ("rules", "count", "verdict", "reasons"),
    [
        ({"max_steps": 3}, 3, "allow", []),
        ({"max_steps": 3}, 4, "deny", ["too-many-steps"]),
        ({"approval_above_steps": 3}, 3, "allow", []),
        ({"approval_above_steps": 3}, 4, "needs-approval", ["many-steps"]),
        ({"approval_above_steps": 0}, 0, "allow", []),
        ({"approval_above_steps": 0}, 1, "needs-approval", ["many-steps"]),
        ({"max_steps": 3, "approval_above_steps": 2}, 3, "needs-approval", ["many-steps"]),
        ({"max_steps": 3, "approval_above_steps": 2}, 4, "deny", ["too-many-steps", "many-steps"]),
        ({"max_steps": 2, "max_levels": 1}, 3, "deny", ["too-many-steps"]),
    ],
)
def test_the_number_of_steps(rules: Dict[str, Any], count: int, verdict: str, reasons: List[str]) -> None:
    """What lies in the plan as a whole is told there: each step by itself may run."""
    reviewed = review(wfplan.plan({f"s{number}": [] for number in range(count)}), lax(**rules))
    assert reviewed.verdict == verdict
    assert codes(reviewed.reasons) == reasons
    assert {step.verdict for step in reviewed.steps.values()} <= {"allow"}


def test_levels_are_counted_not_batches() -> None:
    """A level that a size, a lock or a hint splits into several batches is one level; a longer path is denied."""
    wide = [Step(name=f"s{number}", locks=["x"] if number < 2 else []) for number in range(4)]
    split = (
        wfplan.plan(wide, max_batch_size=1),
        wfplan.plan(wide),
        wfplan.plan([*wide, Step(name="h", metadata={"execution_mode": "sequential"})], isolate_sequential=True),
    )
    for plan in split:
        assert len(plan.batches) > 1
        assert review(plan, lax(max_levels=1)).verdict == "allow"
    chain = wfplan.plan({"a": [], "b": ["a"], "c": ["b", "a"], "beside": []}, max_batch_size=1)
    assert review(chain, lax(max_levels=3)).verdict == "allow"
    denied = review(chain, lax(max_levels=2))
    assert codes(denied.reasons) == ["too-many-levels"]
    assert "3 levels, at most 2" in denied.reasons[0].message


def test_an_empty_plan_is_allowed() -> None:
    """Nothing to do breaks no rule, and is released."""
    plan = wfplan.plan([])
    reviewed = review(plan, Policy(max_steps=1, approval_above_steps=0, max_levels=1, allow_actions=[]))
    assert (reviewed.verdict, dict(reviewed.steps)) == ("allow", {})
    assert reviewed.release(now=0) == plan


# ----------------------------------------------------------------------------------------------------- what is denied


def test_what_needs_a_denied_step_is_denied() -> None:
    """The direct cause and the root are told, the root among the steps concerned; what is beside it may run.

    free -> drop -> near -> far
    free -> other
    """
    plan = wfplan.plan({"far": ["near"], "near": ["free", "drop"], "drop": ["free"], "free": [], "other": ["free"]})
    reviewed = review(plan, lax(deny_actions=["drop"]))
    verdicts = {name: step.verdict for name, step in reviewed.steps.items()}
    assert verdicts == {"far": "deny", "near": "deny", "drop": "deny", "free": "allow", "other": "allow"}
    assert list(verdicts) == [step.name for step in plan.workflow.steps]
    (near,) = reviewed.steps["near"].reasons
    (far,) = reviewed.steps["far"].reasons
    assert near.code == far.code == "denied-dependency"
    assert near.message == '"near" needs "drop", which is denied'
    assert far.message == '"far" needs "near", which is denied, since "drop" is'
    assert (near.steps, far.steps) == (("near", "drop"), ("far", "drop"))
    assert reviewed.verdict == "deny"
    assert reviewed.reasons == ()


def test_a_step_denied_by_itself_is_the_root_of_its_own_dependents() -> None:
    """One root is told, the nearest; a step's own reasons are not mixed with those of what it needs."""
    reviewed = review(wfplan.plan({"a": [], "b": ["a"], "c": ["b"]}), lax(deny_actions=["a", "b"]))
    assert codes(reviewed.steps["b"].reasons) == ["denied-action"]
    assert reviewed.steps["c"].reasons[0].steps == ("c", "b")


def test_a_step_that_needs_approval_denies_nobody() -> None:
    """Approval concerns the step alone; a denied dependent keeps its own reasons for approval."""
    plan = wfplan.plan([Step(name="a"), Step(name="b", dependencies=["a"], effect="read")])
    reviewed = review(plan, lax(approval_for_effects=["write"]))
    assert [step.verdict for step in reviewed.steps.values()] == ["needs-approval", "allow"]
    below = review(wfplan.plan({"a": [], "b": ["a"]}), lax(deny_actions=["a"], approval_below_confidence=0.5))
    assert codes(below.steps["b"].reasons) == ["denied-dependency", "unknown-confidence"]


def test_denial_reaches_the_end_of_a_long_chain() -> None:
    """Whatever the declared order and the length."""
    names = [f"s{number}" for number in range(3000)]
    needs = {name: [names[place - 1]] if place else [] for place, name in enumerate(names)}
    reviewed = review(wfplan.plan(dict(reversed(list(needs.items())))), lax(deny_actions=["s0"]))
    assert {step.verdict for step in reviewed.steps.values()} == {"deny"}
    assert reviewed.steps["s2999"].reasons[0].steps == ("s2999", "s0")


def test_more_reasons_than_are_listed_still_refuse() -> None:
    """A thousand warnings hide no error, a thousand errors are still a denial."""
    many = wfplan.plan({f"s{number}": [] for number in range(1100)})
    needing = review(many, Policy(approval_above_steps=None))
    assert needing.verdict == "needs-approval"
    assert refusals(lambda: needing.release(now=0))[0] == "approval-missing"
    assert needing.release(approve(needing), now=150) == many
    denied = review(many, lax(allow_actions=[]))
    assert denied.verdict == "deny"
    assert refusals(lambda: denied.release(now=0))[0] == "unlisted-action"


def test_nothing_opens_the_gate_for_what_is_denied() -> None:
    """No approval helps, and nobody is asked; every reason is told, those of the plan first."""
    plan = wfplan.plan({"a": [], "b": ["a"], "c": []})
    reviewed = review(plan, lax(deny_actions=["a"], max_steps=2, approval_below_confidence=0.5))
    expected = ["too-many-steps", "denied-action", "denied-dependency"]
    asked: List[ApprovalRequest] = []
    foreign = approve(review(plan, Policy()))
    for approval in (None, asked.append, foreign):
        assert refusals(lambda given=approval: reviewed.release(given, now=150)) == expected  # type: ignore[misc]
    assert refusals(reviewed.request) == expected
    assert asked == []


# --------------------------------------------------------------------------------------------- what the review tells


def test_a_review_as_text() -> None:
    """The verdict, the plan's own reasons, then each step that has any: nothing more."""
    plan = wfplan.plan([Step(name="look", effect="read"), Step(name="wipe", effect="destructive"), Step(name="x")])
    reviewed = review(plan, Policy(approval_above_steps=2, deny_actions=["x"]))
    assert str(reviewed).splitlines() == [
        "deny: 3 steps, 2 flagged",
        "  many-steps: the plan has 3 steps, more than 2 need approval",
        'needs-approval "wipe"',
        '  effect-needs-approval: "wipe" is destructive, which needs approval',
        'deny "x"',
        '  denied-action: "x" has the action "x", which is denied',
        '  unknown-effect: "x" may do anything, since its effect is not known',
    ]
    assert repr(reviewed) == "<Review deny: 3 steps>"


def test_a_review_as_data() -> None:
    """JSON can hold it; the request is in it where approval is needed, and loads again."""
    plan = repair()
    for policy, verdict in ((LAX, "allow"), (Policy(), "needs-approval"), (Policy(max_steps=1), "deny")):
        reviewed = review(plan, Policy(**{**vars(policy), "approval_above_steps": None}))
        told = json.loads(json.dumps(reviewed.data, allow_nan=False))
        assert told["verdict"] == verdict
        assert told["fingerprint"] == reviewed.fingerprint
        assert [wfplan.Problem.model_validate(reason) for reason in told["reasons"]] == list(reviewed.reasons)
        steps = [StepReview.model_validate_json(json.dumps(step)) for step in told["steps"]]
        assert steps == list(reviewed.steps.values())
        assert ("request" in told) == (verdict == "needs-approval")
        assert ("digest" in told) == (verdict == "needs-approval")
        if verdict == "needs-approval":
            assert told["digest"] == reviewed.request().digest
            loaded = ApprovalRequest.model_validate_json(json.dumps(told["request"]))
            assert loaded == reviewed.request()


def test_all_reasons_of_a_review_are_its_problems() -> None:
    """Those of the whole and those of the steps, errors first."""
    plan = wfplan.plan({"a": [], "b": ["a"]})
    denied = review(plan, Policy(deny_actions=["a"], approval_above_steps=1))
    assert codes(denied.problems) == [
        "denied-action",
        "denied-dependency",
        "many-steps",
        "unknown-effect",
        "unknown-effect",
    ]
    assert set(denied.problems) == {*denied.reasons, *denied.steps["a"].reasons, *denied.steps["b"].reasons}
    assert review(plan, LAX).problems == ()


def test_a_hostile_action_adds_no_line_to_a_review() -> None:
    """Actions and names are told escaped."""
    hostile = 'x\nallow: 1 step\r\x1b[2J\u2028\u202e"'
    policy = lax(allow_actions=[], approval_below_confidence=1)
    reviewed = review(wfplan.plan([Step(name='n"', action=hostile)]), policy)
    lines = str(reviewed).splitlines()
    assert len(lines) == 4
    assert all(line.isprintable() for line in lines)


def test_other_things_than_plans_and_policies_are_refused() -> None:
    """A mapping of rules is no policy that was checked, a reading no plan."""
    plan = wfplan.plan({"a": []})
    wrong: List[Tuple[Callable[[Any], object], Tuple[Any, ...]]] = [
        (lambda value: review(value, Policy()), ({"a": []}, None, plan.workflow)),
        (lambda value: review(plan, value), ({}, None, plan)),
        (lambda value: review(plan, Policy(), approved=value), ({}, 5, plan.workflow)),
    ]
    for call, values in wrong:
        for value in values:
            with pytest.raises(RefusedError, match="must be of type"):
                call(value)


# ------------------------------------------------------------------------------------------------ what is released


def parts(value: Any) -> Iterator[int]:
    """The identities of everything in a value that Python's back doors can change: models, objects, lists."""
    if isinstance(value, (dict, list)) and value:
        yield id(value)
    if isinstance(value, wfplan._internal.model.Model):
        yield id(value)
        value = vars(value)
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, (list, tuple)) else ():
        yield from parts(inner)


def test_what_is_released_is_an_equal_copy() -> None:
    """Equal in everything, the commentary too, and nothing of it is the original."""
    plan = repair()
    reviewed = review(plan, LAX)
    released = reviewed.release(now=0)
    assert released == plan
    assert released.model_dump_json() == plan.model_dump_json()
    assert released.fingerprint == reviewed.fingerprint == plan.fingerprint
    assert released.problems == plan.problems != ()
    assert set(parts(plan)).isdisjoint(parts(released))


def test_what_is_released_is_a_plan() -> None:
    """It passes the checks of the class, is what its own workflow gives, and may be reviewed again."""
    plan = repair(max_parallel=None)
    reviewed = review(plan, Policy(max_parallel=2))
    released = reviewed.release(approve(reviewed), now=150)
    assert ExecutionPlan.model_validate_json(released.model_dump_json()) == released
    assert ExecutionPlan.model_validate(released.model_dump()) == released
    assert wfplan.plan(released.workflow) == released
    again = review(released, Policy(max_parallel=2))
    assert again.fingerprint == reviewed.fingerprint == released.fingerprint
    assert again.release(approve(again), now=150) == released


@pytest.mark.parametrize(
    ("own", "limit", "released"),
    [(None, None, None), (None, 5, 5), (6, 5, 5), (5, 5, 5), (4, 5, 4), (4, None, 4), (1, 5, 1), (9, 1, 1)],
)
def test_max_parallel_lowers_and_never_denies(
    own: Optional[int], limit: Optional[int], released: Optional[int]
) -> None:
    """The lower of both is what is released; all else, batches too, stays as it was; the original is left alone."""
    plan = repair(max_parallel=own)
    reviewed = review(plan, lax(max_parallel=limit))
    assert reviewed.verdict == "allow"
    given = reviewed.release(now=0)
    assert given.workflow.execution_strategy.max_parallel == released
    assert given.fingerprint == reviewed.fingerprint == reviewed.request().fingerprint
    assert (given.fingerprint == plan.fingerprint) == (given == plan) == (own == released)
    assert plan.workflow.execution_strategy.max_parallel == own
    expected = plan.model_dump()
    expected["workflow"]["execution_strategy"]["max_parallel"] = released
    assert given.model_dump() == expected
    assert given.steps == dict(plan.steps)


@pytest.mark.parametrize("field", ["verdict", "reasons", "steps", "fingerprint"])
def test_what_is_written_onto_a_review_opens_nothing(field: str) -> None:
    """The gate has its own judgment: the fields of the review are there to be read."""
    plan = repair()
    harmless = review(plan, LAX)
    for policy, expected in (
        (Policy(max_steps=1, approval_above_steps=None), "too-many-steps"),
        (Policy(), "approval-missing"),
    ):
        reviewed = review(plan, policy)
        setattr(reviewed, field, getattr(harmless, field))
        assert refusals(lambda held=reviewed: held.release(now=0)) == [expected]  # type: ignore[misc]


def test_what_is_written_into_the_steps_of_a_review_opens_nothing() -> None:
    """Nor do changes inside of what it tells, even of frozen fields."""
    reviewed = review(repair(), Policy(deny_actions=["note"]))
    with pytest.raises(TypeError):
        reviewed.steps["note"] = reviewed.steps["look"]  # type: ignore[index]
    dict.clear(reviewed.steps)
    reviewed.verdict = "allow"
    assert refusals(lambda: reviewed.release(now=0)) == ["denied-action"]
    reviewed = review(repair(), Policy(deny_actions=["note"]))
    for step in reviewed.steps.values():
        vars(step).update(verdict="allow", reasons=())
    with pytest.raises(RefusedError):
        reviewed.release(now=0)


def test_another_plan_in_the_place_of_the_reviewed_one_is_not_released() -> None:
    """A review is of one plan."""
    reviewed = review(repair(), LAX)
    reviewed.plan = repair(max_parallel=2)
    assert reviewed.release(now=0) == repair()


# ------------------------------------------------------------------------------------------- changed since the review

Change = Callable[[ExecutionPlan], object]


def wipe(plan: ExecutionPlan) -> Step:
    return plan.steps["wipe"]


def undo(plan: ExecutionPlan) -> Compensation:
    rollback = plan.steps["wipe"].rollback
    assert rollback is not None
    return rollback


def hack(pick: Callable[[ExecutionPlan], Any], **fields: Any) -> Change:
    """Set frozen fields past the model."""
    return lambda plan: [SET(pick(plan), field, value) for field, value in fields.items()]


def put(key: Any, value: Any) -> Change:
    """Put something into the parameters that has no place there."""
    return lambda plan: dict.update(wipe(plan).parameters, {key: value})


def cyclic() -> Dict[str, Any]:
    circle: Dict[str, Any] = {}
    circle["again"] = [circle]
    return circle


def deep(levels: int) -> Dict[str, Any]:
    value: Dict[str, Any] = {}
    for _ in range(levels):
        value = {"in": value}
    return value


class Sly:
    """No JSON, and untrue to what it is asked."""

    def __repr__(self) -> str:
        raise ZeroDivisionError

    def __eq__(self, other: object) -> bool:
        return True

    __hash__ = None  # type: ignore[assignment]


CHANGES: Dict[str, Change] = {
    "parameter": lambda plan: dict.update(wipe(plan).parameters, disk="sdb"),
    "parameter inside": lambda plan: dict.update(wipe(plan).parameters["where"], force=True),
    "list inside": lambda plan: list.append(wipe(plan).parameters["where"]["racks"], 2),
    "object in list inside": lambda plan: dict.update(wipe(plan).parameters["where"]["racks"][1], row="c"),
    "parameter added": hack(lambda plan: plan.steps["look"], parameters={"more": None}),
    "parameter removed": lambda plan: dict.pop(wipe(plan).parameters, "disk"),
    "parameters emptied": lambda plan: dict.clear(wipe(plan).parameters),
    "1 to true": lambda plan: dict.update(wipe(plan).parameters, count=True),
    "1 to 1.0": lambda plan: dict.update(wipe(plan).parameters, count=1.0),
    "false to 0": lambda plan: dict.update(wipe(plan).parameters["where"], force=0),
    "metadata": lambda plan: list.append(wipe(plan).metadata["ticket"]["ids"], 8),
    "hint": hack(lambda plan: plan.steps["look"], metadata={"execution_mode": "sequential"}),
    "rollback parameters": lambda plan: list.append(undo(plan).parameters["from"]["backups"], "tuesday"),
    "rollback action": hack(undo, action="nothing"),
    "effect by vars": lambda plan: vars(wipe(plan)).update(effect="read"),
    "effect": hack(wipe, effect="read"),
    "no effect": hack(wipe, effect=None),
    "effect that is none": hack(wipe, effect="harmless"),
    "effect deleted": lambda plan: vars(wipe(plan)).pop("effect"),
    "field that is none": lambda plan: vars(wipe(plan)).update(parameters={}, params={"disk": "sdb"}),
    "name": hack(wipe, name="wipe2"),
    "action": hack(wipe, action="wipe_all"),
    "another parameters": hack(wipe, parameters={"disk": "sdb"}),
    "no parameters": hack(wipe, parameters=None),
    "dependencies": hack(wipe, dependencies=()),
    "other dependencies": hack(wipe, dependencies=("note",)),
    "unknown dependencies": hack(wipe, dependencies=("gone",)),
    "circular dependencies": hack(lambda plan: plan.steps["look"], dependencies=("check",)),
    "locks": hack(wipe, locks=()),
    "description": hack(wipe, description="does much"),
    "confidence": hack(wipe, confidence=1.0),
    "confidence out of bounds": hack(wipe, confidence=7.0),
    "recommendation": hack(wipe, recommendation_id=None),
    "estimate": hack(wipe, estimated_seconds=None),
    "timeout": hack(wipe, timeout_seconds=1e9),
    "timeout of NaN": hack(wipe, timeout_seconds=math.nan),
    "retry": hack(wipe, retry=None),
    "retry inside": hack(lambda plan: wipe(plan).retry, max_attempts=99),
    "no rollback": hack(wipe, rollback=None),
    "rollback as data": hack(wipe, rollback={"action": "restore", "parameters": {}}),
    "goes on": hack(wipe, continue_on_failure=False),
    "idempotent": hack(wipe, idempotent=None),
    "workflow": hack(lambda plan: plan, workflow=repair(max_parallel=2).workflow),
    "workflow as data": hack(lambda plan: plan, workflow=repair(max_parallel=2).workflow.model_dump()),
    "workflow of None": hack(lambda plan: plan, workflow=None),
    "workflow name": hack(lambda plan: plan.workflow, name="other"),
    "steps": lambda plan: SET(plan.workflow, "steps", plan.workflow.steps[:-1]),
    "one step twice": lambda plan: SET(plan.workflow, "steps", (*plan.workflow.steps, wipe(plan))),
    "order of steps": lambda plan: SET(plan.workflow, "steps", plan.workflow.steps[::-1]),
    "max_parallel": hack(lambda plan: plan.workflow.execution_strategy, max_parallel=99),
    "rollback_on_failure": hack(lambda plan: plan.workflow.execution_strategy, rollback_on_failure=True),
    "schedule": hack(lambda plan: plan.workflow.execution_strategy, schedule="eager"),
    "mode": hack(lambda plan: plan.workflow.execution_strategy, mode="sequential"),
    "batches": lambda plan: SET(plan, "batches", plan.batches[:-1]),
    "order of batches": lambda plan: SET(plan, "batches", plan.batches[::-1]),
    "number of a batch": hack(lambda plan: plan.batches[0], number=2),
    "steps of a batch": hack(lambda plan: plan.batches[0], steps=("note", "look")),
    "parallel": hack(lambda plan: plan.batches[0], parallel=False),
    "strategy": hack(lambda plan: plan, strategy="parallel"),
    "problems": hack(lambda plan: plan, problems=()),
    "message of a problem": hack(lambda plan: plan.problems[0], message="all is well"),
    "version": hack(lambda plan: plan, schema_version=2),
    "NaN": lambda plan: dict.update(wipe(plan).parameters, ratio=math.nan),
    "infinity inside": lambda plan: list.append(wipe(plan).parameters["where"]["racks"], -math.inf),
    "object": lambda plan: dict.update(wipe(plan).parameters, disk=object()),
    "sly object": lambda plan: dict.update(wipe(plan).parameters, disk=Sly()),
    "function": lambda plan: dict.update(wipe(plan).metadata, call=print),
    "bytes": lambda plan: dict.update(wipe(plan).parameters, disk=b"\xff"),
    "set": lambda plan: dict.update(wipe(plan).parameters, disk={"sda"}),
    "half of a pair": lambda plan: dict.update(wipe(plan).parameters, disk="\ud800"),
    "key that is no text": put(5, "x"),
    "key that nothing is": put((), "x"),
    "too deep": lambda plan: dict.update(wipe(plan).parameters, more=deep(65)),
    "much too deep": lambda plan: dict.update(wipe(plan).parameters, more=deep(100_000)),
    "cyclic": lambda plan: dict.update(wipe(plan).parameters, cyclic()),
    "cyclic metadata": lambda plan: dict.update(wipe(plan).metadata["ticket"], cyclic()),
    "cyclic rollback": lambda plan: dict.update(undo(plan).parameters, cyclic()),
}


@pytest.mark.parametrize("name", CHANGES)
def test_what_becomes_of_a_plan_after_its_review_is_not_released(name: str) -> None:
    """Whatever was changed, needing approval or not: what is asked for and what is released is what was reviewed."""
    for policy in (LAX, Policy()):
        plan = repair()
        reviewed = review(plan, policy)
        digest, approval = reviewed.request().digest, approve(reviewed)
        CHANGES[name](plan)
        assert reviewed.request().digest == digest
        for given in (approval, lambda request: request.approve("jo", at=100.0, until=200.0)):
            released = reviewed.release(given, now=150.0)
            assert released.model_dump_json() == repair().model_dump_json()
            assert released.fingerprint == reviewed.fingerprint == repair().fingerprint


@pytest.mark.parametrize("warned", ["error", "ignore"])
@pytest.mark.parametrize(
    "name",
    [
        *("cyclic", "object", "sly object", "half of a pair", "too deep", "much too deep", "batches", "parallel"),
        *("effect that is none", "unknown dependencies", "circular dependencies", "strategy", "version", "hint"),
        *("workflow of None", "confidence out of bounds", "one step twice", "bytes"),
    ],
)
def test_what_is_no_plan_any_more_is_not_reviewed(name: str, warned: Any) -> None:
    """A plan that was changed into what is none is refused at once; as the one that was approved before, too."""
    plan = repair()
    CHANGES[name](plan)
    with warnings.catch_warnings():
        warnings.simplefilter(warned)
        assert refusals(lambda: review(plan, LAX)) == ["plan-changed"]
        assert refusals(lambda: review(repair(), LAX, approved=plan)) == ["plan-changed"]


def test_what_was_changed_before_the_review_is_what_is_reviewed() -> None:
    """What a plan holds at the review is what counts, for the rules and for the release."""
    plan = wfplan.plan([Step(name="a", parameters={"size": 1})])
    dict.update(plan.steps["a"].parameters, size="x" * 100)
    assert review(plan, lax(max_parameter_bytes=50)).verdict == "deny"
    assert review(plan, LAX).release(now=0).steps["a"].parameters == {"size": "x" * 100}


def test_what_was_put_in_before_the_review_is_released_as_json() -> None:
    """Nothing foreign comes through."""
    plan = repair()
    dict.update(wipe(plan).parameters["where"], racks=(1, {"row": "b"}))
    released = review(plan, LAX).release(now=0)
    assert wipe(released).parameters["where"]["racks"] == [1, {"row": "b"}]
    assert released.model_dump_json() == repair().model_dump_json()


def test_the_previous_plan_is_remembered_as_it_was() -> None:
    """What is done to the plan that was approved before, after the review, changes no request."""
    before = repair()
    reviewed = review(repair(max_parallel=2), Policy(), approved=before)
    digest = reviewed.request().digest
    approval = approve(reviewed)
    dict.clear(wipe(before).parameters)
    assert reviewed.request().digest == digest
    assert reviewed.release(approval, now=150) == repair(max_parallel=2)
