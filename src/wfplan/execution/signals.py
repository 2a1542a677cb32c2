"""StopSignal: ends or suspends a run from outside."""

from __future__ import annotations

from typing import Callable

__all__ = ["StopSignal"]


class StopSignal:
    """Ends or suspends every run that it was given to, from any thread, a signal handler included.

    >>> signal = StopSignal()
    >>> signal.set()
    >>> signal.is_set, signal.suspends, signal.cancels
    (True, False, False)
    """

    # No lock: set() may be called by a signal handler, in the middle of any other line of the same thread.

    is_set: bool
    """Whether nothing new is to start."""
    ends: bool
    """Whether the run is to end, and not only to be suspended."""
    suspends: bool
    """Whether the run is to be suspended: it can go on later."""
    cancels: bool
    """Whether what runs is to be cancelled, too."""

    def __init__(self) -> None:
        self.is_set = False
        self.ends = False
        self.suspends = False
        self.cancels = False
        self._listeners: list[Callable[[], object]] = []

    def set(self, *, suspend: bool = False, cancel: bool = False) -> None:
        """Start nothing new and retry nothing. Cannot be taken back.

        Args:
            suspend: Leave the run so that it can go on, from its journal or its report; default: it ends.
            cancel: Cancel what runs, and wait up to 10 seconds for it; default: it is waited for.
        """
        if cancel:
            self.cancels = True
        if suspend:
            self.suspends = True
        else:
            self.ends = True
        self.is_set = True
        for listener in tuple(self._listeners):
            listener()

    def connect(self, listener: Callable[[], object]) -> None:
        """Call a listener at each later `set`, and at once if the signal is already set.

        Args:
            listener: Called without arguments, in the thread that calls `set`.
        """
        self._listeners.append(listener)
        if self.is_set:
            listener()

    def disconnect(self, listener: Callable[[], object]) -> None:
        """Stop calling a listener.

        Args:
            listener: One that was passed to `connect`.
        """
        self._listeners.remove(listener)
