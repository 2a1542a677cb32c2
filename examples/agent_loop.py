"""A model answers with a chatty, broken, cyclic plan, gets feedback, and answers well; a person approves.

The catalog says what may be done at all, the policy what is denied, and so not offered, and what a person has to see
first. The plan runs up to there and is suspended; once it is approved, the same run goes on. What is changed after the
approval does not run. The "model" is a script of two answers, and so is the person; `Model.ask` and `approve` are where
yours would be asked.
"""

from __future__ import annotations

from typing import Callable, Dict, Iterator, List, Optional

from pydantic import BaseModel

import wfplan
from wfplan import Action, RefusedError, StepCall
from wfplan.policy import Approval, ApprovalRequest, Policy, review
from wfplan.prompting import Feedback, plan_with_feedback, prompt_instructions

ANSWERS = (
    """<think>The pods first? No, memory has to grow before.</think>
Of course! Here is a plan:

```json
{"plan": [
  {"step_id": 1, "tool": "increase_memory", "args": {"memory": "2Gi"}, "depends_on": [3]},
  {"step_id": 2, "tool": "restart_pods", "args": {"zone": "a"}, "depends_on": "1"},
  {"step_id": 3, "tool": "restart_pods", "args": {"zone": "b"}, "depends_on": [1, 1]},
  {"step_id": 4, "tool": "verify", "depends_on": [2, 3, 5]}
]}
```
Shall I go ahead?""",
    """{"plan": [
  {"step_id": 1, "tool": "increase_memory", "args": {"memory": "2Gi"}, "depends_on": []},
  {"step_id": 2, "tool": "restart_pods", "args": {"zone": "a"}, "depends_on": [1]},
  {"step_id": 3, "tool": "restart_pods", "args": {"zone": "b"}, "depends_on": [1]},
  {"step_id": 4, "tool": "verify", "depends_on": [2, 3]}
]}""",
)


class Memory(BaseModel, extra="forbid"):
    memory: str


class Zone(BaseModel, extra="forbid"):
    zone: str


CATALOG = {
    "increase_memory": Action(parameters=Memory, effect="write", locks=lambda parameters: ["prod/deployment/payment"]),
    "restart_pods": Action(parameters=Zone, effect="destructive", locks=lambda zone: [f"prod/zone/{zone.zone}"]),
    "verify": Action(effect="read"),
    "delete_namespace": Action(effect="destructive"),
}
POLICY = Policy(max_parallel=5, max_steps=20, deny_actions=["delete_namespace"])
OFFERED = POLICY.allowed(CATALOG)
"""The actions that the model is offered: none that the policy denies."""


class Model:
    """Answers from a script; a real one would be sent `self.messages`."""

    def __init__(self) -> None:
        self.messages: List[str] = [
            f"Payment pods run out of memory. What is to be done?\n\n{prompt_instructions(OFFERED)}"
        ]
        self._answers: Iterator[str] = iter(ANSWERS)

    def ask(self, feedback: Optional[Feedback]) -> str:
        if feedback is not None:
            self.messages.append(str(feedback))
        return next(self._answers)


def increase_memory(memory: str) -> str:
    return f"memory is {memory}"


def restart_pods(zone: str) -> str:
    return f"restarted zone {zone}"


def verify(call: StepCall) -> str:
    return f"fine after {len(call.outputs)} restarts"


FUNCTIONS: Dict[str, Callable[..., str]] = {
    "increase_memory": increase_memory,
    "restart_pods": restart_pods,
    "verify": verify,
}


def approve(request: ApprovalRequest) -> Approval:
    """A person looks at it, and says yes for an hour."""
    print("\n".join(f"  {line}" for line in str(request).splitlines()[1:]))
    return request.approve("jo@example.org", at=0.0, until=3600.0)


def main() -> None:
    model = Model()
    conversation = plan_with_feedback(model.ask, max_attempts=3, catalog=OFFERED)
    for attempt in conversation.attempts:
        print(f"answer {attempt.number}: {'can be planned' if attempt.reading.ok else 'is refused'}")
        for problem in attempt.reading.problems:
            if problem.severity != "warning":
                print(f"  {problem.severity} {problem.code}: {problem.message}")
        liberties = sorted({problem.code for problem in attempt.reading.problems if problem.severity == "warning"})
        print(f"  read in spite of {', '.join(liberties)}")

    print("\nfeedback to the model:")
    print("\n".join(f"  {line}" for line in model.messages[1].splitlines()[:4]))

    second = conversation.attempts[1]
    print("\nwhat it changed:")
    print("\n".join(f"  {line}" for line in str(second.changes).splitlines()))
    print(f"beyond the feedback: {second.unasked}")

    plan = conversation.raise_for_plan()
    print(f"\n{plan}\n")

    reviewed = review(plan, POLICY)
    released, held = reviewed.release(hold=True)
    report = wfplan.run(released, FUNCTIONS, hold=held)
    print(f"the policy says {reviewed.verdict}, so the plan runs up to there and is {report.phase}:")
    print("\n".join(f"  {name}: {status}" for name, status in report.statuses.items()))

    print("\nmeanwhile a person sees:")
    approval = approve(reviewed.request())

    workflow = plan.workflow.replace("restart_pods-2", parameters={"zone": "all"}, locks=())
    changed = wfplan.plan(workflow, catalog=CATALOG)
    try:
        review(changed, POLICY).release(approval, now=60.0)
    except RefusedError as error:
        print(f"\nanother plan with this approval: {error.problems[0].code}")

    released, held = reviewed.release(approval, now=60.0, hold=True)  # the same plan, and nothing is held any more
    report = wfplan.run(released, FUNCTIONS, resume=report, hold=held)
    print(f"\nthe same run goes on, and is {report.phase}: {report.outputs['verify']}")


if __name__ == "__main__":
    main()
