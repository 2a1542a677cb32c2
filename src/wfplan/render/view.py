"""What a picture shows: batches and their steps, whether a plan tells of them or a report."""

from __future__ import annotations

from typing import Dict, List, Mapping, NamedTuple, Optional, Tuple, Union

from typing_extensions import TypeAlias

from wfplan._internal.names import counted
from wfplan.execution.report import ExecutionReport, StepReport
from wfplan.models import Step
from wfplan.parallelism import is_sequential
from wfplan.plans import ExecutionPlan

__all__ = ["Band", "Node", "Scene", "Thing", "scene_of"]

Thing: TypeAlias = Union[ExecutionPlan, ExecutionReport]


class Node(NamedTuple):
    """A step as it is drawn."""

    name: str
    action: str
    needs: Tuple[str, ...]
    """Each dependency once."""
    state: str
    """One of `states.STATES`; empty in the picture of a plan."""
    step: Optional[Step]
    """None where a report does not know its plan."""
    report: Optional[StepReport]

    @property
    def hinted(self) -> bool:
        """Whether it overlaps with no other step."""
        return self.step is not None and is_sequential(self.step.metadata)

    @property
    def subtitle(self) -> str:
        """What to say of it besides its name; empty if that says all."""
        if self.state:
            return self.state.replace("_", " ") + _took(self.report)
        if self.action != self.name:
            return self.action
        own_id = self.step.recommendation_id if self.step else None
        return own_id if own_id and own_id != self.name else ""


class Band(NamedTuple):
    """A batch as it is drawn."""

    number: int
    steps: Tuple[str, ...]
    parallel: Optional[bool]
    """None where it is not known."""

    @property
    def mode(self) -> str:
        """How its steps run, in words; empty where there is nothing to say."""
        if self.parallel is None or (len(self.steps) == 1 and not self.parallel):
            return ""
        return "parallel" if self.parallel else "one by one"


class Scene(NamedTuple):
    """All that a picture shows."""

    name: str
    """That of the workflow; often empty."""
    title: str
    bands: Tuple[Band, ...]
    nodes: Mapping[str, Node]
    """By name, in declared order."""

    @property
    def edges(self) -> int:
        """How many dependencies there are."""
        return sum(len(node.needs) for node in self.nodes.values())


def scene_of(thing: Thing) -> Scene:
    """The scene of a plan or of a report."""
    return _of_report(thing) if isinstance(thing, ExecutionReport) else _of_plan(thing)


def _of_plan(plan: ExecutionPlan) -> Scene:
    steps = plan.workflow.steps
    title = f"{plan.strategy}: {counted(len(steps), 'step')} in {counted(len(plan.batches), 'batch', 'es')}"
    nodes = {step.name: Node(step.name, step.action, _needs(step), "", step, None) for step in steps}
    return Scene(plan.workflow.name, title, _bands_of_plan(plan), nodes)


def _of_report(report: ExecutionReport) -> Scene:
    told = {**report.steps, **report.dry_run} if report.only_dry_run else report.steps
    steps: Mapping[str, Step] = report.plan.steps if report.plan else {}
    nodes = {name: _node(report, told[name], steps.get(name)) for name in report.steps}
    bands = _bands_of_plan(report.plan) if report.plan else _bands_of_steps(nodes)
    return Scene(report.plan.workflow.name if report.plan else "", _title(report, nodes), bands, nodes)


def _node(report: ExecutionReport, told: StepReport, step: Step | None) -> Node:
    action = (step.action if step else told.action) or told.name
    return Node(told.name, action, _needs(step) if step else (), _state(report, told), step, told)


def _state(report: ExecutionReport, told: StepReport) -> str:
    """What a step came to in the end: what was undone is not a success any more."""
    undoing = report.rollback.get(told.name)
    if undoing is None or undoing.status in ("pending", "skipped"):
        return told.status
    return {"succeeded": "undone", "running": "running"}.get(undoing.status, "undo_failed")


def _title(report: ExecutionReport, nodes: Mapping[str, Node]) -> str:
    counts: Dict[str, int] = {}
    for node in nodes.values():
        counts[node.state] = counts.get(node.state, 0) + 1
    told = ", ".join(f"{number:,} {state.replace('_', ' ')}" for state, number in counts.items())
    kind = "dry run " if report.only_dry_run else ""
    return f"{kind}{report.phase.replace('_', ' ')}: {told or 'no steps'}"


def _bands_of_plan(plan: ExecutionPlan) -> tuple[Band, ...]:
    return tuple(Band(batch.number, batch.steps, batch.parallel) for batch in plan.batches)


def _bands_of_steps(nodes: Mapping[str, Node]) -> tuple[Band, ...]:
    """The batches that the reports of the steps name; a step of none stands in the first."""
    names: Dict[int, List[str]] = {}
    for node in nodes.values():
        names.setdefault((node.report and node.report.batch) or 1, []).append(node.name)
    return tuple(Band(number, tuple(names[number]), None) for number in sorted(names))


def _needs(step: Step) -> tuple[str, ...]:
    return step.dependencies if len(step.dependencies) < 2 else tuple(dict.fromkeys(step.dependencies))


def _took(report: StepReport | None) -> str:
    if report is None or report.seconds is None:
        return ""
    return f", {report.seconds:,.0f} s" if report.seconds >= 100 else f", {round(report.seconds, 3):g} s"
