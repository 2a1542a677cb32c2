"""The view model of pictures, pages and tables: batches, steps, states."""

from __future__ import annotations

from typing import Dict, Iterator, List, Mapping, NamedTuple, Optional, Tuple, Union

from typing_extensions import TypeAlias

from wfplan._internal.messages import pluralize
from wfplan.batching import is_sequential
from wfplan.execution.report import ExecutionReport, StepReport
from wfplan.graph import DependencyGraph
from wfplan.models import Step
from wfplan.plans import ExecutionPlan
from wfplan.problems import InvalidWorkflowError, RefusedError, require_type
from wfplan.reading import Reading
from wfplan.recommendations import name_recommendations, recommendations_to_steps

__all__ = [
    "MARKS",
    "STATES",
    "Band",
    "Displayable",
    "Drawable",
    "Node",
    "Scene",
    "State",
    "headline",
    "marks_of",
    "planned",
    "scene_of",
]

Drawable: TypeAlias = Union[ExecutionPlan, ExecutionReport, Reading]


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
    noun: str = "batch"

    @property
    def plural(self) -> str:
        """Several of the same."""
        return "batches" if self.noun == "batch" else f"{self.noun}s"

    @property
    def label(self) -> str:
        """What it is called."""
        return f"{self.noun} {self.number:,}"

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


def scene_of(thing: Drawable) -> Scene:
    """Return the scene of a plan, of a report, or of a reading that can be planned."""
    require_type(thing, ExecutionPlan, ExecutionReport, Reading)
    if isinstance(thing, Reading):
        return _of_reading(thing)
    return _of_report(thing) if isinstance(thing, ExecutionReport) else _of_plan(thing)


def _of_reading(reading: Reading) -> Scene:
    """Return the levels of what was read, under the names that its steps get; nothing is planned for a picture."""
    steps: Tuple[Step, ...] = reading.workflow.steps if reading.workflow else ()
    if reading.recommendations:
        names = name_recommendations(reading.recommendations)
        steps = recommendations_to_steps(reading.recommendations, names)
    nodes = {step.name: Node(step.name, step.action, _needs(step), "", step, None) for step in steps}
    levels = DependencyGraph(list(nodes), [node.needs for node in nodes.values()]).levels()
    bands = tuple(Band(number, names, None, "level") for number, names in enumerate(levels, 1))
    title = f"{pluralize(len(steps), 'step')} in {pluralize(len(levels), 'level')}"
    return Scene(reading.workflow.name if reading.workflow else "", title, bands, nodes)


def _of_plan(plan: ExecutionPlan) -> Scene:
    steps = plan.workflow.steps
    title = f"{plan.strategy}: {pluralize(len(steps), 'step')} in {pluralize(len(plan.batches), 'batch', 'es')}"
    nodes = {step.name: Node(step.name, step.action, _needs(step), "", step, None) for step in steps}
    return Scene(plan.workflow.name, title, _bands_of_plan(plan), nodes)


def _of_report(report: ExecutionReport) -> Scene:
    message = {**report.steps, **report.dry_run} if report.only_dry_run else report.steps
    steps: Mapping[str, Step] = report.plan.steps if report.plan else {}
    nodes = {name: _node(report, message[name], steps.get(name)) for name in report.steps}
    bands = _bands_of_plan(report.plan) if report.plan else _bands_of_steps(nodes)
    return Scene(report.plan.workflow.name if report.plan else "", _title(report, nodes), bands, nodes)


def _node(report: ExecutionReport, step_report: StepReport, step: Step | None) -> Node:
    action = (step.action if step else step_report.action) or step_report.name
    return Node(step_report.name, action, _needs(step) if step else (), _state(report, step_report), step, step_report)


def _state(report: ExecutionReport, step_report: StepReport) -> str:
    """Return what a step came to in the end: what was undone is not a success any more."""
    undoing = report.rollback.get(step_report.name)
    if undoing is None or undoing.status in ("pending", "skipped"):
        return step_report.status
    return {"succeeded": "undone", "running": "running"}.get(undoing.status, "undo_failed")


def _title(report: ExecutionReport, nodes: Mapping[str, Node]) -> str:
    counts: Dict[str, int] = {}
    for node in nodes.values():
        counts[node.state] = counts.get(node.state, 0) + 1
    statuses = ", ".join(f"{number:,} {state.replace('_', ' ')}" for state, number in counts.items())
    kind = "dry run " if report.only_dry_run else ""
    return f"{kind}{report.phase.replace('_', ' ')}: {statuses or 'no steps'}"


def _bands_of_plan(plan: ExecutionPlan) -> tuple[Band, ...]:
    return tuple(Band(batch.number, batch.steps, batch.parallel) for batch in plan.batches)


def _bands_of_steps(nodes: Mapping[str, Node]) -> tuple[Band, ...]:
    """Return the batches that the reports of the steps name; a step of none stands in the first."""
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


class State(NamedTuple):
    """How a state looks."""

    sign: str
    """One character."""
    drawing: str
    """The same as an SVG path in a square of 12 by 12, so that no font has to know it."""
    fill: str
    line: str
    dark_fill: str
    dark_line: str


STATES: Mapping[str, State] = {
    "pending": State("\u25cb", "M6 2A4 4 0 1 0 6 10A4 4 0 1 0 6 2", "#f4f5f7", "#6b7280", "#262b33", "#9ca3af"),
    "running": State("\u25b6", "M3 2L10 6L3 10Z", "#e3effd", "#1d5fb8", "#152d4d", "#7db5f5"),
    "succeeded": State("\u2713", "M1.5 6.5L4.5 9.5L10.5 2.5", "#e4f4e8", "#1b7a36", "#14351f", "#6fcf8b"),
    "failed": State("\u2717", "M2.5 2.5L9.5 9.5M9.5 2.5L2.5 9.5", "#fde7e7", "#b91c1c", "#471a1c", "#f58a8a"),
    "timed_out": State(
        "\u231b", "M3 1.5H9L3 10.5H9L3 1.5M9 1.5L6 6M6 6L9 10.5", "#fdebd8", "#a84a00", "#45280d", "#f2a65e"
    ),
    "cancelled": State(
        "\u2298", "M6 1.5A4.5 4.5 0 1 0 6 10.5A4.5 4.5 0 1 0 6 1.5M3 9L9 3", "#f3e8fb", "#7a2ea8", "#351a45", "#cf9bf0"
    ),
    "skipped": State("\u00bb", "M2 2.5L5.5 6L2 9.5M6.5 2.5L10 6L6.5 9.5", "#fbf6d9", "#7a6200", "#3a3210", "#dcc552"),
    "undone": State(
        "\u21b6", "M4.5 2L2 4.5L4.5 7M2 4.5H7A2.8 2.8 0 1 1 7 10.2H4.5", "#e0f4f3", "#0f6e6a", "#123634", "#67cfc8"
    ),
    "undo_failed": State("!", "M6 1.5V7M6 9.3V10.3", "#fde4f1", "#ad1466", "#451532", "#f48ac0"),
}
"""Every state: the statuses of a step, and what a rollback makes of one that had succeeded."""


MARKS: Mapping[str, tuple[str, str]] = {
    "alone": ("M6 1.5A4.5 4.5 0 1 0 6 10.5A4.5 4.5 0 1 0 6 1.5M5 4.5L6.3 3.7V8.3", "overlaps with no other step"),
    "locked": ("M2.5 5.5H9.5V10.5H2.5ZM4 5.5V3.8A2 2 0 0 1 8 3.8V5.5", "holds locks"),
    "destructive": ("M6 1.5L11 10.5H1ZM6 5V7.2M6 8.9V9", "destructive"),
}
"""Each mark as an SVG path in a square of 12 by 12, and in words."""


def marks_of(node: Node) -> Iterator[str]:
    """Yield the marks of a step."""
    if node.hinted:
        yield "alone"
    if node.step is not None and node.step.locks:
        yield "locked"
    if node.step is not None and node.step.effect == "destructive":
        yield "destructive"


Displayable: TypeAlias = Union[ExecutionPlan, ExecutionReport, Reading, InvalidWorkflowError, RefusedError]
DISPLAYABLE = (ExecutionPlan, ExecutionReport, Reading, InvalidWorkflowError, RefusedError)


def planned(shown: Displayable) -> Drawable | None:
    """Return what there is a picture of; None if there is none."""
    if isinstance(shown, (ExecutionPlan, ExecutionReport)):
        return shown
    return shown if isinstance(shown, Reading) and shown.ok else None


def headline(shown: Displayable) -> str:
    """Return all of it in one line."""
    if isinstance(shown, (ExecutionPlan, ExecutionReport)):
        scene = scene_of(shown)
        return f"{scene.name}: {scene.title}" if scene.name else scene.title
    count = pluralize(len(shown.problems), "problem")
    if isinstance(shown, Reading):
        read = pluralize(len(shown.items), shown.item_kind.noun)
        return f"{read}, {count}" + ("" if shown.ok else ": this cannot be planned")
    return f"this cannot be planned: {count}" if isinstance(shown, InvalidWorkflowError) else f"refused: {count}"
