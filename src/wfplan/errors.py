"""The errors without problems; `wfplan.problems` has those with them."""

from __future__ import annotations

from typing import Any, Collection, Iterable, Tuple

from wfplan._internal.messages import join_names
from wfplan._internal.suggestions import Suggester, did_you_mean

__all__ = ["BackendNotAvailableError", "PermanentError", "UnknownNameError", "WfplanError", "require_names"]


class WfplanError(Exception):
    """The base of all errors that this library raises on purpose."""


class UnknownNameError(WfplanError, KeyError, ValueError):
    """Nothing has the name that was asked for.

    It is a `KeyError`, so that `get` and `in` work as for any mapping, and a `ValueError`, as any wrong argument is.

    Args:
        message: What was not found.
        names: The names that were asked for and do not exist; also an attribute.
        nearest: Up to three names that may have been meant, the best first; also an attribute.
    """

    names: Tuple[Any, ...]
    nearest: Tuple[str, ...]

    def __init__(self, message: str, names: Iterable[Any] = (), nearest: Iterable[str] = ()) -> None:
        """Keep the message and what it is about; `UnknownNameError.of` words it."""
        self.names = tuple(names)
        self.nearest = tuple(nearest)
        super().__init__(message, self.names, self.nearest)

    @classmethod
    def of(cls, noun: str, unknown: Iterable[Any], known: Iterable[str]) -> UnknownNameError:
        """Return the error for names that do not exist, with suggestions.

        Args:
            noun: What the names are names of, such as `step`.
            unknown: The names that do not exist.
            known: The names that do; suggestions come from the first 2,000.
        """
        names, candidates = list(unknown), list(known)
        guesses = Suggester(candidates).nearest(names[0]) if isinstance(names[0], str) else []
        unknown_names = join_names([name if isinstance(name, str) else repr(name) for name in names])
        existing = f"there are {join_names(candidates)}" if candidates else "there are none"
        return cls(f"no {noun} is named {unknown_names}: {did_you_mean(guesses) or existing}", names, guesses)

    def __str__(self) -> str:
        return str(self.args[0])


def require_names(noun: str, names: Iterable[Any], known: Collection[str]) -> None:
    """Do nothing if all `names` are known.

    Raises:
        UnknownNameError: Some are not; it names all of those.
    """
    unknown = [name for name in names if name not in known]
    if unknown:
        raise UnknownNameError.of(noun, unknown, known)


class PermanentError(WfplanError):
    """Raise it in a step, or a class of its own, to say that retrying is useless: the step is not retried."""


class BackendNotAvailableError(WfplanError, ImportError):
    """What was asked for needs a package that is not installed; the message names the extra that brings it."""
