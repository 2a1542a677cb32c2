"""FakeExecutor: does what a test says, and remembers what it was asked."""

from __future__ import annotations

import time
from itertools import accumulate
from queue import SimpleQueue
from typing import Any, Mapping

from wfplan.execution.interface import StepCall
from wfplan.problems import refusal

__all__ = ["FakeExecutor", "after", "attempts", "hangs"]


class _After:
    def __init__(self, seconds: float, outcome: Any) -> None:
        self.seconds = seconds
        self.outcome = outcome


class _Attempts:
    def __init__(self, outcomes: tuple[Any, ...]) -> None:
        self.outcomes = outcomes


class _Hangs:
    pass


def after(seconds: float, outcome: Any = None) -> Any:
    """An outcome that comes after so many seconds."""
    return _After(seconds, outcome)


def attempts(*outcomes: Any) -> Any:
    """The outcomes of the first attempt, the second, and so on; the last one holds for all that follow."""
    if not outcomes:
        raise refusal("there is no outcome", "an attempt has some outcome")
    return _Attempts(outcomes)


def hangs() -> Any:
    """No outcome, until the executor is released."""
    return _Hangs()


class FakeExecutor:
    """An executor that does what `outcomes` say, by the names of steps; what is not there gives None.

    An outcome is an output, an exception (an instance or a class) to raise, or what `after`, `attempts` and `hangs`
    make. It is a plain executor, so it runs in threads, and is told nothing of the rest of the run.

    >>> import wfplan
    >>> executor = FakeExecutor({"probe": attempts(ConnectionError("no route"), 42)})
    >>> step = wfplan.Step(name="probe", retry=wfplan.RetryPolicy(max_attempts=2))
    >>> wfplan.run(wfplan.plan([step]), executor).outputs
    {'probe': 42}
    >>> [(call.step.name, call.attempt) for call in executor.calls]
    [('probe', 1), ('probe', 2)]
    """

    supports_dry_run = True

    calls: list[StepCall]
    """Every call, in the order in which they came."""

    def __init__(self, outcomes: Mapping[str, Any] | None = None) -> None:
        self._outcomes = dict(outcomes or {})
        self._changes: list[int] = []  # +1 and -1; one append at a time needs no lock
        self._released: SimpleQueue[None] = SimpleQueue()
        self.calls = []
        self.closed: int = 0

    @property
    def most_at_once(self) -> int:
        """The largest number of calls that were inside `execute` at the same time."""
        return max(accumulate(self._changes), default=0)

    def execute(self, call: StepCall) -> Any:
        """Do what the outcome for this step and this attempt says."""
        self._changes.append(1)
        self.calls.append(call)
        try:
            return self._come_out(self._outcomes.get(call.step.name), call)
        finally:
            self._changes.append(-1)

    def release(self) -> None:
        """Let everything that hangs, now or later, come back."""
        self._released.put(None)

    def close(self) -> None:
        """Count that it was called, in `closed`."""
        self.closed += 1

    def _come_out(self, outcome: Any, call: StepCall) -> Any:
        while isinstance(outcome, (_After, _Attempts)):
            if isinstance(outcome, _After):
                time.sleep(outcome.seconds)
                outcome = outcome.outcome
            else:
                outcome = outcome.outcomes[min(call.attempt, len(outcome.outcomes)) - 1]
        if isinstance(outcome, _Hangs):
            self._released.put(self._released.get())
            return None
        if isinstance(outcome, BaseException) or _is_exception_class(outcome):
            raise outcome
        return outcome


def _is_exception_class(outcome: Any) -> bool:
    return isinstance(outcome, type) and issubclass(outcome, BaseException)
