"""StopSignal: stops a run from outside."""

from __future__ import annotations

from typing import Callable

__all__ = ["StopSignal"]


class StopSignal:
    """Stops every run that it was given to, from any thread, a signal handler included.

    >>> signal = StopSignal()
    >>> signal.set()
    >>> signal.is_set, signal.cancels
    (True, False)
    """

    # No lock: set() may be called by a signal handler, in the middle of any other line of the same thread.

    is_set: bool
    """Whether nothing new is to start."""
    cancels: bool
    """Whether what runs is to be cancelled, too."""

    def __init__(self) -> None:
        self.is_set = False
        self.cancels = False
        self._listeners: list[Callable[[], object]] = []

    def set(self, *, cancel: bool = False) -> None:
        """Start nothing new and retry nothing; with `cancel`, also cancel what runs. Cannot be taken back."""
        if cancel:
            self.cancels = True
        self.is_set = True
        for listener in tuple(self._listeners):
            listener()

    def connect(self, listener: Callable[[], object]) -> None:
        """Have `listener` called, in the thread of the caller, at each later `set`; and now, if it is set already."""
        self._listeners.append(listener)
        if self.is_set:
            listener()

    def disconnect(self, listener: Callable[[], object]) -> None:
        """No longer call `listener`."""
        self._listeners.remove(listener)
