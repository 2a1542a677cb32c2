"""astream: a run as an async iterator of its events."""

from __future__ import annotations

import asyncio
import time
from os import PathLike
from typing import Any, AsyncIterator, Callable, Iterable, Mapping

from wfplan.execution.events import Event, Observer
from wfplan.execution.interface import Executor
from wfplan.execution.loop import arun
from wfplan.execution.progress import Progress
from wfplan.execution.report import ExecutionReport
from wfplan.execution.signals import StopSignal
from wfplan.models import OnFailure, Schedule
from wfplan.plans import ExecutionPlan

__all__ = ["astream"]


async def astream(
    plan: ExecutionPlan | Progress,
    executor: Executor | Mapping[str, Callable[..., Any]],
    *,
    schedule: Schedule | None = None,
    max_parallel: int | None = None,
    on_failure: OnFailure | None = None,
    dry_run: bool | None = None,
    journal: str | PathLike[str] | None = None,
    resume: ExecutionReport | None = None,
    run_id: str | None = None,
    hold: Iterable[str] | None = None,
    stop: StopSignal | None = None,
    tracebacks: bool = True,
    observers: Iterable[Observer] = (),
) -> AsyncIterator[Event]:
    """Run a plan on this event loop like `wfplan.arun` and yield every event; the last one carries the report.

    Events wait in a queue, so a slow reader does not slow the run. Leaving the loop early suspends the run, so that it
    can continue from its journal; without a journal it is cancelled. Close an iterator that is not read to its end
    with `aclose`, or use `contextlib.aclosing` around the loop.

    Args:
        plan: As for `run`.
        executor: As for `run`.
        schedule: As for `run`.
        max_parallel: As for `arun`.
        on_failure: As for `run`.
        dry_run: As for `run`.
        journal: As for `run`.
        resume: As for `run`.
        run_id: As for `run`.
        hold: As for `run`.
        stop: As for `run`.
        tracebacks: As for `run`.
        observers: As for `run`; they receive each event before the loop does.

    Raises:
        RefusedError: At the first step of the loop, with every problem, if nothing can run.

    >>> import asyncio, wfplan
    >>> async def main():
    ...     return [event.kind async for event in wfplan.astream(wfplan.plan({"a": []}), {"a": lambda: 1})]
    >>> asyncio.run(main())
    ['run-started', 'attempt-started', 'attempt-ended', 'step-ended', 'run-ended']
    """
    events: asyncio.Queue[Event | None] = asyncio.Queue()
    running = asyncio.ensure_future(
        arun(
            plan,
            executor,
            schedule=schedule,
            max_parallel=max_parallel,
            on_failure=on_failure,
            dry_run=dry_run,
            journal=journal,
            resume=resume,
            run_id=run_id,
            hold=hold,
            stop=stop,
            tracebacks=tracebacks,
            observers=_with(observers, events.put_nowait),
        )
    )
    running.add_done_callback(lambda _: events.put_nowait(None))
    last: Event | None = None
    try:
        while True:
            event = await events.get()
            if event is None:
                break
            last = event
            yield event
        report = await running
        if last is None:  # the journal held a run that had ended: nothing has happened
            yield Event(kind="run-ended", at=time.time(), run_id=report.run_id, phase=report.phase, report=report)
    finally:
        running.cancel()
        await asyncio.wait([running])
        if not running.cancelled():
            running.exception()  # it was raised above, or nobody is there to hear of it


def _with(observers: Any, last: Observer) -> Any:
    """Return what is not iterable is left as it is: it will be refused."""
    try:
        return (*observers, last)
    except TypeError:
        return observers
