"""What running a plan costs beside the barest loops: no-op steps, so that nothing but the cost of running is seen."""

from __future__ import annotations

import argparse
import asyncio
import itertools
import os
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Callable, Dict, Iterator, List

import loops
from loops import THREADS
from timing import Contenders, median, milliseconds, race, ratio

import wfplan
from wfplan import ExecutionPlan, Progress, Step
from wfplan.execution.journal.file import JournalFile


def layers(depth: int, width: int) -> List[Step]:
    """Steps in layers, each of which needs three of the layer before."""
    steps: List[Step] = []
    for layer in range(depth):
        for place in range(width):
            needs = [f"{layer - 1}-{(place + shift) % width}" for shift in range(min(3, width))] if layer else []
            steps.append(Step(name=f"{layer}-{place}", action="nothing", dependencies=needs))
    return steps


def observe(_event: wfplan.Event) -> None:
    """An observer that does nothing."""


def run_plain(plan: ExecutionPlan, observers: int = 0, **keywords: Any) -> None:
    watching = [observe] * observers
    report = wfplan.run(plan, {"nothing": loops.nothing}, max_parallel=THREADS, observers=watching, **keywords)
    assert report.ok


def run_async(plan: ExecutionPlan, observers: int = 0, **keywords: Any) -> None:
    watching = [observe] * observers
    report = asyncio.run(wfplan.arun(plan, {"nothing": loops.nothing_async}, observers=watching, **keywords))
    assert report.ok


def walk(plan: ExecutionPlan) -> None:
    """The progress alone, without any driver."""
    progress = Progress(plan)
    while progress.is_active():
        for call in progress.get_ready(0.0):
            progress.done(call.step.name, now=0.0)


def drivers(rounds: int) -> None:
    """10,000 steps in 100 layers."""
    steps = layers(100, 100)
    plan = wfplan.plan(steps)
    eager = wfplan.plan(plan.workflow, execution_strategy=wfplan.ExecutionStrategy(schedule="eager"))
    contenders: Contenders = {
        "`run`": lambda: run_plain(plan),
        "`run`, eager": lambda: run_plain(eager),
        "`run`, one observer": lambda: run_plain(plan, 1),
        "`run`, ten observers": lambda: run_plain(plan, 10),
        "graphlib and a thread pool, all that is ready submitted": lambda: loops.graphlib_with_all_threads(steps),
        "graphlib and a thread pool, as many in flight as threads": lambda: loops.graphlib_with_threads(steps),
        "Dask's threaded scheduler": lambda: loops.dask_threads(steps),
        "`arun`": lambda: run_async(plan),
        "`arun`, eager": lambda: run_async(eager),
        "`arun`, one observer": lambda: run_async(plan, 1),
        "`arun`, ten observers": lambda: run_async(plan, 10),
        "graphlib and asyncio tasks": lambda: asyncio.run(loops.graphlib_with_tasks(steps)),
        "the `Progress` alone": lambda: walk(plan),
    }
    seconds = race(contenders, rounds)
    print("| what | per step | beside `run` | beside `arun` |")
    print("|---|---|---|---|")
    for label, values in seconds.items():
        own = 1e6 * median(values) / len(steps)
        beside = [f"{ratio(values, seconds[driver]):.2f} x" for driver in ("`run`", "`arun`")]
        print(f"| {label} | {own:,.1f} µs | {' | '.join(beside)} |")


def peers(rounds: int) -> None:
    """TaskFlow takes a time that grows with the square of the steps, so there are only 200."""
    steps = layers(5, 40)
    plan = wfplan.plan(steps)
    seconds = race({"`run`": lambda: run_plain(plan), "TaskFlow": lambda: loops.taskflow(steps)}, rounds)
    print("\n| 200 steps | per step | beside `run` |\n|---|---|---|")
    for label, values in seconds.items():
        own = 1e6 * median(values) / len(steps)
        print(f"| {label} | {own:,.0f} µs | {ratio(values, seconds['`run`']):.1f} x |")


def journals(rounds: int) -> None:
    """With a journal, beside nothing but writes and syncs: of each of its lines, and as the run grouped them."""
    print("\n| steps | what | per step | beside a sync for each line | beside the same writes |\n|---|---|---|---|---|")
    with TemporaryDirectory() as folder:
        paths = (Path(folder, str(number)) for number in itertools.count())
        for width in (100, 1000):
            _journal(wfplan.plan(layers(100, width)), paths, rounds)


def _journal(plan: ExecutionPlan, paths: Iterator[Path], rounds: int) -> None:
    count = len(plan.steps)
    writes = _writes_of(plan, next(paths))
    lines = b"".join(writes).splitlines(keepends=True)
    contenders: Contenders = {
        f"a sync for each of {len(lines):,} lines": lambda: _write(lines, next(paths)),
        f"the {len(writes):,} writes that `run` made, and their syncs": lambda: _write(writes, next(paths)),
        "`run` with a journal": lambda: run_plain(plan, journal=next(paths)),
        "`arun` with a journal": lambda: run_async(plan, journal=next(paths)),
        "`run` without": lambda: run_plain(plan),
    }
    seconds = race(contenders, rounds)
    each, same = list(seconds.values())[:2]
    for label, values in seconds.items():
        beside = f"{ratio(values, each):.2f} x | {ratio(values, same):.2f} x"
        print(f"| {count:,} | {label} | {1e6 * median(values) / count:,.1f} µs | {beside} |")


def _writes_of(plan: ExecutionPlan, path: Path) -> List[bytes]:
    """What a run of this plan writes, as it writes it."""
    writes: List[bytes] = []
    append = JournalFile.append

    def note(file: JournalFile, data: bytes) -> None:
        writes.append(data)
        append(file, data)

    JournalFile.append = note  # type: ignore[method-assign, assignment]
    try:
        run_plain(plan, journal=path)
    finally:
        JournalFile.append = append  # type: ignore[method-assign]
    return writes


def _write(writes: List[bytes], path: Path) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    try:
        for data in writes:
            os.write(descriptor, data)
            getattr(os, "fdatasync", os.fsync)(descriptor)
    finally:
        os.close(descriptor)


def growth(rounds: int) -> None:
    """From 10,000 to 100,000 steps."""
    print("\n| what | 10,000 | 100,000 | growth |\n|---|---|---|---|")
    small, large = wfplan.plan(layers(100, 100)), wfplan.plan(layers(100, 1000))
    works: Dict[str, Callable[[ExecutionPlan], None]] = {
        "`run`": run_plain,
        "`arun`": run_async,
        "the `Progress` alone": walk,
    }
    for label, work in works.items():
        seconds = race({"small": partial(work, small), "large": partial(work, large)}, rounds)
        grown = ratio(seconds["large"], seconds["small"])
        print(f"| {label} | {milliseconds(seconds['small'])} | {milliseconds(seconds['large'])} | {grown:.1f} x |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", nargs="*", default=["drivers", "journals", "peers", "growth"])
    arguments = parser.parse_args()
    for name, measure in (("drivers", drivers), ("journals", journals), ("peers", peers), ("growth", growth)):
        if name in arguments.only:
            measure(arguments.rounds)


if __name__ == "__main__":
    main()
