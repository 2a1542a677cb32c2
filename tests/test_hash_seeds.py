"""P2: the same input gives byte-identical results, whatever the hash seed."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

_SCRIPT = r"""
import sys
from wfplan import ExecutionStrategy, InvalidWorkflowError, Recommendation, Step, check, plan, read
from wfplan.graph import DependencyGraph

names = [f"step-{number}" for number in range(60)]
steps = [
    Step(
        name=name,
        action=f"act {number % 7}",
        dependencies=[names[other] for other in {number // 2, number // 3, number // 5} if other < number],
        metadata={"execution_mode": "sequential"} if number % 11 == 10 else {"b": number, "a": [number]},
        parameters={"z": number, "a": {"y": None, "b": 1.5}},
        locks=[f"lock-{number % 3}", "lock-9"][: number % 4],
    )
    for number, name in enumerate(names)
][::-1]
recommendations = [
    Recommendation(id=f"rec-{number}", action=f"act {number % 4}", dependencies=[f"rec-{number // 2}"][: number])
    for number in range(20)
]
broken = [
    Step(name="deploy", dependencies=["build", "biuld", "test", "tset", "test"], metadata={"execution_mode": "Odd"}),
    Step(name="build", dependencies=["fetch", "lint", "nothing like it"]),
    Step(name="fetch", dependencies=["build", "verify"]),
    Step(name="test", dependencies=["test", "verify"]),
    Step(name="verify", dependencies=["announce", "notify"]),
    Step(name="announce", dependencies=["verify", "notify"]),
    Step(name="notify", dependencies=["verify", "announce", "deploy"]),
    Step(name="lint", dependencies=["deploy"]),
    Step(name="build", dependencies=["tests", "verfy"]),
    Step(name="test"),
]

for settings in (None, ExecutionStrategy(isolate_sequential=True, max_batch_size=3)):
    planned = plan(steps, execution_strategy=settings)
    print(planned.model_dump_json())
    print(planned.fingerprint)
    print(planned)
print(plan(recommendations).model_dump_json())
for source in (broken, {step.name: step.dependencies for step in broken}):
    for problem in check(source):
        print(problem.model_dump_json())
try:
    plan(broken)
except InvalidWorkflowError as error:
    print(error)
document = {
    "steps": [{**step.model_dump(mode="json"), "dependancies": ["build"], "labels": {"x": 1}} for step in broken],
    "edges": [["deploy", "build"]],
    "executionStrategy": {"mode": "serial", "maxParallel": 0, "speed": 1},
}
for problem in read(document).problems:
    print(problem.model_dump_json())
graph = DependencyGraph.from_mapping({step.name: step.dependencies for step in broken})
print(list(graph), graph.cycles(), graph.ancestors("build"), graph.descendants("verify"))
sys.stdout.flush()
"""


def _output(seed: str) -> bytes:
    environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONIOENCODING": "utf-8"}
    done = subprocess.run([sys.executable, "-c", _SCRIPT], env=environment, stdout=subprocess.PIPE, check=True)
    return done.stdout


@pytest.fixture(scope="module")
def first_output() -> bytes:
    return _output("0")


def test_output_is_of_plans_and_problems(first_output: bytes) -> None:
    """What is compared is what it is meant to be: plans, fingerprints, problems of every kind."""
    text = first_output.decode()
    assert text.count('"batches"') == 3
    for code in (
        "unknown-dependency",
        "self-dependency",
        "dependency-cycle",
        "duplicate-step",
        "duplicate-dependency",
        "unknown-execution-mode",
        "unknown-field",
        "invalid-field",
    ):
        assert f'"{code}"' in text


@pytest.mark.parametrize("seed", ["1", "2", "42", "4294967295", "random"])
def test_bytes_are_the_same_under_every_hash_seed(first_output: bytes, seed: str) -> None:
    """Plans, fingerprints, tables, problems and cycles, printed by a new process each."""
    assert _output(seed) == first_output
