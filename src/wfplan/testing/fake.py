"""FakeExecutor: does what a test says, and records its calls."""

from __future__ import annotations

import time
from concurrent.futures import CancelledError
from itertools import accumulate
from queue import SimpleQueue
from typing import Any, Sequence

from wfplan.execution.interface import StepCall
from wfplan.outcomes import Outcomes, Script
from wfplan.plans import ExecutionPlan
from wfplan.problems import Problem

__all__ = ["FakeExecutor"]


class FakeExecutor:
    """An executor with scripted outcomes, see `wfplan.outcomes`; a call without one returns None.

    It is a plain executor, so it runs in threads. A run is refused if an outcome is for a name that is neither a step
    nor an action of its plan.

    Args:
        outcomes: Outcomes by step name or action. None: every call succeeds.

    >>> import wfplan
    >>> from wfplan.outcomes import in_turn, succeeds
    >>> executor = FakeExecutor({"probe": in_turn(ConnectionError("no route"), succeeds(42))})
    >>> step = wfplan.Step(name="probe", retry=wfplan.RetryPolicy(max_attempts=2))
    >>> wfplan.run(wfplan.plan([step]), executor).outputs
    {'probe': 42}
    >>> [(call.step.name, call.attempt) for call in executor.calls]
    [('probe', 1), ('probe', 2)]
    """

    supports_dry_run = True

    calls: list[StepCall]
    """Every call, in the order in which they came."""

    def __init__(self, outcomes: Outcomes | None = None) -> None:
        """Prepare an executor; raises RefusedError for what is not an outcome.

        Args:
            outcomes: By the names of steps or by actions, or a function of the call; default: everything succeeds.
        """
        self._script = Script(outcomes)
        self._changes: list[int] = []  # +1 and -1; one append at a time needs no lock
        self._released: SimpleQueue[None] = SimpleQueue()
        self.calls = []
        self.closed: int = 0

    @property
    def most_at_once(self) -> int:
        """The largest number of calls that were inside `execute` at the same time."""
        return max(accumulate(self._changes), default=0)

    def validate(self, plan: ExecutionPlan) -> Sequence[Problem]:
        """Return an error for each outcome whose name is neither a step nor an action of `plan`."""
        return self._script.problems(plan)

    def execute(self, call: StepCall) -> Any:
        """Do what the outcome for this call says."""
        self._changes.append(1)
        self.calls.append(call)
        try:
            return self._play(call)
        finally:
            self._changes.append(-1)

    def release(self) -> None:
        """Let everything that hangs, now or later, come back."""
        self._released.put(None)

    def close(self) -> None:
        """Count that it was called, in `closed`."""
        self.closed += 1

    def _play(self, call: StepCall) -> Any:
        outcome = self._script.outcome_of(call)
        if outcome.delay is not None:
            time.sleep(outcome.delay)
        if outcome.kind == "hangs":
            self._released.put(self._released.get())
        elif outcome.kind == "cancelled":
            raise CancelledError
        elif outcome.kind == "fails":
            raise Exception(outcome.error) if isinstance(outcome.error, str) else outcome.error
        return outcome.output
