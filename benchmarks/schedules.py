"""How near to the best schedules come, in simulated time; and what simulating and analyzing cost."""

from __future__ import annotations

import argparse
import heapq
import json
from functools import partial
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, Sequence, Tuple

from graphs import SHAPES
from timing import Contenders, milliseconds, race, ratio

import wfplan
from wfplan import ExecutionPlan, Progress, Step
from wfplan.analysis import critical_path, lint, lower_bound, simulate, slack, width_bounds

WORKERS = (4, 16, 64)
Makespan = Callable[[ExecutionPlan, int], float]


def in_batches(plan: ExecutionPlan, workers: int) -> float:
    """A batch starts when the one before it has ended."""
    return simulate(plan, schedule="batch", max_parallel=workers).makespan


def by_longest_path(plan: ExecutionPlan, workers: int) -> float:
    """The eager schedule as it is."""
    return simulate(plan, schedule="eager", max_parallel=workers).makespan


def in_declared_order(plan: ExecutionPlan, workers: int) -> float:
    """Each step as soon as it may; of those that may, the one declared first: a plain list schedule of its own."""
    steps = plan.workflow.steps
    place = {step.name: number for number, step in enumerate(steps)}
    waits_for = {step.name: len(set(step.dependencies)) for step in steps}
    dependents: Dict[str, List[str]] = {step.name: [] for step in steps}
    for step in steps:
        for needed in set(step.dependencies):
            dependents[needed].append(step.name)
    ready = [place[name] for name, count in waits_for.items() if not count]
    ends: List[Tuple[float, int]] = []
    now = 0.0
    while ready or ends:
        while ready and len(ends) < workers:
            number = heapq.heappop(ready)
            heapq.heappush(ends, (now + (steps[number].estimated_seconds or 0.0), number))
        now = ends[0][0]
        while ends and ends[0][0] == now:
            for name in dependents[steps[heapq.heappop(ends)[1]].name]:
                waits_for[name] -= 1
                if not waits_for[name]:
                    heapq.heappush(ready, place[name])
    return now


SCHEDULES: Dict[str, Makespan] = {
    "batch": in_batches,
    "eager, in declared order": in_declared_order,
    "eager, longest path first": by_longest_path,
}


def near_the_best(path: Path) -> None:
    """Makespans on real workflows, beside the lower bound max(critical path, work / workers)."""
    plans = list(_read(path))
    print("| schedule | workers | workflows | mean of makespan / lower bound | worst |\n|---|---|---|---|---|")
    for label, makespan in SCHEDULES.items():
        for workers in WORKERS:
            found = [makespan(plan, workers) / lower_bound(plan, workers) for plan in plans]
            print(f"| {label} | {workers} | {len(found)} | {sum(found) / len(found):.3f} | {max(found):.3f} |")


def _read(path: Path) -> Iterator[ExecutionPlan]:
    """The workflows that take any time; a step without a measured time takes none."""
    for line in path.read_text(encoding="utf-8").splitlines():
        plan = wfplan.plan([_step(step) for step in json.loads(line)["steps"]])
        if critical_path(plan).seconds:
            yield plan


def _step(step: Dict[str, Any]) -> Step:
    took = step.get("duration") or 0.0
    return Step(name=step["id"], dependencies=step["dependencies"], estimated_seconds=took)


def walk(plan: ExecutionPlan) -> None:
    """The progress alone, without any driver."""
    progress = Progress(plan)
    while progress.is_active():
        for call in progress.get_ready(0.0):
            progress.done(call.step.name, now=0.0)
    progress.report()


def simulating(rounds: int) -> None:
    """100,000 steps, beside the progress that is driven."""
    print("\n| 100,000 steps | the `Progress` alone | `simulate` | ratio | eager, 16 at once | ratio |")
    print("|---|---|---|---|---|---|")
    for shape, plan in _plans(100_000):
        contenders: Contenders = {
            "progress": partial(walk, plan),
            "batch": partial(simulate, plan),
            "eager": partial(simulate, plan, schedule="eager", max_parallel=16),
        }
        seconds = race(contenders, rounds)
        alone = seconds["progress"]
        cells = [f"{milliseconds(seconds[way])} | {ratio(seconds[way], alone):.2f} x" for way in ("batch", "eager")]
        print(f"| {shape} | {milliseconds(alone)} | {' | '.join(cells)} |")


ANALYSES: Sequence[Callable[[ExecutionPlan], Any]] = (critical_path, slack, width_bounds, lint)


def analyzing(rounds: int) -> None:
    """What else there is, of 10,000 and of 100,000 steps."""
    print("\n| what | graph | 10,000 | 100,000 | growth |\n|---|---|---|---|---|")
    for (shape, small), (_, large) in zip(_plans(10_000), _plans(100_000)):
        for analyze in ANALYSES:
            seconds = race({"small": partial(analyze, small), "large": partial(analyze, large)}, rounds)
            grown = ratio(seconds["large"], seconds["small"])
            cells = f"{milliseconds(seconds['small'])} | {milliseconds(seconds['large'])} | {grown:.1f} x"
            print(f"| `{analyze.__name__}` | {shape} | {cells} |")


def _plans(size: int) -> Iterator[Tuple[str, ExecutionPlan]]:
    for shape, make in SHAPES.items():
        yield shape, wfplan.plan([Step(name=name, dependencies=needs) for name, needs in make(size)])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", nargs="*", default=["simulating", "analyzing"])
    parser.add_argument("--workflows", type=Path, help="workflows with durations, one JSON record a line")
    arguments = parser.parse_args()
    if arguments.workflows is not None:
        near_the_best(arguments.workflows)
    for measure in (simulating, analyzing):
        if measure.__name__ in arguments.only:
            measure(arguments.rounds)


if __name__ == "__main__":
    main()
