"""The approval request and its answer, as plain data, and what an answer must satisfy."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from itertools import islice
from typing import Any, Dict, Iterator, NamedTuple, Optional, Tuple

from pydantic import Field, model_validator
from typing_extensions import Annotated, Literal

from wfplan._internal.json import canonical_json, json_digest
from wfplan._internal.messages import escape, join_names, pluralize, quote
from wfplan._internal.model import (
    EMPTY,
    NO_VALUES,
    PLAIN_ZERO,
    FreeText,
    JsonObject,
    Model,
    Number,
    SchemaVersion,
    Text,
    TupleOf,
)
from wfplan.diff import PlanDiff
from wfplan.models import Compensation, Effect, ExecutionStrategy, RetryPolicy
from wfplan.problems import Problem, ProblemCollector, RefusedError

__all__ = ["Approval", "ApprovalRequest", "StepToApprove", "Wanted", "check_key", "flaws_of"]

_LONGEST_SHOWN = 500
_MOST_SHOWN = 100

_Moment = Annotated[float, Field(ge=0), PLAIN_ZERO]
"""Seconds since the beginning of 1970, UTC, as `time.time()` counts them."""


class StepToApprove(Model):
    """A step as it would run. What the model says of it is left out: it may be milder than the parameters."""

    name: str
    action: str
    parameters: JsonObject = NO_VALUES
    effect: Optional[Effect] = None
    irreversible: bool = False
    """Whether it does more than read, and nothing is known that undoes it."""
    rollback: Optional[Compensation] = None
    dependencies: TupleOf[str] = EMPTY
    batch: int
    locks: TupleOf[str] = EMPTY
    timeout_seconds: Optional[Number] = None
    retry: Optional[RetryPolicy] = None
    continue_on_failure: bool = False
    """Whether what depends on it runs even if it fails."""
    metadata: JsonObject = NO_VALUES
    """Handed to what runs the step, too."""
    reasons: TupleOf[Problem] = EMPTY
    """Why it needs approval."""

    def __str__(self) -> str:
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        yield f"{quote(self.name)}: {quote(self.action, _LONGEST_SHOWN)} {_show(self.parameters)}"
        waits = f", after {', '.join(map(quote, self.dependencies))}" if self.dependencies else ""
        yield f"  {self.effect or 'unknown effect'}, batch {self.batch}{waits}"
        if self.metadata:
            yield f"  metadata {_show(self.metadata)}"
        if self.locks:
            yield f"  holds {join_names(self.locks)} alone"
        if self.continue_on_failure:
            yield "  what depends on it runs even if it fails"
        if self.retry is not None and self.retry.max_attempts > 1:
            yield f"  tried up to {self.retry.max_attempts:,} times"
        if self.rollback is not None:
            undo = self.rollback
            yield f"  undone by {quote(undo.action, _LONGEST_SHOWN)} {_show(undo.parameters)}"
        yield from (f"  {reason.code}: {reason.message}" for reason in self.reasons)


class ApprovalRequest(Model):
    """What a person has to see before a plan may run: `str()` is for people, the dump for programs."""

    schema_version: SchemaVersion = 1
    fingerprint: str
    """Of the plan, as it would be released."""
    reasons: TupleOf[Problem] = EMPTY
    """Why the plan as a whole needs approval."""
    steps: TupleOf[StepToApprove]
    """All of them: those that cannot be undone first, then in declared order."""
    execution_strategy: ExecutionStrategy
    warnings: TupleOf[Problem] = EMPTY
    """Of the plan, such as conflicts and what the catalog overruled; not those about how its document was written."""
    changes: Optional[PlanDiff] = None
    """What changed since the plan that was approved before, if there was one."""

    @property
    def digest(self) -> str:
        """SHA-256 of everything that is to be seen, in hexadecimal digits."""
        return json_digest(self.model_dump(mode="json"))

    def approve(self, by: str, *, until: float, at: float | None = None, comment: str = "") -> Approval:
        """Return the approval of this person, from `at` (now, if not given) until `until`, in seconds since 1970."""
        return self._answer("approved", by, until, at, comment)

    def deny(self, by: str, *, at: float | None = None, comment: str = "") -> Approval:
        """Return the answer of a person who says no; nothing is released by it."""
        return self._answer("denied", by, None, at, comment)

    def _answer(
        self, decision: Literal["approved", "denied"], by: str, until: float | None, at: float | None, comment: str
    ) -> Approval:
        fields: Dict[str, Any] = {
            "fingerprint": self.fingerprint,
            "request": self.digest,
            "decision": decision,
            "by": by,
            "at": time.time() if at is None else at,
            "until": until,
            "comment": comment,
        }
        answer = Approval.model_validate(fields)
        return answer.model_copy(update={"checksum": answer.compute_checksum()})

    def __str__(self) -> str:
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        yield f"approval needed: {pluralize(len(self.steps), 'step')}, plan {self.fingerprint[:12]}"
        settings = self.execution_strategy.model_dump(mode="json", exclude_defaults=True)
        if settings:
            yield "  " + ", ".join(f"{field}: {json.dumps(value)}" for field, value in settings.items())
        yield from (f"  {reason.code}: {reason.message}" for reason in self.reasons)
        for head, irreversible in (("cannot be undone:", True), ("can be undone, or only read:", False)):
            group = [step for step in self.steps if step.irreversible is irreversible]
            if group:
                yield head
            yield from ("  " + str(step).replace("\n", "\n  ") for step in group)
        if self.warnings:
            yield "warnings:"
        # A plan may have been loaded, and its warnings hold any text.
        yield from (f"  {escape(warning.code)}: {escape(warning.message)}" for warning in self.warnings)
        if self.changes is not None:
            yield "since what was approved before:"
            yield "  " + str(self.changes).replace("\n", "\n  ")


class Approval(Model):
    """What a person answered to a request, made by `request.approve` or `request.deny`.

    The checksum finds damage on the way and careless edits. It proves nothing: whoever can write an approval can
    compute a checksum. `sign` it where it is given, and pass the same key to `Review.release`: then only a holder of
    the key can have given it. Without a key, store approvals where nobody can write who may not approve.
    """

    schema_version: SchemaVersion = 1
    fingerprint: str
    """Of the plan."""
    request: str
    """Digest of the request: what was to be seen."""
    decision: Literal["approved", "denied"]
    by: Text
    """Who."""
    at: _Moment
    """When: seconds since the beginning of 1970, UTC, as `time.time()` counts them."""
    until: Optional[_Moment] = None
    """Until when it holds; None for a denial only, which holds for good."""
    comment: FreeText = ""
    checksum: FreeText = ""
    """SHA-256 of all fields but this one and the signature, in hexadecimal digits."""
    signature: FreeText = ""
    """HMAC-SHA256 of the same fields under the key of whoever signed it, in hexadecimal digits; empty if unsigned."""

    @model_validator(mode="after")
    def _ends_after_it_begins(self) -> Approval:
        if self.decision == "approved" and self.until is None:
            raise ValueError("an approval has to say until when it holds")
        if self.until is not None and self.until <= self.at:
            raise ValueError("an approval has to end after it was given")
        return self

    def compute_checksum(self) -> str:
        """Return what `checksum` is if nothing was changed."""
        return json_digest(self._content())

    def sign(self, key: bytes) -> Approval:
        """Return this approval with a signature, which `Review.release(approval, key=key)` verifies.

        The signature proves that a holder of the key gave this answer to this request: nothing of it can be changed
        without the key. It does not prove who in person gave it (`by` is what the signer wrote), and whoever can verify
        it can sign as well, since both take the same key.

        Args:
            key: The secret that whoever signs and whoever releases share; 32 random bytes are right.

        Raises:
            RefusedError: The key is not bytes, or empty.
        """
        return self.model_copy(update={"signature": self._signature_by(key)})

    def is_signed_by(self, key: bytes) -> bool:
        """Return whether this approval, as it is now, was signed with `key`; compares in constant time.

        Raises:
            RefusedError: The key is not bytes, or empty.
        """
        return hmac.compare_digest(self._signature_by(key).encode(), self.signature.encode())

    def _signature_by(self, key: bytes) -> str:
        check_key(key)
        return hmac.new(key, canonical_json(self._content()).encode(), hashlib.sha256).hexdigest()

    def _content(self) -> Dict[str, Any]:
        return self.model_dump(mode="json", exclude={"checksum", "signature"})


def check_key(key: object) -> None:
    """Raise RefusedError unless `key` can sign approvals: bytes, and not empty."""
    if not isinstance(key, bytes) or not key:
        given = "empty" if key == b"" else f"a {type(key).__name__}"
        problems = ProblemCollector()
        problems.add(
            "invalid-setting",
            f"the key of an approval must be bytes that are not empty, and it is {given}",
            suggestion="generate it once, by secrets.token_bytes(32), and keep it secret",
        )
        raise RefusedError(problems.as_tuple())


def _show(parameters: Dict[str, Any]) -> str:
    """Parameters as JSON, on one line; of very long ones the beginnings, and how much there is besides."""
    entries = (f"{quote(key)}: {_cut(json.dumps(value, ensure_ascii=False))}" for key, value in parameters.items())
    shown = list(islice(entries, _MOST_SHOWN))
    rest = len(parameters) - len(shown)
    more = f", and {rest:,} more parameters, which are not shown here" if rest else ""
    return f"{{{', '.join(shown)}{more}}}"


def _cut(text: str) -> str:
    rest = len(text) - _LONGEST_SHOWN
    shown = escape(text[:_LONGEST_SHOWN])
    return f"{shown}... and {rest:,} more characters, which are not shown here" if rest > 0 else shown


class Wanted(NamedTuple):
    """What an approval has to be for, and when; `key` is what it has to be signed with, if it has to."""

    fingerprint: str
    request: str
    now: float
    key: Optional[bytes]


def flaws_of(given: Approval, wanted: Wanted) -> Iterator[Tuple[str, str, str]]:
    """Yield what is wrong with an approval: code, sentence, and what to do."""
    approval = _if_unaltered(given)
    if approval is None:
        yield "approval-altered", "the approval was changed after it was given", "ask again"
        return
    if wanted.key is not None and not approval.is_signed_by(wanted.key):
        yield _signature_flaw(approval)
        return  # nothing that it says is proven
    by = quote(approval.by)
    if approval.decision == "denied":
        comment = f": {quote(approval.comment)}" if approval.comment else ""
        yield "approval-refused", f"{by} says no{comment}", ""
    if approval.fingerprint != wanted.fingerprint:
        yield "approval-mismatch", f"the approval of {by} is for another plan", "ask again, for this one"
    elif approval.request != wanted.request:
        message = f"what {by} was shown is not what there is to approve now: reasons or changes differ"
        yield "approval-mismatch", message, "ask again"
    if not approval.at <= wanted.now:
        message = f"the approval of {by} is from the future: it begins {_in_words(approval.at)}"
        yield "approval-from-future", message, "set the clocks right, and ask again"
    if approval.until is not None and not wanted.now < approval.until:
        yield "approval-expired", f"the approval of {by} has expired {_in_words(approval.until)}", "ask again"


def _signature_flaw(approval: Approval) -> Tuple[str, str, str]:
    if not approval.signature:
        message = "the approval is not signed, and only a signed one releases this plan"
        return "approval-unsigned", message, "sign it where it is given: request.approve(...).sign(key)"
    message = "the approval was signed with another key, or changed after it was signed"
    return "signature-mismatch", message, "ask again, and sign the answer with the key that release is given"


def _if_unaltered(given: Approval) -> Approval | None:
    """Return an approval as it is in JSON, where nothing but its fields counts; None if its checksum does not fit."""
    try:
        approval = Approval.model_validate_json(Approval.model_dump_json(given))
    except Exception:  # noqa: BLE001 - values that were made without checks
        return None
    return approval if approval.checksum == approval.compute_checksum() else None


def _in_words(moment: float) -> str:
    try:
        return time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(moment))
    except (OverflowError, OSError, ValueError):
        return f"at {moment:g} seconds after 1970"
