"""A model answers with a chatty, broken, cyclic plan, is told what is wrong, answers well, and the plan runs.

The "model" is a script of two answers, so that nothing is sent anywhere; `ask` is where yours would be called.
"""

from __future__ import annotations

from typing import Iterator, List, Optional

import wfplan
from wfplan import StepCall
from wfplan.intake import Feedback, plan_with_feedback, prompt_instructions

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


class Model:
    """Answers from a script; a real one would be sent `self.messages`."""

    def __init__(self) -> None:
        self.messages: List[str] = [f"Payment pods run out of memory. What is to be done?\n\n{prompt_instructions()}"]
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


def main() -> None:
    model = Model()
    conversation = plan_with_feedback(model.ask, max_attempts=3)
    for attempt in conversation.attempts:
        print(f"answer {attempt.number}: {'can be planned' if attempt.reading.ok else 'is refused'}")
        for problem in attempt.reading.problems:
            if problem.severity != "warning":
                print(f"  {problem.severity} {problem.code}: {problem.message}")
        liberties = sorted({problem.code for problem in attempt.reading.problems if problem.severity == "warning"})
        print(f"  read in spite of {', '.join(liberties)}")

    print("\nwhat the model was told:")
    print("\n".join(f"  {line}" for line in model.messages[1].splitlines()[:4]))

    second = conversation.attempts[1]
    print("\nwhat it changed:")
    print("\n".join(f"  {line}" for line in str(second.changes).splitlines()))
    print(f"beyond what it was told: {second.unasked}")

    plan = conversation.raise_for_plan()
    print(f"\n{plan}\n")
    report = wfplan.run(plan, {"increase_memory": increase_memory, "restart_pods": restart_pods, "verify": verify})
    print(report.phase, report.outputs["verify"], sep=": ")


if __name__ == "__main__":
    main()
