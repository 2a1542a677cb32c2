"""Plans to draw: hostile ones, large ones, and runs in which everything happened."""

from __future__ import annotations

import random
from typing import Any, List

import wfplan
from wfplan import Compensation, ExecutionPlan, ExecutionReport, ExecutionStrategy, Step, Workflow

HOSTILE_NAMES = [
    "</svg><script>parent.hacked=1</script>",
    "</title><script>parent.hacked=1</script>",
    "</style><script>parent.hacked=1</script>",
    "<img src=x onerror=parent.hacked=1>",
    '"><script>parent.hacked=1</script>',
    "' onload='parent.hacked=1",
    "]]><script>parent.hacked=1</script>",
    "`**bold**`",
    "`code`",
    'click s1 href "javascript:parent.hacked=1"',
    "%%{init: {'securityLevel': 'loose'}}%%",
    "%% comment",
    "]]>",
    "-->",
    "--> s1",
    "end",
    "subgraph",
    "graph TD",
    "flowchart",
    "section",
    ":::failed",
    "a :crit, 1, 2",
    "a;b#quot;c",
    "#35;",
    "&amp;&#60;script&#62;",
    "\\n\\",
    '\\"]; evil [label="',
    "{{x}}|/\\|",
    "$$\\frac{1}{2}$$",
    "fa:fa-ban",
    "1. list",
    "- item",
    "# heading",
    "_em_ __strong__",
    "*em* **strong**",
    "[link](javascript:parent.hacked=1)",
    "https://example.invalid/",
    "http://[::1]/%00",
    "\U0001f680 launch \U0001f469",
    "\u05e9\u05dc\u05d5\u05dd \u05e2\u05d5\u05dc\u05dd",
    "\u0645\u0631\u062d\u0628\u0627",
    "\ufdfd\ufdfd\ufdfd\ufdfd",
    "\u691c\u8a3c\u3059\u308b\u624b\u9806\u691c\u8a3c\u3059\u308b\u624b\u9806",
    "W" * 128,
    "a\u0336b\u0336c\u0336d\u0336",
]

HOSTILE_TEXT = (
    "line one\nline two\r\t\x00\x07\x1b[31m\x7f\x85\u2028\u202eevil\u2066\ufeff\ufffe </script><script>parent.hacked=1"
    "</script><svg onload=parent.hacked=1> %%{init}%% ]]> \" ' ` ; # & { } | \\ end\nsubgraph x\n"
)


def hostile_plan() -> ExecutionPlan:
    """Every hostile name as a step, with hostile text in all other fields."""
    steps: List[Step] = []
    for place, name in enumerate(HOSTILE_NAMES):
        steps.append(
            Step(
                name=name,
                action=(HOSTILE_TEXT * 5)[:1024],
                description=HOSTILE_TEXT,
                parameters={HOSTILE_TEXT: HOSTILE_TEXT, **{str(n): [n] for n in range(30)}},
                dependencies=HOSTILE_NAMES[max(0, place - 7) : place - 4] if place > 4 else [],
                locks=[HOSTILE_TEXT[:100]] if place % 9 == 0 else [],
                metadata={"execution_mode": HOSTILE_TEXT} if place == 20 else {},
                effect="destructive",
                rollback=Compensation(action=HOSTILE_TEXT),
            )
        )
    return wfplan.plan(Workflow(name=HOSTILE_TEXT, steps=steps))


def hostile_report() -> ExecutionReport:
    """The same, run; every third step fails with a hostile message."""

    def act(call: Any) -> None:
        if HOSTILE_NAMES.index(call.step.name) % 3 == 2:
            raise ValueError(HOSTILE_TEXT + "\ud800")

    class Executor:
        def execute(self, call: Any) -> None:
            act(call)

    return wfplan.run(hostile_plan(), Executor(), on_failure="skip-dependents", run_id=HOSTILE_TEXT.replace("\n", " "))


def random_plan(steps: int, width: int = 8, needs: int = 2, seed: int = 1) -> ExecutionPlan:
    """Steps that need some of those that were declared shortly before them."""
    chance = random.Random(seed)
    made: List[Step] = []
    for place in range(steps):
        before = made[max(0, place - 3 * width) : max(0, place - width // 2)]
        needed = chance.sample(before, min(needs if chance.random() < 0.7 else 1, len(before)))
        verb, noun = chance.choice("scale restart verify drain".split()), chance.choice("node pod cache".split())
        made.append(Step(name=f"{verb}-{noun}-{place}", dependencies=[step.name for step in needed]))
    return wfplan.plan(Workflow(steps=made))


def eventful_plan() -> ExecutionPlan:
    """One of each: a hint, a lock, an effect, settings, and steps to succeed, fail, be skipped and be undone."""
    return wfplan.plan(
        Workflow(
            name="Payment API",
            execution_strategy=ExecutionStrategy(rollback_on_failure=True),
            steps=[
                Step(name="pause", rollback=Compensation(action="resume"), idempotent=True, confidence=0.5),
                Step(name="scale", dependencies=["pause"], action="scale_deployment", parameters={"replicas": 5}),
                Step(name="drain", dependencies=["pause"], effect="destructive", locks=["node-1", "node-2"]),
                Step(name="migrate", dependencies=["scale"], metadata={"execution_mode": "sequential"}),
                Step(name="verify", dependencies=["drain"], timeout_seconds=90, estimated_seconds=30),
            ],
        )
    )


def eventful_report(**keywords: Any) -> ExecutionReport:
    """A run of it in which draining failed, so that the pause was undone."""

    def fail() -> None:
        raise ValueError("the node <b>does not</b> answer")

    functions = {
        "pause": lambda: None,
        "resume": lambda: None,
        "scale_deployment": lambda replicas: replicas,
        "drain": fail,
        "migrate": lambda: None,
        "verify": lambda: None,
    }
    return wfplan.run(eventful_plan(), functions, **keywords)
