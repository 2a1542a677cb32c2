"""How fast planning is, beside others, in one run on the same objects: prints the page docs/benchmarks.md.

`python benchmarks/planning.py` takes some minutes; `--quick` shows that everything runs, its figures say little.
"""

from __future__ import annotations

import argparse
import json
import platform
import subprocess
import sys
import time
from functools import partial
from importlib.metadata import version
from typing import Any, Callable, Dict, Iterator, List, Tuple

import graphs
import peers
from timing import milliseconds, race, ratio

import wfplan
from wfplan import Recommendation, Step, Workflow
from wfplan._internal.model import Model, TupleOf

SIZE = 100_000


class Recommendations(Model):
    """The document of a model, for pydantic alone to read."""

    recommendations: TupleOf[Recommendation]


def steps_of(graph: graphs.Graph) -> List[Step]:
    """Steps as a program makes them."""
    return [Step(name=name, action="scale_deployment", dependencies=needs) for name, needs in graph]


def documents(graph: graphs.Graph) -> Tuple[str, str]:
    """The JSON text of a workflow and of recommendations, with some parameters each."""
    parameters = {"deployment": "payment-api", "namespace": "production", "image": "payment-api:1.4.2", "replicas": 5}
    rest = [{"action": "scale", "parameters": parameters, "dependencies": needs} for _, needs in graph]
    steps = [{"name": name, **fields} for (name, _), fields in zip(graph, rest)]
    recommendations = [{"id": name, **fields} for (name, _), fields in zip(graph, rest)]
    return json.dumps({"steps": steps}), json.dumps({"recommendations": recommendations})


def against_peers(size: int, rounds: int) -> Iterator[str]:
    """A row for each shape, in order and shuffled."""
    yield f"## `plan(steps)`, {size:,} steps, beside the layering alone"
    yield ""
    yield "How many times as long as `plan` each one takes, and the time of `plan`. `random` and `layered` have three"
    yield "dependencies a step. Only `plan` checks anything, and gives batches of names, in declared order."
    yield ""
    yield "| graph | declared | `plan` | rustworkx | graphlib | networkx |"
    yield "|---|---|---|---|---|---|"
    for shape, make in graphs.SHAPES.items():
        for order in ("in order", "shuffled"):
            graph = make(size)
            steps = steps_of(graphs.shuffled(graph) if order == "shuffled" else graph)
            seconds = race(
                {
                    "plan": partial(wfplan.plan, steps),
                    "rustworkx": partial(peers.layer_with_rustworkx, steps),
                    "graphlib": partial(peers.layer_with_graphlib, steps),
                    "networkx": partial(peers.layer_with_networkx, steps),
                },
                rounds,
            )
            own = seconds.pop("plan")
            others = " | ".join(f"{ratio(its, own):.2f} x" for its in seconds.values())
            yield f"| {shape} | {order} | {milliseconds(own)} | {others} |"


def read_and_plan(text: str) -> wfplan.ExecutionPlan:
    """Text to plan."""
    return wfplan.plan(wfplan.read(text))


def from_json(size: int, rounds: int) -> Iterator[str]:
    """Text to plan, beside pydantic alone."""
    workflow, recommendations = documents(graphs.random_graph(size))
    model: type[Model]
    yield f"## JSON text to plan, {size:,} steps"
    yield ""
    yield "`plan(read(text))`, with every check, beside pydantic's `model_validate_json` of the same models."
    yield ""
    yield "| text | size | `plan(read(text))` | pydantic | ratio |"
    yield "|---|---|---|---|---|"
    for label, text, model in (
        ("a workflow", workflow, Workflow),
        ("recommendations", recommendations, Recommendations),
    ):
        seconds = race(
            {
                "plan": partial(read_and_plan, text),
                "pydantic": partial(model.model_validate_json, text),
            },
            rounds,
        )
        times = f"{milliseconds(seconds['plan'])} | {milliseconds(seconds['pydantic'])}"
        yield f"| {label} | {len(text) / 1e6:.0f} MB | {times} | {ratio(seconds['plan'], seconds['pydantic']):.2f} x |"


WORST_CASES: Dict[str, Callable[[int], List[Step]]] = {
    "one step needs all, listed before it": lambda size: steps_of(
        [*((graphs.name(n), []) for n in range(size)), ("last", [graphs.name(n) for n in range(size)])]
    ),
    "one step needs all, listed after it": lambda size: steps_of(
        [("last", [graphs.name(n) for n in range(size)]), *((graphs.name(n), []) for n in range(size))]
    ),
    "all need one": lambda size: steps_of([("hub", []), *((graphs.name(n), ["hub"]) for n in range(size))]),
    "one dependency, repeated": lambda size: steps_of([("a", []), ("b", ["a"] * size)]),
    "a ring (refused)": lambda size: steps_of([(graphs.name(n), [graphs.name((n + 1) % size)]) for n in range(size)]),
    "unknown names (refused)": lambda size: steps_of([(graphs.name(n), [f"no-{n}"]) for n in range(size)]),
    "holders of one lock": lambda size: [Step(name=graphs.name(n), locks=["node-1"]) for n in range(size)],
}


def check_and_plan(steps: List[Step]) -> Any:
    """A plan, or the error with its problems."""
    try:
        return wfplan.plan(steps)
    except wfplan.InvalidWorkflowError as error:
        return error


def worst_cases(size: int, rounds: int) -> Iterator[str]:
    """Linear: four times the size, about four times the time."""
    yield "## Worst cases"
    yield ""
    yield f"| input | {size:,} | {4 * size:,} | growth |"
    yield "|---|---|---|---|"
    for label, make in WORST_CASES.items():
        small, large = make(size), make(4 * size)
        seconds = race(
            {
                "small": partial(check_and_plan, small),
                "large": partial(check_and_plan, large),
            },
            rounds,
        )
        growth = ratio(seconds["large"], seconds["small"])
        yield f"| {label} | {milliseconds(seconds['small'])} | {milliseconds(seconds['large'])} | {growth:.1f} x |"


GROWTH = """
import gc, re, sys, time
sys.path.insert(0, {folder!r})
import graphs, wfplan
from wfplan.graph import DependencyGraph
def peak():  # of this process alone: getrusage counts what its parent had
    return int(re.search(r"VmHWM:\\s*(\\d+)", open("/proc/self/status").read()).group(1)) // 1024
graph = graphs.random_graph({size})
if {what!r} == "plan":
    made = [wfplan.Step(name=name, dependencies=needs) for name, needs in graph]
    run = lambda: wfplan.plan(made)
else:
    made = dict(graph)
    run = lambda: DependencyGraph.from_mapping(made).levels()
wfplan.plan({{"warm": []}})
gc.collect()
before = peak()
start = time.perf_counter()
result = run()
print(time.perf_counter() - start, before, peak())
"""


def growth(size: int, rounds: int) -> Iterator[str]:
    """Time and memory from one size to ten times that, in processes of their own."""
    yield f"## Growth, {size:,} to {10 * size:,}"
    yield ""
    yield "Random graphs in order, three dependencies each; a process for each measurement. Memory is the peak of the"
    yield "process, before (with the input made) and after."
    yield ""
    yield f"| what | {size:,} | memory | {10 * size:,} | memory | time | memory |"
    yield "|---|---|---|---|---|---|---|"
    for what, label in (("plan", "`plan(steps)`"), ("graph", "`DependencyGraph.from_mapping(names).levels()`")):
        figures = []
        for times in (1, 10):
            code = GROWTH.format(folder=sys.path[0], size=size * times, what=what)
            runs = [
                tuple(map(float, subprocess.check_output([sys.executable, "-c", code], text=True).split()))
                for _ in range(rounds)
            ]
            figures.append(sorted(runs)[rounds // 2])
        (short, before, after), (long, before_long, after_long) = figures
        yield (
            f"| {label} | {short * 1000:,.0f} ms | {before:,.0f} to {after:,.0f} MB | {long * 1000:,.0f} ms | "
            f"{before_long:,.0f} to {after_long:,.0f} MB | {long / short:.1f} x | {after_long / after:.1f} x |"
        )


IMPORTS = {
    "wfplan": "import wfplan; wfplan.plan({'a': []})",
    "pydantic": """
from typing import Any, Dict, Optional, Tuple
import pydantic
class Model(pydantic.BaseModel):
    a: str
    b: Optional[str] = None
    c: int = 0
    d: Tuple[str, ...] = ()
    e: Dict[str, Any] = {}
    f: float = 0.0
    g: bool = False
    h: Optional[float] = None
Model(a="x")
""",
}


def first_plan(rounds: int) -> Iterator[str]:
    """A new process up to its first plan, beside one up to its first model."""
    seconds = race(
        {label: partial(subprocess.check_call, [sys.executable, "-c", code]) for label, code in IMPORTS.items()},
        rounds,
    )
    yield "## From a new process to the first plan"
    yield ""
    yield "| `import wfplan` and `plan({'a': []})` | `import pydantic` and a model of eight fields | ratio |"
    yield "|---|---|---|"
    times = f"{milliseconds(seconds['wfplan'])} | {milliseconds(seconds['pydantic'])}"
    yield f"| {times} | {ratio(seconds['wfplan'], seconds['pydantic']):.2f} x |"


def main() -> None:
    """Print the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small graphs, few rounds")
    quick = parser.parse_args().quick
    size, rounds = (2000, 1) if quick else (SIZE, 5)
    libraries = ", ".join(f"{library} {version(library)}" for library in ("pydantic", "rustworkx", "networkx"))
    print("# Benchmarks\n")
    print(f"Made by `make bench` with wfplan {wfplan.__version__} on Python {platform.python_version()}, {libraries},")
    print(f"{platform.system()} on {platform.machine()}, {time.strftime('%Y-%m-%d')}. Contenders take turns, in one")
    print(f"process, {rounds} rounds; times are medians, ratios the medians of the ratios round by round. Times depend")
    print("on the machine; ratios are what counts.")
    sections: List[Iterator[str]] = [
        against_peers(size, rounds),
        from_json(size, rounds),
        growth(size, 1 if quick else 3),
        worst_cases(size // 5, min(rounds, 3)),
        first_plan(rounds),
    ]
    for section in sections:
        print()
        for line in section:
            print(line, flush=True)


if __name__ == "__main__":
    main()
