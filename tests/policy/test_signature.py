"""A signed approval: with the key, only an answer of a holder of the key releases a plan."""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import Any, Callable, List

import pytest
from hypothesis import given
from hypothesis import strategies as st

import wfplan
from wfplan import RefusedError, Step
from wfplan.policy import Approval, Policy, Review, review

KEY = bytes(range(32))
AT, NOW, UNTIL = 1_000.0, 2_000.0, 3_000.0


def reviewed(table: str = "orders_2019") -> Review:
    step = Step(name="drop", effect="destructive", parameters={"table": table})
    return review(wfplan.plan([step]), Policy())


def approval(**fields: Any) -> Approval:
    return reviewed().request().approve("jo", **{"at": AT, "until": UNTIL, **fields})


def refusals(release: Callable[[], object]) -> List[str]:
    with pytest.raises(RefusedError) as caught:
        release()
    return [problem.code for problem in caught.value.problems if problem.severity == "error"]


def forged(answer: Approval, **changes: Any) -> Approval:
    """Return it with these changes and a fitting checksum, as anybody can make one."""
    changed = answer.model_copy(update=changes)
    return changed.model_copy(update={"checksum": changed.compute_checksum()})


def test_a_signed_approval_releases_also_through_json_and_from_a_function() -> None:
    signed = approval().sign(KEY)
    assert signed.is_signed_by(KEY)
    assert reviewed().release(signed, now=NOW, key=KEY) == reviewed().plan
    loaded = Approval.model_validate_json(signed.model_dump_json())
    assert reviewed().release(loaded, now=NOW, key=KEY) == reviewed().plan
    asked = reviewed().release(lambda request: request.approve("al", at=AT, until=UNTIL).sign(KEY), now=NOW, key=KEY)
    assert asked == reviewed().plan


def test_the_signature_is_hmac_sha256_of_the_canonical_json_of_the_rest() -> None:
    """As the docs say, so that another language can sign."""
    signed = approval().sign(KEY)
    rest = json.loads(signed.model_dump_json(exclude={"checksum", "signature"}))
    content = json.dumps(rest, sort_keys=True, separators=(",", ":")).encode()
    assert signed.signature == hmac.new(KEY, content, hashlib.sha256).hexdigest()
    assert signed.checksum == hashlib.sha256(content).hexdigest()


def test_without_a_key_the_signature_is_not_looked_at() -> None:
    """And so nothing is proven."""
    for signature in ("", "x", approval().sign(b"another").signature):
        answer = approval().model_copy(update={"signature": signature})
        assert reviewed().release(answer, now=NOW) == reviewed().plan


def test_with_a_key_what_is_not_signed_is_refused() -> None:
    assert refusals(lambda: reviewed().release(approval(), now=NOW, key=KEY)) == ["approval-unsigned"]


@given(st.sampled_from(["fingerprint", "request", "by", "at", "until", "comment", "decision"]), st.data())
def test_nothing_can_be_changed_without_the_key(field: str, data: st.DataObject) -> None:
    """Whatever is changed, with a checksum that fits."""
    other = {"at": st.floats(0, 999), "until": st.floats(3001, 1e9), "decision": st.just("denied")}
    value = data.draw(other.get(field, st.text("abc", min_size=1, max_size=9)))
    signed = approval(comment="fine").sign(KEY)
    answer = forged(signed, **{field: value})
    unchanged = value == getattr(signed, field)
    assert answer.is_signed_by(KEY) is unchanged
    if not unchanged:
        assert refusals(lambda: reviewed().release(answer, now=NOW, key=KEY)) == ["signature-mismatch"]


@pytest.mark.parametrize(
    "signature", [approval().sign(b"another").signature, "0" * 64, "x", "é", approval().sign(KEY).signature.upper()]
)
def test_another_signature_is_refused(signature: str) -> None:
    answer = approval().model_copy(update={"signature": signature})
    assert refusals(lambda: reviewed().release(answer, now=NOW, key=KEY)) == ["signature-mismatch"]


def test_a_signed_denial_cannot_be_turned_into_an_approval() -> None:
    denied = reviewed().request().deny("jo", at=AT).sign(KEY)
    assert refusals(lambda: reviewed().release(denied, now=NOW, key=KEY)) == ["approval-refused"]
    turned = forged(denied, decision="approved", until=UNTIL)
    assert refusals(lambda: reviewed().release(turned, now=NOW, key=KEY)) == ["signature-mismatch"]


def test_a_signature_is_for_one_plan_and_one_time() -> None:
    signed = approval().sign(KEY)
    assert refusals(lambda: reviewed("orders").release(signed, now=NOW, key=KEY)) == ["approval-mismatch"]
    assert refusals(lambda: reviewed().release(signed, now=UNTIL, key=KEY)) == ["approval-expired"]


@pytest.mark.parametrize("key", ["secret", b"", bytearray(b"secret"), 7, True])
def test_what_is_no_key_is_refused_also_where_no_approval_is_needed(key: Any) -> None:
    harmless = review(wfplan.plan([Step(name="look", effect="read")]), Policy())
    for use in (
        lambda: approval().sign(key),
        lambda: approval().is_signed_by(key),
        lambda: reviewed().release(approval(), now=NOW, key=key),
        lambda: harmless.release(key=key),
    ):
        assert refusals(use) == ["invalid-setting"]
    assert harmless.release(key=KEY) == harmless.plan
