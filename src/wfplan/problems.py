"""Problem, the problem codes, and the errors that carry problems."""

from __future__ import annotations

from collections import Counter
from typing import Any, Dict, FrozenSet, Iterable, Mapping, Tuple

from typing_extensions import Literal, TypeAlias

from wfplan._internal import display
from wfplan._internal.messages import escape
from wfplan._internal.model import EMPTY, Model, TupleOf, construct_unchecked
from wfplan.errors import WfplanError

__all__ = [
    "CODES",
    "LENIENT_READING_CODES",
    "InvalidWorkflowError",
    "Problem",
    "ProblemCollector",
    "RefusedError",
    "Severity",
    "invalid",
    "refusal",
    "require_type",
]

Severity: TypeAlias = Literal["error", "warning", "info"]

CODES: Mapping[str, Severity] = {
    "invalid-document": "error",
    "invalid-field": "error",
    "duplicate-key": "error",
    "limit-exceeded": "error",
    "duplicate-step": "error",
    "unknown-dependency": "error",
    "self-dependency": "error",
    "dependency-cycle": "error",
    "ambiguous-answer": "error",
    "conflicting-fields": "error",
    "order-not-read": "error",
    "surrounding-text": "warning",
    "code-fence": "warning",
    "thinking-block": "warning",
    "json-lines": "warning",
    "repaired-json": "warning",
    "yaml-document": "warning",
    "wrapped-document": "warning",
    "text-in-text": "warning",
    "mapping-of-steps": "warning",
    "key-alias": "warning",
    "number-as-id": "warning",
    "missing-id": "warning",
    "missing-action": "warning",
    "null-as-none": "warning",
    "text-as-list": "warning",
    "dependency-object": "warning",
    "confidence-text": "warning",
    "single-item": "warning",
    "markdown-escape": "warning",
    "id-spelling": "warning",
    "name-as-id": "warning",
    "mode-alias": "warning",
    "yaml-scalar": "warning",
    "text-reference": "warning",
    "order-in-parameters": "warning",
    "no-order-stated": "warning",
    "finished-step": "warning",
    "duplicate-dependency": "warning",
    "unknown-execution-mode": "warning",
    "empty-workflow": "warning",
    "unknown-field": "warning",
    "no-dependencies": "info",
    "repaired": "info",
    "redundant-dependency": "info",
    "over-serialised": "info",
    "blocking-hint": "info",
    "estimate-over-timeout": "warning",
    "invalid-catalog": "error",
    "catalog-needed": "error",
    "conflict": "warning",
    "overruled-field": "warning",
    "invalid-policy": "error",
    "too-many-steps": "error",
    "too-many-levels": "error",
    "parameters-too-large": "error",
    "denied-action": "error",
    "unlisted-action": "error",
    "denied-dependency": "error",
    "many-steps": "warning",
    "effect-needs-approval": "warning",
    "unknown-effect": "warning",
    "irreversible-step": "warning",
    "low-confidence": "warning",
    "unknown-confidence": "warning",
    "plan-changed": "error",
    "approval-missing": "error",
    "approval-unanswered": "error",
    "approval-refused": "error",
    "approval-altered": "error",
    "approval-unsigned": "error",
    "signature-mismatch": "error",
    "approval-mismatch": "error",
    "approval-expired": "error",
    "approval-from-future": "error",
    "invalid-setting": "error",
    "invalid-executor": "error",
    "invalid-parameters": "error",
    "unknown-action": "error",
    "unsupported": "error",
    "impossible-state": "error",
    "output-not-kept": "error",
    "resume-mismatch": "error",
    "journal-unusable": "error",
    "journal-unreadable": "error",
    "journal-mismatch": "error",
    "journal-failed": "error",
    "abandoned": "warning",
    "close-failed": "warning",
}
"""Every code with its usual severity. Codes are never renamed; docs/problems.md says what each one means."""

LENIENT_READING_CODES: FrozenSet[str] = frozenset(
    """
    surrounding-text code-fence thinking-block json-lines repaired-json yaml-document wrapped-document text-in-text
    mapping-of-steps key-alias number-as-id missing-id missing-action null-as-none text-as-list dependency-object
    confidence-text unknown-field single-item markdown-escape id-spelling name-as-id mode-alias yaml-scalar
    text-reference order-in-parameters no-order-stated
    """.split()
)
"""The codes of what was read although it was not written as it should be; errors, if it is read strictly."""

_ORDER: Tuple[Severity, ...] = ("error", "warning", "info")
_LISTED = 1000
_SHOWN = 20


class Problem(Model):
    """One finding about the input."""

    code: str
    """Stable and documented: one of `CODES`."""
    severity: Severity
    """`error`: the input is refused; `warning`: it is planned all the same; `info`: worth a look."""
    message: str
    """A sentence for people: what is wrong, and with which step."""
    steps: TupleOf[str] = EMPTY
    """The steps concerned, by name; by id where the input was recommendations."""
    location: str = ""
    """JSON pointer into the document (RFC 6901); empty where the input was no document."""
    suggestion: str = ""
    """What to do about it."""

    def __str__(self) -> str:
        where = f" at {escape(self.location)}" if self.location else ""
        advice = f" ({self.suggestion})" if self.suggestion else ""
        return f"{self.severity} {self.code}{where}: {self.message}{advice}"


class ProblemCollector:
    """A collector of problems, which keeps the first 1,000 of each severity and counts all.

    Args:
        problems: Problems to begin with.
    """

    __slots__ = ("_counts", "_kept")

    def __init__(self, problems: Iterable[Problem] = ()) -> None:
        self._counts: dict[Severity, int] = dict.fromkeys(_ORDER, 0)
        self._kept: dict[Severity, list[Problem]] = {severity: [] for severity in _ORDER}
        for problem in problems:
            self.append(problem)

    def add(
        self,
        code: str,
        message: str,
        *,
        steps: Iterable[str] = (),
        location: str = "",
        suggestion: str = "",
        severity: Severity | None = None,
    ) -> None:
        """Keep a new problem; its severity is the usual one of its code."""
        self.append(
            construct_unchecked(
                Problem,
                {
                    "code": code,
                    "severity": severity or CODES[code],
                    "message": message,
                    "steps": tuple(steps),
                    "location": location,
                    "suggestion": suggestion,
                },
            )
        )

    def append(self, problem: Problem) -> None:
        """Count a problem, and keep it if it will be listed."""
        self._counts[problem.severity] += 1
        if self._counts[problem.severity] <= _LISTED:
            self._kept[problem.severity].append(problem)

    def add_unlisted(self, severity: Severity, number: int) -> None:
        """Count problems that there is no need to tell one by one, since enough of them are listed."""
        self._counts[severity] += number

    def has_room(self, severity: Severity) -> bool:
        """Return whether the next problem of this severity will be listed, and not merely counted."""
        return self._counts[severity] < _LISTED

    @property
    def has_errors(self) -> bool:
        """Whether any error was added, listed or not."""
        return self._counts["error"] > 0

    def as_tuple(self, *severities: Severity) -> tuple[Problem, ...]:
        """Return the problems of these severities (default: all), errors first.

        Beyond 1,000 they are only counted, in a last `limit-exceeded` of the highest severity left out.
        """
        wanted: list[Severity] = [severity for severity in _ORDER if severity in (severities or _ORDER)]
        kept = [problem for severity in wanted for problem in self._kept[severity]]
        total = sum(self._counts[severity] for severity in wanted)
        if total <= _LISTED:
            return tuple(kept)
        shown = kept[: _LISTED - 1]
        listed = Counter(problem.severity for problem in shown)
        rest = Problem(
            code="limit-exceeded",
            severity=next(severity for severity in wanted if self._counts[severity] > listed[severity]),
            message=f"{total - len(shown):,} more problems are not listed",
            suggestion="fix the listed ones and look again",
        )
        return (*shown, rest)


class InvalidWorkflowError(WfplanError, ValueError):
    """The input cannot be planned; nothing was planned in part.

    Args:
        problems: Everything that was found; the attribute `problems` has it with errors first.
        reason: `dependency_resolution_failed`, or `execution_order_failed` if the order of a cyclic graph was asked
            for.
    """

    problems: tuple[Problem, ...]
    reason: str

    def __init__(self, problems: Iterable[Problem], reason: str = "dependency_resolution_failed") -> None:
        self.problems = tuple(problems)
        self.reason = reason
        super().__init__(self.problems, reason)

    def __str__(self) -> str:
        return _emit("this cannot be planned", self.problems)

    def _repr_mimebundle_(self, **_: Any) -> Dict[str, str]:
        return display.mimebundle(self)


class RefusedError(WfplanError, ValueError):
    """Nothing has run, and nothing will.

    Args:
        problems: Every reason; the attribute `problems` has them with errors first.
    """

    problems: tuple[Problem, ...]

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__(self.problems)

    def __str__(self) -> str:
        return _emit("refused", self.problems)


def refusal(message: str, suggestion: str = "", *, code: str = "invalid-setting") -> RefusedError:
    """Return the error for one wrong argument.

    Args:
        message: What is wrong.
        suggestion: What to do about it.
        code: The problem's code.
    """
    return RefusedError(_one(code, message, suggestion))


def require_type(value: object, *kinds: type) -> None:
    """Raise RefusedError unless an argument is of one of these kinds.

    Args:
        value: The argument.
        *kinds: The types that it may have.

    Raises:
        RefusedError: It has another type.
    """
    if not isinstance(value, kinds):
        names = " or ".join(kind.__name__ for kind in kinds)
        advice = "make one with wfplan.plan" if "ExecutionPlan" in names else ""
        raise refusal(f"the argument must be of type {names}, not {type(value).__name__}", advice)


def invalid(code: str, message: str, suggestion: str = "", *, steps: Iterable[str] = ()) -> InvalidWorkflowError:
    """Return the error for a single problem that prevents planning.

    Args:
        code: The problem's code.
        message: What is wrong.
        suggestion: What to do about it.
        steps: The steps it concerns.
    """
    return InvalidWorkflowError(_one(code, message, suggestion, steps))


def _one(code: str, message: str, suggestion: str, steps: Iterable[str] = ()) -> tuple[Problem, ...]:
    problems = ProblemCollector()
    problems.add(code, message, steps=steps, suggestion=suggestion)
    return problems.as_tuple()


def _emit(head: str, problems: Iterable[Problem]) -> str:
    """Return the errors among these problems, one a line, the first twenty."""
    errors = [problem for problem in problems if problem.severity == "error"]
    count = "one error" if len(errors) == 1 else f"{'over ' * (len(errors) == _LISTED)}{len(errors):,} errors"
    lines = [f"{head}: {count}", *(f"  {problem}" for problem in errors[:_SHOWN])]
    if len(errors) > _SHOWN:
        lines.append(f"  and {len(errors) - _SHOWN:,} more, in .problems")
    return "\n".join(lines)
