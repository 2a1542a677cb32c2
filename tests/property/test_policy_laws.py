"""What holds for the review of any plan under any policy, and for the gate behind it."""

from __future__ import annotations

import json
from typing import Any, Callable, Dict, Iterator, List, NamedTuple, Optional, Sequence, Set, Tuple

from hypothesis import assume, event, given
from hypothesis import strategies as st
from strategies import json_objects, some_of, step_fields, workflows

from wfplan import ExecutionPlan, RefusedError, Step, Workflow, plan
from wfplan._internal.identifiers import action_error
from wfplan._internal.model import Model
from wfplan.policy import Approval, ApprovalRequest, Policy, Review, Verdict, review

RANK: Dict[Verdict, int] = {"allow": 0, "needs-approval": 1, "deny": 2}
EFFECTS = ("read", "write", "destructive")
AT, NOW, UNTIL = 1.0, 2.0, 3.0
SET = object.__setattr__


class Case(NamedTuple):
    plan: ExecutionPlan
    policy: Policy


def rank(verdict: Verdict) -> int:
    return RANK[verdict]


def approve(request: ApprovalRequest) -> Approval:
    return request.approve("jo", at=AT, until=UNTIL)


def plans() -> st.SearchStrategy[ExecutionPlan]:
    return workflows().map(plan)


def actions_of(planned: ExecutionPlan) -> List[str]:
    """All that a policy can name, in any order that is the same each time, and one that does not occur."""
    found = [step.action for step in planned.workflow.steps]
    found.extend(step.rollback.action for step in planned.workflow.steps if step.rollback is not None)
    return [action for action in dict.fromkeys((*found, "no such action")) if action_error(action) is None]


@st.composite
def policies(draw: st.DrawFn, planned: ExecutionPlan) -> Policy:
    """Any policy, of limits near to what the plan has."""
    actions = actions_of(planned)
    count = st.none() | st.integers(1, len(planned.workflow.steps) + 2)
    fields: Dict[str, Any] = {
        "max_steps": draw(count),
        "approval_above_steps": draw(st.none() | st.integers(0, len(planned.workflow.steps) + 1)),
        "max_parallel": draw(count),
        "max_levels": draw(st.none() | st.integers(1, len(planned.batches) + 1)),
        "max_parameter_bytes": draw(st.none() | st.integers(0, 60)),
        "approval_below_confidence": draw(st.none() | st.floats(0, 1)),
        "approval_for_effects": draw(some_of(EFFECTS)),
        "approval_for_irreversible": draw(st.booleans()),
        "deny_actions": draw(some_of(actions, max_size=1)),
        "allow_actions": draw(st.none() | some_of(actions, max_size=9)),
    }
    return consistent(fields)


def consistent(fields: Dict[str, Any]) -> Policy:
    """The policy of these fields, with what would contradict others made stricter."""
    if fields["allow_actions"] is not None:
        fields["allow_actions"] = [name for name in fields["allow_actions"] if name not in fields["deny_actions"]]
    if None not in (fields["max_steps"], fields["approval_above_steps"]):
        fields["approval_above_steps"] = min(fields["approval_above_steps"], fields["max_steps"])
    return Policy.model_validate(fields)


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """A plan, and a policy for it."""
    planned = draw(plans())
    return Case(planned, draw(policies(planned)))


def reviews() -> st.SearchStrategy[Review]:
    return cases().map(lambda case: review(case.plan, case.policy))


@st.composite
def needing_approval(draw: st.DrawFn) -> Review:
    """A review that is not denied, since no action is."""
    planned = draw(plans())
    policy = draw(policies(planned))
    some = {
        "max_steps": None,
        "max_levels": None,
        "max_parameter_bytes": None,
        "deny_actions": (),
        "allow_actions": None,
    }
    return review(planned, policy.model_copy(update=some))


# ------------------------------------------------------------------------------------------------ stricter, and more


def _lower(value: Optional[int], least: int) -> st.SearchStrategy[Any]:
    return st.integers(least, 9 if value is None else value)


def stricter(policy: Policy, actions: Sequence[str]) -> st.SearchStrategy[Policy]:
    """Policies of which no field is less strict: one field of them changed, or several."""
    allowed = policy.allow_actions
    lowest = {"max_steps": 1, "approval_above_steps": 0, "max_parallel": 1, "max_levels": 1, "max_parameter_bytes": 0}
    changes: Dict[str, st.SearchStrategy[Any]] = {
        **{field: _lower(getattr(policy, field), least) for field, least in lowest.items()},
        "approval_below_confidence": st.floats(policy.approval_below_confidence or 0, 1),
        "approval_for_effects": some_of(EFFECTS).map(lambda more: tuple({*policy.approval_for_effects, *more})),
        "approval_for_irreversible": st.just(True),
        "deny_actions": some_of(actions, max_size=2).map(lambda more: tuple({*policy.deny_actions, *more})),
        "allow_actions": some_of(tuple(actions) if allowed is None else allowed, max_size=9),
    }
    assert set(changes) == set(Policy.model_fields)

    @st.composite
    def changed(draw: st.DrawFn) -> Policy:
        fields = draw(st.lists(st.sampled_from(sorted(changes)), min_size=1, max_size=3, unique=True))
        return consistent({**vars(policy), **{field: draw(changes[field]) for field in fields}})

    return changed()


@given(st.data(), cases())
def test_a_stricter_policy_never_allows_more(data: st.DataObject, case: Case) -> None:
    """Neither of any step nor of the plan, whichever fields are stricter; and it never releases with more at once."""
    before = review(case.plan, case.policy)
    after = review(case.plan, data.draw(stricter(case.policy, actions_of(case.plan))))
    event(f"{before.verdict} -> {after.verdict}")
    assert rank(after.verdict) >= rank(before.verdict)
    for name, step in before.steps.items():
        assert rank(after.steps[name].verdict) >= rank(step.verdict)
    if after.verdict != "deny":
        limits = [reviewed.request().execution_strategy.max_parallel for reviewed in (before, after)]
        assert limits[0] is None or (limits[1] is not None and limits[1] <= limits[0])


@given(st.data(), cases())
def test_a_plan_of_more_steps_is_never_allowed_more(data: st.DataObject, case: Case) -> None:
    """One more, whatever it is and needs, leaves the verdicts on the others as they were, and the plan's no milder."""
    names = [step.name for step in case.plan.workflow.steps]
    more = Step(name="one step more", dependencies=data.draw(some_of(names)), **data.draw(step_fields()))
    place = data.draw(st.integers(0, len(names)))
    steps = [*case.plan.workflow.steps[:place], more, *case.plan.workflow.steps[place:]]
    settings = case.plan.workflow.execution_strategy
    larger = plan(Workflow(name=case.plan.workflow.name, steps=steps, execution_strategy=settings))
    before, after = review(case.plan, case.policy), review(larger, case.policy)
    event(f"{before.verdict} -> {after.verdict}")
    assert {name: after.steps[name] for name in names} == dict(before.steps)
    assert rank(after.verdict) >= rank(before.verdict)
    assert {reason.code for reason in before.reasons} <= {reason.code for reason in after.reasons}
    assert rank(after.verdict) >= rank(after.steps["one step more"].verdict)


# --------------------------------------------------------------------------------------------------------- one review


@given(reviews())
def test_the_verdict_is_the_worst_of_all(reviewed: Review) -> None:
    """Of the steps and of the reasons that lie in the whole; errors deny, warnings need approval, nothing else does."""

    def verdict(reasons: Sequence[Any]) -> int:
        return max((2 if reason.severity == "error" else 1 for reason in reasons), default=0)

    event(reviewed.verdict)
    for step in reviewed.steps.values():
        assert rank(step.verdict) == verdict(step.reasons)
    steps = [rank(step.verdict) for step in reviewed.steps.values()]
    assert rank(reviewed.verdict) == max([verdict(reviewed.reasons), *steps])
    assert list(reviewed.steps) == [step.name for step in reviewed.plan.workflow.steps]
    assert {reason.severity for reason in reviewed.problems} <= {"error", "warning"}


@given(reviews())
def test_what_needs_a_denied_step_is_denied(reviewed: Review) -> None:
    """And nothing else is, but for its own sake; the root that is told is one that it needs."""
    steps = reviewed.plan.steps
    above: Dict[str, Set[str]] = {}
    for name in (name for batch in reviewed.plan.batches for name in batch.steps):
        needed = steps[name].dependencies
        above[name] = set(needed).union(*(above[dependency] for dependency in needed))
    own = {
        name
        for name, step in reviewed.steps.items()
        if any(reason.severity == "error" and reason.code != "denied-dependency" for reason in step.reasons)
    }
    for name, step in reviewed.steps.items():
        assert (step.verdict == "deny") == (name in own or not own.isdisjoint(above[name]))
        for reason in step.reasons:
            if reason.code == "denied-dependency":
                assert name not in own
                assert reason.steps[0] == name
                assert reason.steps[1] in own & above[name]


@given(cases())
def test_the_same_plan_and_policy_give_the_same_review(case: Case) -> None:
    """To the last byte, from a plan and a policy that went through JSON too; and nothing of both is changed by it."""
    content = (case.plan.model_dump_json(), case.policy.model_dump_json())
    again = (ExecutionPlan.model_validate_json(content[0]), Policy.model_validate_json(content[1]))
    reviewed = [review(case.plan, case.policy), review(case.plan, case.policy), review(*again)]
    texts = {str(one) for one in reviewed}
    data = {json.dumps(one.data) for one in reviewed}
    assert (len(texts), len(data)) == (1, 1)
    if reviewed[0].verdict != "deny":
        assert len({one.request().digest for one in reviewed}) == 1
    assert (case.plan.model_dump_json(), case.policy.model_dump_json()) == content


@given(st.data(), cases())
def test_the_order_in_which_a_policy_lists_things_means_nothing(data: st.DataObject, case: Case) -> None:
    """Nor does listing one twice."""
    lists = ("approval_for_effects", "deny_actions", "allow_actions")
    changes = {
        field: [*data.draw(st.permutations(value)), *value[:1]]
        for field, value in ((field, getattr(case.policy, field)) for field in lists)
        if value is not None
    }
    other = review(case.plan, Policy.model_validate({**vars(case.policy), **changes}))
    assert json.dumps(other.data) == json.dumps(review(case.plan, case.policy).data)


# ---------------------------------------------------------------------------------------------------------- the gate


@given(cases(), st.sampled_from(("nothing", "approval", "person", "denial")))
def test_a_release_is_what_was_reviewed_or_is_none(case: Case, given_: str) -> None:
    """Equal but for a lower limit; released if allowed, or if approved; else refused, and then with an error."""
    reviewed = review(case.plan, case.policy)
    answer: Any = None
    if reviewed.verdict != "deny" and given_ != "nothing":
        request = reviewed.request()
        answer = {"approval": approve(request), "person": approve, "denial": request.deny("jo", at=AT)}[given_]
    may = {"allow": given_ != "denial", "needs-approval": given_ in ("approval", "person"), "deny": False}[
        reviewed.verdict
    ]
    event(f"{reviewed.verdict}, {given_}")
    try:
        released = reviewed.release(answer, now=NOW)
    except RefusedError as error:
        assert not may
        assert any(problem.severity == "error" for problem in error.problems)  # noqa: PT017
        return
    assert may
    limits = [case.plan.workflow.execution_strategy.max_parallel, case.policy.max_parallel]
    lowest = min((limit for limit in limits if limit is not None), default=None)
    expected = case.plan.model_dump(mode="json")
    expected["workflow"]["execution_strategy"]["max_parallel"] = lowest
    assert released.model_dump_json() == json_text(expected)
    assert released.fingerprint == reviewed.fingerprint
    assert (released.fingerprint == case.plan.fingerprint) == (lowest == limits[0])
    assert ExecutionPlan.model_validate_json(released.model_dump_json()) == released


def json_text(content: Dict[str, Any]) -> str:
    return ExecutionPlan.model_validate_json(json.dumps(content)).model_dump_json()


@given(needing_approval(), st.none() | plans())
def test_requests_and_approvals_survive_json(reviewed: Review, approved: Optional[ExecutionPlan]) -> None:
    """Equal, with the same digest and the same text; and the approval of what was loaded opens the gate."""
    reviewed = review(reviewed.plan, reviewed.policy, approved=approved)
    request = reviewed.request()
    loaded = ApprovalRequest.model_validate_json(request.model_dump_json())
    assert loaded == request
    assert (loaded.digest, str(loaded)) == (request.digest, str(request))
    approval = Approval.model_validate_json(approve(loaded).model_dump_json())
    assert approval == approve(request)
    assert reviewed.release(approval, now=NOW).fingerprint == request.fingerprint


@given(needing_approval())
def test_every_line_of_a_request_is_printable(reviewed: Review) -> None:
    """Whatever is in the plan, there are as many lines as steps, reasons and compensations ask for."""
    request = reviewed.request()
    lines = str(request).split("\n")
    assert [line for line in lines if not line.isprintable()] == []
    assert lines == str(request).splitlines()
    irreversible = [step.irreversible for step in request.steps]
    assert irreversible == sorted(irreversible, reverse=True)
    told = sum(
        2
        + (step.rollback is not None)
        + len(step.reasons)
        + step.continue_on_failure
        + bool(step.metadata)
        + bool(step.locks)
        + (step.retry is not None and step.retry.max_attempts > 1)
        for step in request.steps
    )
    settings = bool(request.execution_strategy.model_dump(exclude_defaults=True))
    heads = 1 + settings + len(set(irreversible)) + bool(request.warnings)
    assert len(lines) == heads + len(request.reasons) + len(request.warnings) + told


@given(st.data(), needing_approval())
def test_an_approval_of_one_plan_releases_no_other(data: st.DataObject, reviewed: Review) -> None:
    """Neither one that is like it nor one that is not, under the same policy; the same content is the same plan."""
    own = reviewed.plan
    other = data.draw(st.one_of(plans(), st.just(own), *(st.just(changed) for changed in neighbours(own))))
    against = review(other, reviewed.policy)
    approval = approve(reviewed.request())
    same = own.fingerprint == other.fingerprint
    event("the same" if same else "another")
    try:
        released = against.release(approval, now=NOW)
    except RefusedError as error:
        assert not same or "approval-mismatch" in {problem.code for problem in error.problems}  # noqa: PT017
        return
    assert released.fingerprint == reviewed.fingerprint
    assert against.fingerprint == reviewed.fingerprint


def neighbours(own: ExecutionPlan) -> Iterator[ExecutionPlan]:
    """Plans that differ in one field of one step, or in one step."""
    for step in own.workflow.steps:
        yield plan(own.workflow.replace(step.name, parameters={**step.parameters, "x": 1}))
        yield plan(own.workflow.replace(step.name, effect="read" if step.effect != "read" else "write"))
        yield plan(own.workflow.replace(step.name, description=f"{step.description}, harmless"))
        yield plan(own.workflow.replace(step.name, rollback=None))
    yield plan(own.workflow.add(Step(name="one step more")))


# ------------------------------------------------------------------------------------------- changed since the review


class Place(NamedTuple):
    """Something in a plan that can be changed, allowed or not, and how it is put back."""

    put: Callable[[Any], None]
    restore: Callable[[], None]
    value: Any
    others: Tuple[Any, ...]
    """Values that would be allowed there, the present one perhaps among them."""


LITERALS: Dict[str, Tuple[Any, ...]] = {
    "effect": (None, *EFFECTS),
    "mode": ("auto", "sequential"),
    "schedule": ("batch", "eager"),
    "on_failure": ("stop", "cancel", "skip-dependents"),
    "strategy": ("sequential", "parallel", "sequential-with-parallel"),
    "severity": ("error", "warning", "info"),
    "idempotent": (None, True, False),
}


def places(value: Any) -> Iterator[Place]:
    """Each field of each model in a value, each entry of each dictionary and list, and a new entry in each dictionary.

    Frozen ones are changed by the methods of `dict` and `list`; empty ones are not, since all values share them.
    """
    if isinstance(value, Model):
        for field in type(value).model_fields:
            inner = getattr(value, field)
            yield _field(value, field, inner, LITERALS.get(field, _others(inner)))
            yield from places(inner)
    elif isinstance(value, dict):
        for key, inner in list(value.items()):
            yield _entry(value, key, inner)
            yield from places(inner)
        if value:
            yield _added(value)
    elif isinstance(value, list):
        for position, inner in enumerate(value):
            yield Place(*_item(value, position, inner), inner, _others(inner))
            yield from places(inner)
    elif isinstance(value, tuple):
        for inner in value:
            yield from places(inner)


def _field(owner: Model, field: str, value: Any, others: Tuple[Any, ...]) -> Place:
    return Place(lambda new: SET(owner, field, new), lambda: SET(owner, field, value), value, others)


def _entry(owner: Dict[str, Any], key: str, value: Any) -> Place:
    before = dict(owner)

    def put(new: Any) -> None:
        if new is REMOVED:
            dict.__delitem__(owner, key)
        else:
            dict.__setitem__(owner, key, new)

    def restore() -> None:
        dict.clear(owner)
        dict.update(owner, before)

    return Place(put, restore, value, (*_others(value), REMOVED))


def _added(owner: Dict[str, Any]) -> Place:
    key = "key that is new"
    put: Callable[[Any], None] = lambda new: dict.__setitem__(owner, key, new)  # noqa: E731
    return Place(put, lambda: dict.__delitem__(owner, key), REMOVED, (None, 1, "x", [], {}))


def _item(owner: List[Any], position: int, value: Any) -> Tuple[Callable[[Any], None], Callable[[], None]]:
    def put(new: Any) -> None:
        list.__setitem__(owner, position, new)

    return put, lambda: put(value)


REMOVED: Any = object()


def _others(value: Any) -> Tuple[Any, ...]:
    """Values near to this one, most of them of its kind."""
    if isinstance(value, bool):
        return (not value, int(value), None)
    if isinstance(value, (int, float)):
        return (value + 1, -value, None, str(value), 0.25)
    if isinstance(value, str):
        return (f"{value}x", value[:-1], "", None, "a", f"{value} ")
    if isinstance(value, (tuple, list)):
        kind = type(value)
        return (kind(value[1:]), kind(value[::-1]), kind((*value, *value[:1])), kind(("a",)), None)
    if isinstance(value, dict):
        return ({**value, "x": 1}, {}, None, {"execution_mode": "sequential"})
    return (None, 0, 1, 0.5, 3.0, "x", True, (), {})


def as_json(value: Any) -> Any:
    """What tells values apart as JSON does: 1, 1.0 and true are three, a list and a tuple are one."""
    if value is REMOVED:
        return REMOVED
    if isinstance(value, Model):
        value = value.model_dump(mode="json")
    return json.dumps(value, default=lambda inner: inner.model_dump(mode="json"))


@given(st.data(), needing_approval())
def test_what_becomes_of_a_plan_after_its_review_is_not_released(data: st.DataObject, reviewed: Review) -> None:
    """Each field of each model in it, each parameter at any depth: what is released is what was reviewed."""
    approval = approve(reviewed.request())
    content = reviewed.plan.model_dump_json()
    released = reviewed.release(approval, now=NOW)
    expected, digest = released.model_dump_json(), reviewed.request().digest
    for place in list(places(reviewed.plan)):
        place.put(data.draw(st.sampled_from(place.others)))
        assert reviewed.release(approval, now=NOW).model_dump_json() == expected
        assert reviewed.request().digest == digest
        place.restore()
    assert reviewed.plan.model_dump_json() == content
    assert released.workflow.steps == reviewed.plan.workflow.steps


def refusal(reviewed: Review, approval: Optional[Approval]) -> List[str]:
    """The errors that a release is refused with; none if it is not."""
    try:
        reviewed.release(approval, now=NOW)
    except RefusedError as error:
        return [problem.code for problem in error.problems if problem.severity == "error"]
    return []


@given(st.data(), needing_approval(), json_objects())
def test_an_approval_with_one_field_changed_opens_nothing(
    data: st.DataObject, reviewed: Review, junk: Dict[str, Any]
) -> None:
    """Whatever it is changed into; a signature says nothing where no key is given."""
    approval = approve(reviewed.request())
    field = data.draw(st.sampled_from(sorted({*Approval.model_fields} - {"signature"})))
    value = getattr(approval, field)
    other = data.draw(st.sampled_from((*_others(value), "denied", "approved", junk)))
    assume(as_json(other) != as_json(value))
    vars(approval)[field] = other
    if refusal(reviewed, approval) != ["approval-altered"]:
        assert (field, value, other) in (("at", 1.0, 1), ("until", 3.0, 3))
