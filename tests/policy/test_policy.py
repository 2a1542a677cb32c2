"""Policy: plain data, read without mercy; and the policies that come with the library."""

from __future__ import annotations

import copy
import json
import pickle
from typing import Any, Dict, List, Optional, Set, Tuple, Union

import pytest
from pydantic import ValidationError

import wfplan
from wfplan import Problem, RefusedError, Step
from wfplan.policy import Policy, policies, read_policy, review

FULL: Dict[str, Any] = {
    "max_steps": 50,
    "approval_above_steps": 20,
    "max_parallel": 4,
    "max_levels": 8,
    "max_parameter_bytes": 4096,
    "approval_below_confidence": 0.75,
    "approval_for_effects": ["write", "destructive"],
    "approval_for_irreversible": True,
    "deny_actions": ["delete_namespace", "l\u00f6schen"],
    "allow_actions": ["restart_pods", "scale"],
}


def refused(source: Union[str, bytes]) -> Tuple[Problem, ...]:
    """The problems of a text that is no policy: errors of one code, each on one printable line."""
    with pytest.raises(RefusedError) as caught:
        read_policy(source)
    problems = caught.value.problems
    assert problems
    assert {(problem.code, problem.severity) for problem in problems} == {("invalid-policy", "error")}
    assert all(str(problem).isprintable() for problem in problems)
    assert len(str(caught.value).splitlines()) == 1 + min(len(problems), 21)
    return problems


def locations(problems: Tuple[Problem, ...]) -> List[str]:
    return [problem.location for problem in problems]


# --------------------------------------------------------------------------------------------------------- plain data


def test_every_field_is_read() -> None:
    """What JSON says is what the policy is, from text, from bytes, and from the policy's own dump."""
    assert set(FULL) == set(Policy.model_fields)
    policy = read_policy(json.dumps(FULL))
    assert policy == Policy(**FULL)
    assert policy.model_dump(mode="json") == FULL
    assert read_policy(json.dumps(FULL, ensure_ascii=False).encode()) == policy
    assert read_policy(json.dumps(FULL).encode("utf-8-sig")) == policy
    assert read_policy(policy.model_dump_json()) == policy


def test_nothing_said_is_the_default() -> None:
    """An empty object is the policy without arguments: more than ten steps, and destructive ones, need approval."""
    policy = read_policy("{}")
    assert policy == Policy()
    assert (policy.approval_above_steps, policy.approval_for_effects) == (10, ("destructive",))
    others = policy.model_dump(exclude={"approval_above_steps", "approval_for_effects"})
    assert [value for value in others.values() if value] == []


def test_null_switches_a_limit_off() -> None:
    """Null is None in each field that may be none, and no value in those that may not."""
    for field in FULL:
        text = json.dumps({field: None})
        if field in ("approval_for_effects", "approval_for_irreversible", "deny_actions"):
            assert locations(refused(text)) == [f"/{field}"]
        else:
            assert getattr(read_policy(text), field) is None


def test_a_policy_is_frozen() -> None:
    """No field can be assigned or deleted, and lists became tuples; equal ones are one key of a mapping."""
    policy = Policy(**FULL)
    for field in FULL:
        with pytest.raises(ValidationError):
            setattr(policy, field, None)
        with pytest.raises(ValidationError):
            delattr(policy, field)
    assert policy == Policy(**FULL)
    assert policy.deny_actions == tuple(FULL["deny_actions"])
    assert {policy: "there"}[Policy(**FULL)] == "there"
    assert policy != Policy(**{**FULL, "max_steps": 51})


def test_a_policy_is_data() -> None:
    """It is copied and pickled, and its text shows its fields."""
    policy = Policy(**FULL)
    assert copy.deepcopy(policy) == policy
    assert pickle.loads(pickle.dumps(policy)) == policy
    assert "delete_namespace" in repr(policy)


# --------------------------------------------------------------------------------------------------------- misspelt


@pytest.mark.parametrize("field", FULL)
def test_a_misspelt_field_is_refused_with_the_nearest_name(field: str) -> None:
    """A letter too few, one too many, another case: no typo switches a rule off."""
    for misspelt in (field[:-1], f"{field}s" if field[-1] != "s" else f"{field}es", field.title(), field.swapcase()):
        (problem,) = refused(json.dumps({misspelt: FULL[field]}))
        assert problem.location == f"/{misspelt}"
        assert f'"{misspelt}"' in problem.message
        assert f'"{field}"' in problem.suggestion


def test_a_field_like_no_other_is_refused_too() -> None:
    """Where no name is near, no name is guessed."""
    (problem,) = refused('{"qqq": 1}')
    assert "did you mean" not in problem.suggestion


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('{"max_steps": 5, "max_steps": 5}', ["max_steps"]),
        ('{"max_steps": 5, "max_levels": 1, "max_steps": 9, "max_levels": 2}', ["max_steps", "max_levels"]),
        ('{"max_steps": 5, "max_steps": 6, "max_steps": 7}', ["max_steps"]),
        ('{"deny_actions": ["drop"], "deny_actions": []}', ["deny_actions"]),
        ('{"max_steps": 5, "max\\u005fsteps": 6}', ["max_steps"]),
    ],
)
def test_a_key_that_is_there_twice_is_refused(text: str, told: List[str]) -> None:
    """Each of them is told once, whether or not both say the same: none is taken for the one that is meant."""
    problems = refused(text)
    assert [problem.message.split('"')[1] for problem in problems] == told
    assert all("more than once" in problem.message for problem in problems)


def test_a_hostile_key_is_told_on_one_line() -> None:
    """What cannot be printed in the name of a field is escaped, also where it is there twice."""
    key = json.dumps("max\n\x1b[2J\u202esteps")
    problems = refused(f"{{{key}: 1, {key}: 2}}")
    assert len(problems) == 2


# ------------------------------------------------------------------------------------------------------ wrong values


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *(
            (field, value)
            for field in ("max_steps", "max_parallel", "max_levels")
            for value in ("0", "-1", "2147483648")
        ),
        *((field, "-1") for field in ("approval_above_steps", "max_parameter_bytes")),
        *(
            (field, value)
            for field in ("max_steps", "approval_above_steps", "max_parallel", "max_levels", "max_parameter_bytes")
            for value in ("true", '"5"', "1.5", "5.0", "NaN", "Infinity", "1e999", "[]", "{}", "9" * 400)
        ),
        *(
            ("approval_below_confidence", value)
            for value in ("NaN", "Infinity", "-Infinity", "-0.1", "1.1", "80", '"0.8"', "true")
        ),
        *(("approval_for_effects", value) for value in ('"write"', '["Write"]', '["none"]', "[null]", "{}", "7")),
        *(("approval_for_irreversible", value) for value in ("0", "1", '"true"', "[]")),
        *(
            (field, value)
            for field in ("deny_actions", "allow_actions")
            for value in ('"drop"', "[7]", "[null]", '[["drop"]]', '{"drop": true}', "false")
        ),
    ],
)
def test_a_wrong_value_is_refused_where_it_is(field: str, value: str) -> None:
    """Nothing is converted and nothing is rounded; the problem points into the document."""
    (problem,) = refused(f'{{"{field}": {value}}}')
    assert problem.location.split("/")[1] == field


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("max_steps", 1),
        ("max_steps", 2**31 - 1),
        ("approval_above_steps", 0),
        ("max_parameter_bytes", 0),
        ("approval_below_confidence", 0),
        ("approval_below_confidence", 1),
        ("approval_for_effects", []),
        ("approval_for_effects", ["read", "write", "destructive"]),
    ],
)
def test_the_outermost_values_are_accepted(field: str, value: Any) -> None:
    """The bounds themselves are in."""
    read = getattr(read_policy(json.dumps({field: value})), field)
    assert (list(read) if isinstance(value, list) else read) == value


ODD_ACTIONS = ["", " drop", "drop ", "\tdrop", "drop\n", "\u00a0drop", "*", "drop_*", "drop_?", "drop_[ab]", "a|b"]


@pytest.mark.parametrize("action", [*ODD_ACTIONS, "^drop", "drop$", "dro\\p", "d" * 1025])
@pytest.mark.parametrize("field", ["deny_actions", "allow_actions"])
def test_what_names_no_action_is_refused(field: str, action: str) -> None:
    """A pattern would match nothing, and look as if it did; so would a name with a space around it."""
    (problem,) = refused(json.dumps({field: ["restart", action]}))
    assert problem.location == f"/{field}"
    with pytest.raises(ValidationError):
        Policy.model_validate({field: [action]})


def test_an_action_may_have_any_other_character() -> None:
    """Dots, slashes, colons, inner spaces and letters of any script are part of a name."""
    for action in ("apps/v1.scale", "kubectl: drain node", "l\u00f6schen", "\u5220\u9664", "d" * 1024):
        assert read_policy(json.dumps({"deny_actions": [action]})).deny_actions == (action,)


def test_an_action_both_denied_and_allowed_is_refused() -> None:
    """All such actions are named; to deny what is not allowed anyway says nothing new, and is no contradiction."""
    both = {"deny_actions": ["a", "c", "b"], "allow_actions": ["b", "d", "a"]}
    (problem,) = refused(json.dumps(both))
    assert '"a", "b"' in problem.message
    assert '"c"' not in problem.message
    with pytest.raises(ValidationError, match="denies and allows"):
        Policy.model_validate(both)
    assert Policy(deny_actions=["c"], allow_actions=["a"]).allow_actions == ("a",)
    assert Policy(deny_actions=["c"], allow_actions=[]).allow_actions == ()


def test_an_approval_that_is_never_asked_for_is_refused() -> None:
    """Whoever asks for approval above what is denied anyway has mixed something up."""
    (problem,) = refused('{"max_steps": 20, "approval_above_steps": 21}')
    assert "21" in problem.message
    assert "20" in problem.message
    with pytest.raises(ValidationError, match="never asks"):
        Policy(max_steps=9, approval_above_steps=11)


@pytest.mark.parametrize(
    "text",
    [
        '{"max_steps": 5}',
        '{"max_steps": 20, "approval_above_steps": 20}',
        '{"max_steps": 20, "approval_above_steps": null}',
        '{"max_steps": null, "approval_above_steps": 99}',
    ],
)
def test_the_default_of_an_approval_is_in_nobodys_way(text: str) -> None:
    """Only what was written is held against `max_steps`; as many as are allowed is no contradiction."""
    assert read_policy(text)


def test_every_problem_at_once() -> None:
    """A policy is mended in one go: repeated keys, unknown fields and wrong values of all kinds are told together."""
    problems = refused(
        '{"max_step": 5, "max_levels": 0, "max_levels": 0, "approval_below_confidence": NaN,'
        ' "approval_for_effects": ["evil"],'
        ' "deny_actions": ["drop_*"], "approval_for_irreversible": "yes", "allow_actions": 7, "max_parallel": true}'
    )
    assert sorted(locations(problems)) == [
        "",
        "/allow_actions",
        "/approval_below_confidence",
        "/approval_for_effects/0",
        "/approval_for_irreversible",
        "/deny_actions",
        "/max_levels",
        "/max_parallel",
        "/max_step",
    ]


# ------------------------------------------------------------------------------------------------------- no policy


@pytest.mark.parametrize(
    "source",
    [
        "",
        " ",
        "max_steps: 5",
        '{"max_steps": 5',
        '{"max_steps": 5,}',
        "{'max_steps': 5}",
        '{"max_steps": 5} {}',
        "[" * 100_000,
        '{"max_steps":' * 100_000,
        '{"deny_actions": ' + "[" * 900 + "]" * 900 + "}",
        '{"a":' * 900 + "1" + "}" * 900,
        '{"max_steps": ' + "9" * 5000 + "}",
        "null",
        "[]",
        "5",
        '"max_steps"',
        "[{}]",
        b"",
        b"\xff",
        b"\x00",
        b'{"max_steps": \xff}',
        b"\x1f\x8b\x08\x00" + bytes(100),
        bytes(range(256)),
    ],
    ids=lambda source: repr(source[:24]),
)
def test_what_is_no_policy_is_refused(source: Union[str, bytes]) -> None:
    """Text that is not JSON, JSON that is no object, too deep, or bytes of any kind: one problem, no other error."""
    assert len(refused(source)) == 1


def test_other_things_than_text_are_refused() -> None:
    """A dictionary is for `Policy.model_validate`; it is not read by accident."""
    for source in (None, {}, {"max_steps": 5}, 5):
        refused(source)  # type: ignore[arg-type]


def test_no_part_of_a_policy_is_one() -> None:
    """A file that was cut off is refused wherever it was."""
    text = json.dumps(FULL)
    for length in range(len(text)):
        refused(text[:length])


def test_any_byte_may_be_damaged() -> None:
    """A policy with one bit turned is refused or another policy; it never breaks the reader."""
    content = json.dumps(FULL).encode()
    outcomes: Set[str] = set()
    for place in range(len(content)):
        for bit in range(8):
            damaged = bytearray(content)
            damaged[place] ^= 1 << bit
            try:
                outcomes.add(type(read_policy(bytes(damaged))).__name__)
            except RefusedError as error:
                outcomes.update(problem.code for problem in error.problems)
    assert outcomes == {"Policy", "invalid-policy"}


# ---------------------------------------------------------------------------------------------- none and an empty list


def test_an_empty_list_of_allowed_actions_denies_everything_and_none_denies_nothing() -> None:
    """The one difference that a truth test would lose."""
    plan = wfplan.plan([Step(name="look", effect="read"), Step(name="see", effect="read")])
    nothing = review(plan, read_policy('{"allow_actions": []}'))
    anything = review(plan, read_policy('{"allow_actions": null}'))
    assert [step.verdict for step in nothing.steps.values()] == ["deny", "deny"]
    assert (nothing.verdict, anything.verdict) == ("deny", "allow")
    with pytest.raises(RefusedError):
        nothing.release(now=0)
    assert anything.release(now=0) == plan


# ------------------------------------------------------------------------------------------------------- kubernaut

# Approval above ten steps, ten are fine: ADR-020, lines 122-151. Approval below a confidence of 80 percent:
# DD-CONTRACT-001, lines 326-339; one that is missing is not 1.0. Five steps at once: ADR-020, lines 51, 76 and 84.
KUBERNAUT = [
    (1, 1.0, None, "allow", 5),
    (10, 0.8, None, "allow", 5),
    (11, 0.8, None, "needs-approval", 5),
    (50, 1.0, None, "needs-approval", 5),
    (1, 0.8, None, "allow", 5),
    (1, 0.79, None, "needs-approval", 5),
    (1, 0.0, None, "needs-approval", 5),
    (1, None, None, "needs-approval", 5),
    (11, None, None, "needs-approval", 5),
    (10, 0.9, 5, "allow", 5),
    (10, 0.9, 6, "allow", 5),
    (10, 0.9, 3, "allow", 3),
]


@pytest.mark.parametrize(("count", "confidence", "at_once", "verdict", "released_at_once"), KUBERNAUT)
def test_kubernaut(
    count: int, confidence: Optional[float], at_once: Optional[int], verdict: str, released_at_once: int
) -> None:
    """The documented cases of the project that the limits come from, whatever the effects of the steps."""
    effects: Tuple[Any, ...] = (None, "read", "write", "destructive")
    steps = [Step(name=f"s{n}", confidence=confidence, effect=effects[n % 4]) for n in range(count)]
    settings = wfplan.ExecutionStrategy(max_parallel=at_once)
    plan = wfplan.plan(wfplan.Workflow(steps=steps, execution_strategy=settings))
    reviewed = review(plan, policies.kubernaut)
    assert reviewed.verdict == verdict
    assert [reason.code for reason in reviewed.reasons] == ["many-steps"] * (count > 10)
    approval = reviewed.request().approve("jo", at=0.0, until=9.0)
    released = reviewed.release(approval, now=1.0)
    assert released.workflow.execution_strategy.max_parallel == released_at_once
    assert released.workflow.steps == plan.workflow.steps


def test_kubernaut_denies_nothing() -> None:
    """It has no rule that denies, and is a policy like any other, with a dump that is read again."""
    assert read_policy(policies.kubernaut.model_dump_json()) == policies.kubernaut
    limits = policies.kubernaut.model_dump(exclude_defaults=True)
    assert limits == {"max_parallel": 5, "approval_below_confidence": 0.8, "approval_for_effects": ()}
