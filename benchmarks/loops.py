"""The barest loops, and other engines, over steps that do nothing."""

from __future__ import annotations

import asyncio
import os
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import Any, Dict, List, Sequence, Tuple

import graphlib
from dask.threaded import get
from taskflow import engines, task
from taskflow.patterns import graph_flow

from wfplan import Step

THREADS = min(32, (os.cpu_count() or 1) + 4)


def nothing() -> None:
    """What a plain step does."""


async def nothing_async() -> None:
    """What an async step does."""


def graphlib_with_threads(steps: Sequence[Step]) -> None:
    """The barest loop with threads: graphlib and a pool, as many futures in flight as it has threads."""
    sorter = graphlib.TopologicalSorter({step.name: step.dependencies for step in steps})
    sorter.prepare()
    ready: List[str] = []
    running: Dict[Future[None], str] = {}
    with ThreadPoolExecutor(THREADS) as pool:
        while sorter.is_active():
            ready.extend(sorter.get_ready())
            while ready and len(running) < THREADS:
                name = ready.pop()
                running[pool.submit(nothing)] = name
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                future.result()
                sorter.done(running.pop(future))


def graphlib_with_all_threads(steps: Sequence[Step]) -> None:
    """The same without a bound: everything that is ready is submitted at once."""
    sorter = graphlib.TopologicalSorter({step.name: step.dependencies for step in steps})
    sorter.prepare()
    running: Dict[Future[None], str] = {}
    with ThreadPoolExecutor(THREADS) as pool:
        while sorter.is_active():
            for name in sorter.get_ready():
                running[pool.submit(nothing)] = name
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                future.result()
                sorter.done(running.pop(future))


async def graphlib_with_tasks(steps: Sequence[Step]) -> None:
    """The barest loop with tasks."""
    sorter = graphlib.TopologicalSorter({step.name: step.dependencies for step in steps})
    sorter.prepare()
    running: Dict[asyncio.Task[None], str] = {}
    while sorter.is_active():
        for name in sorter.get_ready():
            running[asyncio.ensure_future(nothing_async())] = name
        done, _ = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
        for ended in done:
            ended.result()
            sorter.done(running.pop(ended))


def dask_threads(steps: Sequence[Step]) -> None:
    """Dask's threaded scheduler, with as many threads."""
    graph: Dict[str, Tuple[Any, ...]] = {step.name: (_after, list(step.dependencies)) for step in steps}
    graph["end"] = (_after, [step.name for step in steps])
    get(graph, "end", num_workers=THREADS)


def _after(*_needed: Any) -> None:
    nothing()


def taskflow(steps: Sequence[Step]) -> None:
    """TaskFlow's parallel engine, with as many threads."""

    class Nothing(task.Task):  # type: ignore[misc]
        def execute(self) -> None:
            nothing()

    flow = graph_flow.Flow("layers")
    tasks = {step.name: Nothing(step.name) for step in steps}
    flow.add(*tasks.values())
    for step in steps:
        for needed in step.dependencies:
            flow.link(tasks[needed], tasks[step.name])
    engines.run(flow, engine="parallel", executor="threaded", max_workers=THREADS)
