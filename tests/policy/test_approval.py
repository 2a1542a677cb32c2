"""What a person is asked, the answers, their way between two processes, and which of them open the gate."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from typing import Any, Callable, Dict, List, Optional, Sequence, Tuple

import pytest
from pydantic import ValidationError

import wfplan
from wfplan import Compensation, ExecutionPlan, ExecutionStrategy, RefusedError, RetryPolicy, Step, Workflow
from wfplan.policy import Approval, ApprovalRequest, Policy, Review, StepToApprove, review

KEY = b"a secret of those who approve"
LAX = Policy(approval_above_steps=None, approval_for_effects=())
AT, NOW, UNTIL = 1_000.0, 2_000.0, 4_600.0


def outage(*, name: str = "outage", table: str = "orders_2019") -> ExecutionPlan:
    """A chain with steps of all kinds of effects.

    count -> backup -> drop -> report
    """
    undo = Compensation(action="restore_table", parameters={"from": "backup"})
    steps = [
        Step(name="count", action="count_rows", effect="read", parameters={"table": table}, description="SOOTHING"),
        Step(name="backup", effect="write", dependencies=["count"], rollback=undo, description="SOOTHING"),
        Step(
            name="drop",
            action="drop_table",
            effect="destructive",
            dependencies=["backup"],
            description="SOOTHING",
            locks=["orders"],
            timeout_seconds=60,
            retry=RetryPolicy(max_attempts=3),
            continue_on_failure=True,
        ),
        Step(name="report", dependencies=["drop", "count"], parameters={"to": "ops"}),
    ]
    return wfplan.plan(Workflow(name=name, steps=steps))


def reviewed_outage(**rules: Any) -> Review:
    return review(outage(), Policy(**rules))


def approve(request: ApprovalRequest, **changes: Any) -> Approval:
    return request.approve(**{"by": "jo", "at": AT, "until": UNTIL, **changes})


def refusals(call: Callable[[], object]) -> List[str]:
    """The codes of the errors that this is refused with, each told on one printable line."""
    with pytest.raises(RefusedError) as caught:
        call()
    problems = [problem for problem in caught.value.problems if problem.severity == "error"]
    assert all(str(problem).isprintable() for problem in problems)
    return [problem.code for problem in problems]


def message(call: Callable[[], object]) -> str:
    with pytest.raises(RefusedError) as caught:
        call()
    return str(caught.value)


# --------------------------------------------------------------------------------------------------------- the request


def test_a_request_shows_each_step_as_it_would_run() -> None:
    """Those that cannot be undone first, then in declared order; with batch, needs, compensation and reasons."""
    reviewed = reviewed_outage(max_parallel=2, approval_above_steps=3)
    request = reviewed.request()
    assert [step.name for step in request.steps] == ["drop", "report", "count", "backup"]
    assert [step.irreversible for step in request.steps] == [True, True, False, False]
    assert [step.batch for step in request.steps] == [3, 4, 1, 2]
    assert [[reason.code for reason in step.reasons] for step in request.steps] == [
        ["effect-needs-approval"],
        ["unknown-effect"],
        [],
        [],
    ]
    for step in request.steps:
        own = outage().steps[step.name]
        assert (step.action, step.parameters, step.effect) == (own.action, own.parameters, own.effect)
        assert (step.dependencies, step.rollback) == (own.dependencies, own.rollback)
        assert (step.locks, step.timeout_seconds, step.retry) == (own.locks, own.timeout_seconds, own.retry)
        assert step.continue_on_failure == own.continue_on_failure
    assert (request.changes, request.warnings) == (None, ())
    assert [reason.code for reason in request.reasons] == ["many-steps"]
    assert request.fingerprint == reviewed.fingerprint != outage().fingerprint
    assert request.execution_strategy == ExecutionStrategy(max_parallel=2)


def test_a_request_as_text() -> None:
    """What is to be seen, line by line."""
    request = reviewed_outage(approval_above_steps=3, max_parallel=2).request()
    assert str(request).splitlines() == [
        f"approval needed: 4 steps, plan {request.fingerprint[:12]}",
        "  max_parallel: 2",
        "  many-steps: the plan has 4 steps, more than 3 need approval",
        "cannot be undone:",
        '  "drop": "drop_table" {}',
        '    destructive, batch 3, after "backup"',
        '    holds "orders" alone',
        "    what depends on it runs even if it fails",
        "    tried up to 3 times",
        '    effect-needs-approval: "drop" is destructive, which needs approval',
        '  "report": "report" {"to": "ops"}',
        '    unknown effect, batch 4, after "drop", "count"',
        '    unknown-effect: "report" may do anything, since its effect is not known',
        "can be undone, or only read:",
        '  "count": "count_rows" {"table": "orders_2019"}',
        "    read, batch 1",
        '  "backup": "backup" {}',
        '    write, batch 2, after "count"',
        '    undone by "restore_table" {"from": "backup"}',
    ]


def test_a_request_of_one_kind_of_steps_has_one_head() -> None:
    """No head stands above nothing, and settings that are the default are not told."""
    reads = review(wfplan.plan([Step(name="a", effect="read")]), Policy(approval_above_steps=0)).request()
    assert str(reads).splitlines()[2:] == ["can be undone, or only read:", '  "a": "a" {}', "    read, batch 1"]
    assert str(reads).startswith("approval needed: 1 step, plan ")
    drops = review(wfplan.plan([Step(name="a", effect="destructive")]), Policy()).request()
    assert "can be undone, or only read:" not in str(drops)


@pytest.mark.parametrize(
    ("attempts", "told"), [(1, []), (2, ["tried up to 2 times"]), (2000, ["tried up to 2,000 times"])]
)
def test_a_request_tells_of_further_attempts(attempts: int, told: List[str]) -> None:
    """One attempt is what everybody takes for granted."""
    plan = wfplan.plan([Step(name="a", effect="write", retry=RetryPolicy(max_attempts=attempts))])
    (step,) = review(plan, Policy(approval_for_effects=["write"])).request().steps
    lines = [line.strip() for line in str(step).splitlines()]
    assert lines == [
        '"a": "a" {}',
        "write, batch 1",
        *told,
        'effect-needs-approval: "a" is write, which needs approval',
    ]


def test_what_the_model_says_of_a_step_is_not_in_a_request() -> None:
    """Neither in the dump nor in the text: it may be milder than what is done."""
    assert "SOOTHING" in outage().model_dump_json()
    request = reviewed_outage().request()
    assert "SOOTHING" not in request.model_dump_json()
    assert "SOOTHING" not in str(request)
    assert "SOOTHING" not in json.dumps(reviewed_outage().data)


def test_a_request_warns_of_what_the_planner_warned_of() -> None:
    """Warnings of the plan are shown; those about how its document was written are not."""
    document = {
        "steps": [{"name": "a", "comment": "?"}, {"name": "b", "dependencies": ["a", "a"], "effect": "destructive"}]
    }
    plan = wfplan.plan(wfplan.read(document))
    assert {problem.code for problem in plan.problems} == {"unknown-field", "duplicate-dependency"}
    request = review(plan, Policy()).request()
    assert [problem.code for problem in request.warnings] == ["duplicate-dependency"]
    assert "warnings:\n  duplicate-dependency: " in str(request)


def test_a_request_tells_what_changed_since_the_plan_that_was_approved_before() -> None:
    """The difference is part of what is seen, in the dump and in the text; no change is told as such."""
    before, after = outage(), outage(table="orders")
    request = review(after, Policy(), approved=before).request()
    assert request.changes == wfplan.diff.diff(before, after)
    assert 'since what was approved before:\n  changed steps\n    "count"' in str(request)
    assert '"orders_2019"' in str(request)
    same = review(after, Policy(), approved=after).request()
    assert str(same).endswith("since what was approved before:\n  no changes")
    alone = review(after, Policy()).request()
    assert len({request.digest, same.digest, alone.digest}) == 3
    assert len({request.fingerprint, same.fingerprint, alone.fingerprint}) == 1


def test_the_lower_limit_is_no_change_of_its_own() -> None:
    """What is held against the plan before is the plan as it would be released."""
    policy = Policy(max_parallel=2)
    first = review(outage(), policy)
    released = first.release(approve(first.request()), now=NOW)
    again = review(outage(), policy, approved=released).request()
    assert again.changes is not None
    assert again.changes.is_empty


def test_a_request_can_be_made_where_none_is_needed() -> None:
    """What a policy allows, a person may look at all the same; an approval of it holds like any other."""
    reviewed = review(outage(), LAX)
    assert reviewed.verdict == "allow"
    request = reviewed.request()
    assert len(request.steps) == 4
    assert reviewed.release(approve(request), now=NOW) == outage()


# --------------------------------------------------------------------------------------------------- hostile, and long

HOSTILE = 'x"\n  "b": "nothing" {}\r\n\x1b[2K\x1b[1A\u2028\u2029\x85\x0b\x0c\x00\u202e\u2066\ufeff\u200b\\n\U000e0041'


def shown(text: str) -> str:
    """The text of a request with this in every place that takes any text."""
    steps = [
        Step(
            name="a",
            action=f"do {text}",
            parameters={f"k{text}": [f"v{text}", {f"i{text}": 1}]},
            rollback=Compensation(action=f"undo {text}", parameters={f"k{text}": f"v{text}"}),
            locks=[f"l{text}"],
            metadata={f"k{text}": "a", "execution_mode": f"x{text}"},
            description=text,
        ),
        Step(name="b", action=f"deny {text}", dependencies=["a", "a"], parameters={"x": text}),
    ]
    before = wfplan.plan(Workflow(name=f"before {text}", steps=[steps[0], Step(name="b", locks=[f"m{text}"])]))
    plan = wfplan.plan(Workflow(name=f"n{text}", steps=steps))
    policy = Policy(approval_for_irreversible=True, approval_below_confidence=0.5)
    return str(review(plan, policy, approved=before).request())


def test_no_text_of_a_plan_adds_a_line_to_a_request() -> None:
    """Newlines, terminal escapes and bidi controls are escaped: there are as many lines as for a harmless plan."""
    hostile, harmless = shown(HOSTILE), shown("x")
    lines = hostile.splitlines()
    assert lines == hostile.split("\n")
    assert [line for line in lines if not line.isprintable()] == []
    assert len(lines) == len(harmless.splitlines())
    for line, expected in zip(lines, harmless.splitlines()):
        assert line[:6] == expected[:6]


def test_names_of_any_script_are_shown_as_they_are() -> None:
    """What can be printed is not escaped, in parameters neither."""
    plan = wfplan.plan([Step(name="l\u00f6schen", parameters={"\u8868": "\u00e9t\u00e9"})])
    text = str(review(plan, Policy()).request())
    assert '"l\u00f6schen": "l\u00f6schen" {"\u8868": "\u00e9t\u00e9"}' in text


@pytest.mark.parametrize(("length", "rest"), [(498, 0), (499, 1), (3_000, 2_502), (100_000, 99_502)])
def test_how_much_of_long_parameters_is_not_shown_is_said(length: int, rest: int) -> None:
    """Five hundred characters of each are shown; nobody takes what is there for all there is."""
    parameters = {"k": "v" * length}
    assert len(json.dumps(parameters["k"])) == 500 + rest
    undo = Compensation(action="undo", parameters=parameters)
    request = review(wfplan.plan([Step(name="a", parameters=parameters, rollback=undo)]), Policy()).request()
    told = f"... and {rest:,} more characters, which are not shown here"
    assert str(request).count(told) == (2 if rest else 0)
    assert ("not shown" in str(request)) == bool(rest)
    assert request.steps[0].parameters == parameters
    assert max(map(len, str(request).splitlines())) < 2_100


# ------------------------------------------------------------------------------------------------- JSON and processes


def requests() -> List[ApprovalRequest]:
    values: Dict[str, Any] = {
        "text": HOSTILE,
        "numbers": [0, -0.0, 1.0, 1e300, 5e-324, 0.1 + 0.2, 10**40, -(2**63), 12345678901234567890.5],
        "others": [None, True, False, [], {}, {"": ""}],
        "\u00e9": {"\u8868": "\U0001f600"},
    }
    undo = Compensation(action="undo", parameters=values)
    steps = [Step(name="a", parameters=values, rollback=undo, effect="write"), Step(name="b", dependencies=["a", "a"])]
    odd = wfplan.plan(Workflow(name=HOSTILE, steps=steps))
    return [
        reviewed_outage(max_parallel=1, approval_above_steps=0).request(),
        review(odd, Policy()).request(),
        review(odd, Policy(), approved=outage()).request(),
        review(outage(table="x"), Policy(), approved=outage()).request(),
        review(wfplan.plan([]), LAX).request(),
    ]


def test_requests_survive_json() -> None:
    """Equal, of the same digest, the same text; also through another JSON library and back from data."""
    for request in requests():
        for text in (
            request.model_dump_json(),
            json.dumps(request.model_dump(mode="json")),
            request.model_dump_json(indent=2),
        ):
            loaded = ApprovalRequest.model_validate_json(text)
            assert loaded == request
            assert loaded.digest == request.digest
            assert str(loaded) == str(request)
            assert loaded.model_dump_json() == request.model_dump_json()
        assert len(request.digest) == 64


def test_approvals_survive_json() -> None:
    """Equal, with the same checksum, which still fits."""
    for request in requests():
        for given in (
            request.approve("jo", at=AT, until=UNTIL, comment=HOSTILE),
            request.approve(HOSTILE, at=0, until=1e300),
            request.deny("jo", at=0.1 + 0.2),
        ):
            loaded = Approval.model_validate_json(given.model_dump_json())
            assert loaded == given == Approval.model_validate_json(json.dumps(given.model_dump(mode="json")))
            assert loaded.checksum == given.checksum == loaded.compute_checksum()


def test_everything_in_a_request_is_part_of_its_digest() -> None:
    """No field can differ, and the digest be the same."""
    request = review(outage(), Policy(approval_above_steps=0), approved=outage(table="x")).request()
    content = request.model_dump(mode="json")
    digests = {request.digest}
    changes: List[Tuple[Sequence[Any], Any]] = [
        (("fingerprint",), "0"),
        (("reasons",), []),
        (("steps",), content["steps"][1:]),
        (("steps",), content["steps"][::-1]),
        *((("steps", 3, field), value) for field, value in STEP_CHANGES.items()),
        (("execution_strategy", "max_parallel"), 9),
        (("warnings",), content["reasons"]),
        (("changes",), None),
        (("changes", "changed"), []),
    ]
    for path, value in changes:
        changed = json.loads(json.dumps(content))
        target = changed
        for part in path[:-1]:
            target = target[part]
        assert target[path[-1]] != value
        target[path[-1]] = value
        digests.add(ApprovalRequest.model_validate_json(json.dumps(changed)).digest)
    assert len(digests) == len(changes) + 1
    assert set(STEP_CHANGES) == set(StepToApprove.model_fields)


STEP_CHANGES: Dict[str, Any] = {
    "name": "other",
    "action": "other",
    "parameters": {"x": 1},
    "effect": "read",
    "irreversible": True,
    "rollback": None,
    "dependencies": [],
    "batch": 9,
    "locks": ["x"],
    "metadata": {"x": 1},
    "timeout_seconds": 1.0,
    "retry": {"max_attempts": 2},
    "continue_on_failure": True,
    "reasons": [{"code": "x", "severity": "warning", "message": "y"}],
}

ELSEWHERE = """
import sys
from wfplan import ExecutionPlan
from wfplan.policy import Approval, ApprovalRequest, Policy, review
plan, approved, policy, request = sys.stdin.read().splitlines()
plan, approved = map(ExecutionPlan.model_validate_json, (plan, approved))
request = ApprovalRequest.model_validate_json(request)
assert review(plan, Policy.model_validate_json(policy), approved=approved).request() == request
print(request.digest)
print(request.approve("jo", at=1000.0, until=4600.0).model_dump_json())
"""


@pytest.mark.parametrize("seed", ["0", "1", "4242"])
def test_a_request_may_be_answered_in_another_process(seed: str) -> None:
    """Whatever the hash seed there: the same request, the same digest, and an approval that is accepted here."""
    plan, before = outage(), outage(table="x")
    policy = Policy(deny_actions=["x", "y", "z"], approval_for_effects=["write", "destructive"], max_parallel=2)
    reviewed = review(plan, policy, approved=before)
    request = reviewed.request()
    values = (plan, before, policy, request)
    done = subprocess.run(
        [sys.executable, "-c", ELSEWHERE],
        input="\n".join(value.model_dump_json() for value in values),
        stdout=subprocess.PIPE,
        encoding="utf-8",
        env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONIOENCODING": "utf-8"},
        timeout=120,
        check=True,
    )
    digest, answer = done.stdout.splitlines()
    assert digest == request.digest
    approval = Approval.model_validate_json(answer)
    assert approval == approve(request)
    assert reviewed.release(approval, now=NOW).steps == dict(plan.steps)


# --------------------------------------------------------------------------------------------------------- the answers


def test_an_approval_says_who_and_when_and_of_what() -> None:
    """All that was given, the plan and the request, under a checksum."""
    request = reviewed_outage().request()
    given = request.approve("jo@example.org", at=1, until=2, comment="backup is done")
    assert given.model_dump(exclude={"checksum", "signature"}) == {
        "schema_version": 1,
        "fingerprint": request.fingerprint,
        "request": request.digest,
        "decision": "approved",
        "by": "jo@example.org",
        "at": 1.0,
        "until": 2.0,
        "comment": "backup is done",
    }
    assert given.checksum == given.compute_checksum()
    denied = request.deny("jo", at=1, comment="too risky")
    assert (denied.decision, denied.until, denied.comment) == ("denied", None, "too risky")
    assert denied.checksum == denied.compute_checksum() != given.checksum


def test_answers_are_given_now(monkeypatch: pytest.MonkeyPatch) -> None:
    """By the clock, where no moment is given; and the gate looks at the same one."""
    reviewed = reviewed_outage()
    request = reviewed.request()
    monkeypatch.setattr("time.time", lambda: 1_000.5)
    approval = request.approve("jo", until=1_001.0)
    assert approval.at == request.deny("jo").at == 1_000.5
    assert reviewed.release(approval) == outage()
    monkeypatch.setattr("time.time", lambda: 1_001.0)
    assert refusals(lambda: reviewed.release(approval)) == ["approval-expired"]
    monkeypatch.setattr("time.time", lambda: 1_000.25)
    assert refusals(lambda: reviewed.release(approval)) == ["approval-from-future"]
    assert reviewed.release(approval, now=1_000.75) == outage()


@pytest.mark.parametrize(
    "changes",
    [
        {"until": AT},
        {"until": AT - 1},
        {"until": math.nan},
        {"until": math.inf},
        {"until": None},
        {"until": "tomorrow"},
        {"at": math.nan},
        {"at": -1.0},
        {"at": "now"},
        {"by": ""},
        {"by": None},
        {"by": "x" * 1025},
        {"comment": None},
        {"comment": "\ud800"},
    ],
)
def test_an_approval_that_cannot_be_is_not_given(changes: Dict[str, Any]) -> None:
    """It ends after it begins, at moments that are numbers, and somebody gave it."""
    with pytest.raises(ValidationError):
        approve(reviewed_outage().request(), **changes)


def test_an_approval_has_to_say_until_when() -> None:
    """None holds for good; only a denial does."""
    request = reviewed_outage().request()
    with pytest.raises(TypeError):
        request.approve("jo")  # type: ignore[call-arg]
    with pytest.raises(ValidationError, match="until when"):
        Approval(fingerprint="f", request="r", decision="approved", by="jo", at=0)
    assert Approval(fingerprint="f", request="r", decision="denied", by="jo", at=0).until is None


# ------------------------------------------------------------------------------------------------------------ the gate


def other_request(**rules: Any) -> ApprovalRequest:
    return reviewed_outage(**rules).request()


def rechecked(given: Approval, **changes: Any) -> Approval:
    """Somebody changed it, and knew how to compute a checksum."""
    changed = given.model_copy(update=changes)
    return changed.model_copy(update={"checksum": changed.compute_checksum()})


ANSWERS: Dict[str, Tuple[Callable[[ApprovalRequest], Any], List[str]]] = {
    "none": (lambda request: None, ["approval-missing"]),
    "true": (lambda request: True, ["approval-missing"]),
    "a text": (lambda request: approve(request).model_dump_json(), ["approval-missing"]),
    "a mapping": (lambda request: approve(request).model_dump(), ["approval-missing"]),
    "the request": (lambda request: request, ["approval-missing"]),
    "refused": (lambda request: request.deny("jo", at=AT), ["approval-refused"]),
    "refused with words": (lambda request: request.deny("jo", at=AT, comment="no\nway"), ["approval-refused"]),
    "refused, of another plan": (
        lambda request: review(outage(name="x"), Policy()).request().deny("jo", at=AT),
        ["approval-refused", "approval-mismatch"],
    ),
    "altered end": (lambda request: approve(request).model_copy(update={"until": 9e9}), ["approval-altered"]),
    "altered person": (lambda request: approve(request).model_copy(update={"by": "al"}), ["approval-altered"]),
    "altered comment": (lambda request: approve(request).model_copy(update={"comment": "!"}), ["approval-altered"]),
    "altered decision": (
        lambda request: request.deny("jo", at=AT).model_copy(update={"decision": "approved", "until": UNTIL}),
        ["approval-altered"],
    ),
    "altered plan": (
        lambda request: approve(review(outage(name="x"), Policy()).request()).model_copy(
            update={"fingerprint": request.fingerprint, "request": request.digest}
        ),
        ["approval-altered"],
    ),
    "without a checksum": (lambda request: approve(request).model_copy(update={"checksum": ""}), ["approval-altered"]),
    "another checksum": (
        lambda request: approve(request).model_copy(update={"checksum": "0" * 64}),
        ["approval-altered"],
    ),
    "not validated": (
        lambda request: Approval.model_construct(**{**vars(approve(request)), "by": None}),
        ["approval-altered"],
    ),
    "half of it": (lambda request: Approval.model_construct(fingerprint=request.fingerprint), ["approval-altered"]),
    "endless, with a checksum": (lambda request: rechecked(approve(request), until=None), ["approval-altered"]),
    "for another plan, with a checksum": (
        lambda request: rechecked(approve(request), fingerprint="0" * 64),
        ["approval-mismatch"],
    ),
    "expired": (lambda request: approve(request, until=NOW), ["approval-expired"]),
    "long expired": (lambda request: approve(request, until=AT + 1), ["approval-expired"]),
    "from the future": (lambda request: approve(request, at=NOW + 0.001), ["approval-from-future"]),
    "from a far future": (lambda request: approve(request, at=1e300, until=2e300), ["approval-from-future"]),
    "for another plan": (lambda request: approve(review(outage(name="x"), Policy()).request()), ["approval-mismatch"]),
    "for milder parameters": (
        lambda request: approve(review(outage(table="temporary"), Policy()).request()),
        ["approval-mismatch"],
    ),
    "for other reasons": (lambda request: approve(other_request(approval_above_steps=3)), ["approval-mismatch"]),
    "for fewer reasons": (lambda request: approve(other_request(approval_for_effects=())), ["approval-mismatch"]),
    "for another limit": (lambda request: approve(other_request(max_parallel=1)), ["approval-mismatch"]),
    "for other changes": (
        lambda request: approve(review(outage(), Policy(), approved=outage(table="x")).request()),
        ["approval-mismatch"],
    ),
    "for what was not shown": (
        lambda request: approve(request.model_copy(update={"steps": request.steps[1:]})),
        ["approval-mismatch"],
    ),
    "expired, of another plan": (
        lambda request: approve(review(outage(name="x"), Policy()).request(), until=NOW),
        ["approval-mismatch", "approval-expired"],
    ),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_an_answer_that_does_not_open_the_gate(name: str) -> None:
    """Refused with every reason, whether it is handed over or the answer to a question, as it was or from JSON."""
    make, expected = ANSWERS[name]
    reviewed = reviewed_outage()
    given = make(reviewed.request())
    assert refusals(lambda: reviewed.release(given, now=NOW)) == expected
    if given is not None:
        assert refusals(lambda: reviewed.release(lambda request: given, now=NOW)) == expected
    if isinstance(given, Approval) and expected != ["approval-altered"]:
        loaded = Approval.model_validate_json(given.model_dump_json())
        assert refusals(lambda: reviewed.release(loaded, now=NOW)) == expected


def test_an_approval_opens_the_gate() -> None:
    """Handed over, from JSON, or as the answer to a question; as often as it is used."""
    reviewed = reviewed_outage()
    approval = approve(reviewed.request())
    loaded = Approval.model_validate_json(approval.model_dump_json())
    for given in (approval, loaded, approval, approve, lambda request: loaded):
        assert reviewed.release(given, now=NOW) == outage()
    assert reviewed_outage().release(approval, now=NOW) == outage()


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (AT, None),
        (UNTIL - 0.001, None),
        (UNTIL, ["approval-expired"]),
        (math.inf, ["approval-expired"]),
        (AT - 0.001, ["approval-from-future"]),
        (0.0, ["approval-from-future"]),
        (-math.inf, ["approval-from-future"]),
        (math.nan, ["approval-from-future", "approval-expired"]),
    ],
)
def test_the_bounds_of_the_time_in_which_an_approval_holds(now: float, expected: Optional[List[str]]) -> None:
    """From the moment on at which it was given, up to the one of its end, that excluded; never at what is no time."""
    for reviewed in (reviewed_outage(), review(outage(), LAX)):
        approval = approve(reviewed.request())
        if expected is None:
            assert reviewed.release(approval, now=now) == outage()
        else:
            assert refusals(lambda: reviewed.release(approval, now=now)) == expected  # noqa: B023


def test_a_denial_never_expires() -> None:
    """It refuses at any time."""
    reviewed = reviewed_outage()
    denial = reviewed.request().deny("jo", at=AT)
    for now in (AT, UNTIL, 1e300):
        assert refusals(lambda: reviewed.release(denial, now=now)) == ["approval-refused"]  # noqa: B023


def test_an_approval_that_is_not_needed_has_to_hold_all_the_same() -> None:
    """Who hands one over means it; who can be asked is not asked."""
    reviewed = review(outage(), LAX)
    request = reviewed.request()
    assert refusals(lambda: reviewed.release(request.deny("jo", at=AT), now=NOW)) == ["approval-refused"]
    assert refusals(lambda: reviewed.release(approve(request, until=NOW), now=NOW)) == ["approval-expired"]
    assert refusals(lambda: reviewed.release(approve(other_request()), now=NOW)) == ["approval-mismatch"]
    asked: List[ApprovalRequest] = []
    assert reviewed.release(asked.append, now=NOW) == outage()
    assert asked == []


def test_who_is_asked_sees_the_request() -> None:
    """Once, the same that `request` gives."""
    reviewed = reviewed_outage()
    asked: List[ApprovalRequest] = []
    assert refusals(lambda: reviewed.release(asked.append, now=NOW)) == ["approval-unanswered"]
    assert asked == [reviewed.request()]


class UnspeakableError(Exception):
    def __str__(self) -> str:
        raise ZeroDivisionError


@pytest.mark.parametrize(
    "error", [OSError("line\nis\x1b[2J down"), TimeoutError(), UnspeakableError(), RecursionError("!")]
)
def test_where_asking_fails_nobody_has_answered(error: Exception) -> None:
    """What was raised is told, on one line."""

    def ask(request: ApprovalRequest) -> Approval:
        raise error

    reviewed = reviewed_outage()
    assert refusals(lambda: reviewed.release(ask, now=NOW)) == ["approval-unanswered"]
    assert type(error).__name__ in message(lambda: reviewed.release(ask, now=NOW))


def test_an_interrupt_while_asking_is_one() -> None:
    """It is passed on, and nothing is released."""

    def ask(request: ApprovalRequest) -> Approval:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        reviewed_outage().release(ask, now=NOW)


def test_a_refusal_tells_who_said_what_and_when() -> None:
    """In words for people: the person, the comment, the moment in UTC; and why approval was needed at all."""
    reviewed = reviewed_outage()
    request = reviewed.request()
    told = message(lambda: reviewed.release(request.deny('jo "x"\n', at=AT, comment="no\x1b[2J"), now=NOW))
    assert '"jo \\"x\\"\\n" says no: "no\\x1b[2J"' in told
    assert told.isprintable() or len(told.splitlines()) == 2
    assert '"jo" says no\n' in message(lambda: reviewed.release(request.deny("jo", at=AT), now=NOW)) + "\n"
    expired = message(lambda: reviewed.release(approve(request), now=UNTIL))
    assert "1970-01-01 01:16:40 UTC" in expired
    future = message(lambda: reviewed.release(approve(request, at=1e300, until=2e300), now=NOW))
    assert "1e+300 seconds after 1970" in future
    elsewhere = review(outage(name="x"), Policy()).request()
    assert "another plan" in message(lambda: reviewed.release(approve(elsewhere), now=NOW))
    other_reasons = message(lambda: reviewed.release(approve(other_request(approval_for_effects=())), now=NOW))
    assert 'what "jo" was shown is not what there is to approve now' in other_reasons
    with pytest.raises(RefusedError) as caught:
        reviewed.release(now=NOW)
    codes = [(problem.severity, problem.code) for problem in caught.value.problems]
    assert codes == [
        ("error", "approval-missing"),
        ("warning", "effect-needs-approval"),
        ("warning", "unknown-effect"),
    ]


def test_a_policy_that_gives_the_same_reasons_may_take_the_approval() -> None:
    """What counts is what was to be seen; a rule that concerns nothing of the plan is not."""
    approval = approve(other_request())
    assert reviewed_outage(deny_actions=["other"], max_steps=99).release(approval, now=NOW) == outage()
    doubting = reviewed_outage(approval_below_confidence=0.5)
    assert refusals(lambda: doubting.release(approval, now=NOW)) == ["approval-mismatch"]
    assert refusals(lambda: reviewed_outage(max_steps=3, approval_above_steps=3).release(approval, now=NOW)) == [
        "too-many-steps"
    ]


# ---------------------------------------------------------------------------------------------------- damaged approvals


def test_an_approval_with_a_damaged_byte_releases_nothing_that_was_not_approved() -> None:
    """Each bit of each byte of its JSON turned: it does not load, or does not hold, or says exactly the same."""
    reviewed = reviewed_outage()
    approval = approve(reviewed.request(), by="j\u00f6", comment="backup is done").sign(KEY)
    content = approval.model_dump_json().encode()
    outcomes: Dict[str, int] = {"not loaded": 0, "refused": 0, "the same": 0}
    for place in range(len(content)):
        for bit in range(8):
            damaged = bytearray(content)
            damaged[place] ^= 1 << bit
            outcomes[outcome(reviewed, approval, bytes(damaged))] += 1
    assert outcomes["not loaded"]
    assert outcomes["refused"]
    assert sum(outcomes.values()) == 8 * len(content)


def test_an_approval_with_a_byte_more_or_less_releases_nothing_that_was_not_approved() -> None:
    """Digits added to a moment, letters to a name, spaces between the fields, a field cut off."""
    reviewed = reviewed_outage()
    approval = approve(reviewed.request()).sign(KEY)
    content = approval.model_dump_json().encode()
    outcomes = set()
    for place in range(len(content) + 1):
        for added in (b"0", b"9", b" ", b'"', b"\x00", b"\xff", b"a", b"}"):
            outcomes.add(outcome(reviewed, approval, content[:place] + added + content[place:]))
        outcomes.add(outcome(reviewed, approval, content[:place] + content[place + 1 :]))
        outcomes.add(outcome(reviewed, approval, content[:place]))
    assert outcomes == {"not loaded", "refused", "the same"}


def outcome(reviewed: Review, approval: Approval, content: bytes) -> str:
    """What becomes of an approval in this form."""
    try:
        loaded = Approval.model_validate_json(content)
    except ValidationError:
        return "not loaded"
    try:
        released = reviewed.release(loaded, now=NOW, key=KEY)
    except RefusedError as error:
        damage = {"approval-altered", "approval-unsigned", "signature-mismatch"}
        assert damage.intersection(problem.code for problem in error.problems)  # noqa: PT017
        return "refused"
    assert loaded == approval
    assert released == outage()
    return "the same"


def test_frozen_fields_of_an_approval_that_were_set_all_the_same() -> None:
    """The checksum covers each of them, whatever it was set to."""
    reviewed = reviewed_outage()
    values: Dict[str, Sequence[Any]] = {
        "schema_version": (2, True, "1"),
        "fingerprint": ("", "0" * 64, None, b"x"),
        "request": ("", "0" * 64, None),
        "decision": ("denied", "", None, True),
        "by": ("al", "", None, "\ud800"),
        "at": (0.0, math.nan, "0", None, -1.0),
        "until": (9e9, math.inf, math.nan, None, "9e9", object()),
        "comment": ("fine", None, 5),
        "checksum": ("", "0" * 64, None),
        "signature": (None, 5, "\ud800"),
    }
    assert set(values) == set(Approval.model_fields)
    for field, changed in values.items():
        for value in changed:
            approval = approve(reviewed.request())
            vars(approval)[field] = value
            assert refusals(lambda: reviewed.release(approval, now=NOW)) == ["approval-altered"]  # noqa: B023
        if field not in ("schema_version", "comment", "signature"):  # the defaults of which are what was there
            approval = approve(reviewed.request())
            del vars(approval)[field]
            assert refusals(lambda: reviewed.release(approval, now=NOW)) == ["approval-altered"]  # noqa: B023
