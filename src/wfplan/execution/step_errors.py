"""The error of an attempt: what a step raised, as data that survives JSON, pickling and another process."""

from __future__ import annotations

import traceback as tracebacks
from typing import Any, Dict, Iterator, Optional, cast

from wfplan._internal.messages import escape
from wfplan._internal.model import EMPTY, Model, TupleOf
from wfplan.errors import PermanentError

__all__ = ["RemoteError", "StepError", "is_permanent", "type_name"]

_MESSAGE_LENGTH = 10_000
_LINE_LENGTH = 200
_SHOWN = 10
_MOST_NOTES = 20
_MOST_FRAMES = 20


class StepError(Model):
    """Why an attempt failed."""

    type: str
    """The name of the exception's class, with its module unless it is a builtin."""
    message: str = ""
    notes: TupleOf[str] = EMPTY
    """What was added by `add_note`; at most 20."""
    traceback: str = ""
    """The end of the traceback as text, without the values of variables; empty if that was not wanted."""

    _exception: Optional[BaseException] = None

    @classmethod
    def of(cls, error: BaseException | str, *, traceback: bool = False) -> StepError:
        """Return the error of an attempt, from what it raised or from a message; of a group, with its leaves."""
        if not isinstance(error, BaseException):
            return cls(type="Exception", message=_cut(str(error)))
        if isinstance(error, RemoteError):
            return error.error
        name = type_name(error)
        try:
            message = str(error)
        except BaseException:  # noqa: BLE001 - a third-party exception whose str fails
            message = "(its text cannot be made)"
        leaves = [f"{leaf.type}: {leaf.message}" for leaf in map(cls.of, _first_leaves(error))]
        made = cls(
            type=name[len("builtins.") :] if name.startswith("builtins.") else name,
            message=_cut("; ".join([message, *leaves]) if leaves else message),
            notes=_notes_of(error),
            traceback=_traceback_of(error) if traceback else "",
        )
        made._exception = error
        return made

    @property
    def exception(self) -> BaseException | None:
        """The exception itself, with its traceback; None in a report that was loaded."""
        return self._exception

    @property
    def first_line(self) -> str:
        """The error on one printable line, cut where it is long."""
        text = escape(str(self).strip().partition("\n")[0])
        return text if len(text) <= _LINE_LENGTH else text[: _LINE_LENGTH - 3] + "..."

    def __str__(self) -> str:
        return f"{self.type}: {self.message}" if self.message else self.type

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, StepError):
            return NotImplemented
        return (self.type, self.message) == (other.type, other.message)

    def __hash__(self) -> int:
        return hash((self.type, self.message))


class RemoteError(Exception):
    """Stands for an exception that cannot leave the process in which it was raised."""

    error: StepError
    is_permanent: bool

    def __init__(self, error: StepError, *, is_permanent: bool) -> None:
        super().__init__(str(error))
        self.error = error
        self.is_permanent = is_permanent

    def __reduce__(self) -> Any:
        return _remote_error, (self.error.model_dump(), self.is_permanent)


def _remote_error(error: Dict[str, Any], is_permanent: bool) -> RemoteError:
    return RemoteError(StepError(**error), is_permanent=is_permanent)


def is_permanent(error: object) -> bool:
    """Return whether retrying is useless: a PermanentError, or a group of nothing else."""
    if issubclass(type(error), RemoteError):
        return error.is_permanent  # type: ignore[attr-defined, no-any-return]
    leaves = tuple(_leaves(error)) if _parts(error) else (error,)
    return all(issubclass(type(leaf), PermanentError) for leaf in leaves)


def _parts(error: object) -> tuple[BaseException, ...]:
    """Return what an exception group holds; also one of the backport for Python before 3.11."""
    try:
        parts: Any = getattr(error, "exceptions", ()) if callable(getattr(error, "derive", None)) else ()
    except Exception:  # noqa: BLE001 - an exception of a caller's
        return ()
    inner: tuple[Any, ...] = cast("Any", parts) if isinstance(parts, tuple) else ()
    return inner if all(isinstance(part, BaseException) for part in inner) else ()


def _leaves(error: object) -> Iterator[BaseException]:
    """Yield the exceptions of a group that are not groups, at any depth; nothing for other exceptions."""
    pending = list(reversed(_parts(error)))
    while pending:
        part = pending.pop()
        inner = _parts(part)
        pending.extend(reversed(inner))
        if not inner:
            yield part


def _first_leaves(error: object) -> list[BaseException]:
    return [leaf for _, leaf in zip(range(_SHOWN), _leaves(error))]


def _notes_of(error: BaseException) -> tuple[str, ...]:
    given: Any = vars(error).get("__notes__", ())
    notes = cast("list[Any]", given)[:_MOST_NOTES] if isinstance(given, (list, tuple)) else ()
    return tuple(_cut(note) for note in notes if isinstance(note, str))


def _traceback_of(error: BaseException) -> str:
    try:
        lines = tracebacks.format_exception(type(error), error, error.__traceback__, limit=-_MOST_FRAMES)
    except Exception:  # noqa: BLE001 - a third-party exception whose str fails
        return ""
    return _cut("".join(lines)[-_MESSAGE_LENGTH:])


def type_name(value: object) -> str:
    """Return the name of the class of a value, with its module."""
    kind = type(value)
    try:
        return _cut(f"{kind.__module__}.{kind.__qualname__}")
    except Exception:  # noqa: BLE001 - a class of a caller's that cannot tell its name
        return "unknown"


def _cut(text: str) -> str:
    """Return a string of bounded length that UTF-8 can hold."""
    return text[:_MESSAGE_LENGTH].encode(errors="backslashreplace").decode()
