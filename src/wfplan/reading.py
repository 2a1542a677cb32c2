"""Reading: what a document means, and every problem with it."""

from __future__ import annotations

from typing import Any, Container, Dict, Iterable, List, Optional, Sequence, Union

from pydantic import model_validator

from wfplan._internal import display
from wfplan._internal.messages import quote
from wfplan._internal.model import EMPTY, NOT_GIVEN, Model, OptionalTupleOf, TupleOf, construct_unchecked
from wfplan.catalog.actions import ResolvedAction, request_digest
from wfplan.catalog.lookup import CATALOG_ERRORS
from wfplan.errors import UnknownNameError
from wfplan.models import ExecutionStrategy, Recommendation, Step, Workflow
from wfplan.problems import Problem, ProblemCollector
from wfplan.relations import (
    RECOMMENDATIONS,
    RELATION_CODES,
    STEPS,
    ItemKind,
    Levels,
    check_relations,
    note_missing_dependencies,
)

__all__ = ["CATALOG_CODES", "Reading", "make_reading", "report_unresolved"]

CATALOG_CODES = CATALOG_ERRORS | {"overruled-field"}
"""The codes of what a catalog had to say of an item."""


class Reading(Model):
    """What `wfplan.read` understood: recommendations or, where the document holds named steps, a workflow.

    What could not be understood is in neither, but named in `problems`; such a reading is not `ok`.
    """

    recommendations: TupleOf[Recommendation] = EMPTY
    workflow: Optional[Workflow] = None
    problems: TupleOf[Problem] = EMPTY
    """All that was found, errors first."""
    execution_strategy: Optional[ExecutionStrategy] = None
    """What the document says of how to execute recommendations; `plan` uses it unless it is given another one."""
    resolved_actions: OptionalTupleOf[ResolvedAction] = NOT_GIVEN
    """What the catalog said, if the document was read with one: `plan` uses it, without being handed the catalog again.

    It holds for items whose action and parameters are still those that were looked up.
    """

    @model_validator(mode="after")
    def _one_of_both(self) -> Reading:
        if self.workflow is not None and self.recommendations:
            raise ValueError("a reading holds recommendations or a workflow, not both")
        return self

    @property
    def ok(self) -> bool:
        """Whether it can be planned: true if and only if `plan(reading)` does not raise."""
        if any(problem.severity == "error" for problem in self.problems):
            return False
        if self.known is not None:
            return True
        found = ProblemCollector()
        report_unresolved(self.items, self.item_kind, self.resolved_actions, found)
        return check_relations(self.items, self.item_kind, found) is not None and not found.has_errors

    @property
    def items(self) -> Sequence[Union[Recommendation, Step]]:
        """The recommendations, or the steps of the workflow."""
        return self.recommendations if self.workflow is None else self.workflow.steps

    @property
    def item_kind(self) -> ItemKind:
        """How problems speak of the items."""
        return RECOMMENDATIONS if self.workflow is None else STEPS

    @property
    def known(self) -> Levels | None:
        """What a search for problems between the items gave, if there was one and it found no error."""
        items, resolved, known = vars(self).get("_known", (None, None, None))
        return known if items is self.items and resolved is self.resolved_actions else None

    def replace(self, id_: str, /, **changes: Any) -> Reading:
        """Return a new reading in which these fields of one item are changed.

        Problems between the items are looked for anew; those of the document stay. If the action or its parameters
        change, a reading made with a catalog cannot be planned until the catalog is passed again.

        Args:
            id_: The id of a recommendation, or the name of a step; the first of several.
            **changes: New values by the names of fields.

        Raises:
            UnknownNameError: There is no such item.
            pydantic.ValidationError: A change does not fit.
        """
        key, items = self.item_kind.key, list(self.items)
        place = next((place for place, item in enumerate(items) if vars(item)[key] == id_), None)
        if place is None:
            raise UnknownNameError.of(self.item_kind.noun, [id_], (vars(item)[key] for item in items))
        items[place] = self.item_kind.kind.model_validate({**vars(items[place]), **changes})
        return self.with_items(items)

    def with_items(self, items: Sequence[Union[Recommendation, Step]], found: Iterable[Problem] = ()) -> Reading:
        """Return a new reading of other items.

        Problems between the items are looked for anew; those of the document stay. What a catalog said about an item's
        action and parameters is left out where these have changed, and it is an error that the catalog was not asked
        about them.

        Args:
            items: The items.
            found: Problems that were found with them.
        """
        changed = self._changed_actions(items)
        still_said = [
            problem
            for problem in self.problems_without(RELATION_CODES)
            if problem.code not in CATALOG_CODES or changed.isdisjoint(problem.steps)
        ]
        kept = [*still_said, *found]
        in_error = {name for problem in kept if problem.severity == "error" for name in problem.steps}
        unreadable = in_error.difference(vars(item)[self.item_kind.key] for item in self.items)
        problems = ProblemCollector(kept)
        if self.item_kind is RECOMMENDATIONS:
            note_missing_dependencies(items, problems)
        checked_levels = check_relations(tuple(items), self.item_kind, problems, unreadable=sorted(unreadable))
        reported = {name for problem in kept if problem.code in CATALOG_ERRORS for name in problem.steps}
        report_unresolved(items, self.item_kind, self.resolved_actions, problems, reported)
        return make_reading(
            tuple(items), self.workflow, problems, checked_levels, self.execution_strategy, self.resolved_actions
        )

    def _repr_mimebundle_(self, **_: Any) -> Dict[str, str]:
        return display.mimebundle(self)

    def _changed_actions(self, items: Sequence[Union[Recommendation, Step]]) -> set[str]:
        """Return what identifies the items whose action or parameters are not the same any more."""
        key = self.item_kind.key
        now = {vars(item)[key]: _request_of(item) for item in items}
        return {vars(item)[key] for item in self.items if now.get(vars(item)[key]) != _request_of(item)}

    def problems_without(self, codes: Container[str]) -> List[Problem]:
        """Return the problems but for those of these codes, which have to be the last of their severity to be found.

        Where the list ends with a count of more, and the last one listed has one of these codes, then all that is only
        counted has one, too.

        Args:
            codes: The codes to leave out.
        """
        problems = list(self.problems)
        if problems and problems[-1].code == "limit-exceeded":
            listed = [problem for problem in problems[:-1] if problem.severity == problems[-1].severity]
            if listed and listed[-1].code in codes:
                del problems[-1]
        return [problem for problem in problems if problem.code not in codes]


def make_reading(
    items: tuple[Any, ...],
    workflow: Workflow | None,
    problems: ProblemCollector,
    checked_levels: Levels | None,
    strategy: ExecutionStrategy | None = None,
    resolved: Iterable[ResolvedAction] | None = None,
) -> Reading:
    """Return the reading of these recommendations or, if there is a workflow, these steps in its place.

    `checked_levels` is what a search for problems between the items gave, and is remembered for planning; `resolved` is
    what `look_up` gave, if there was a catalog.
    """
    if workflow is not None:
        workflow = construct_unchecked(Workflow, {**workflow.__dict__, "steps": items})
    reading = construct_unchecked(
        Reading,
        {
            "recommendations": () if workflow else items,
            "workflow": workflow,
            "problems": problems.as_tuple(),
            "execution_strategy": None if workflow else strategy,
            "resolved_actions": None if resolved is None else tuple(resolved),
        },
    )
    if checked_levels and not problems.has_errors:
        vars(reading)["_known"] = (reading.items, reading.resolved_actions, checked_levels)
    return reading


def report_unresolved(
    items: Sequence[Union[Recommendation, Step]],
    item_kind: ItemKind,
    resolved_actions: Sequence[ResolvedAction] | None,
    problems: ProblemCollector,
    reported: Container[str] = (),
) -> None:
    """Add an error for each item that a catalog was not asked about, if there was one, but for those in `reported`."""
    if resolved_actions is None:
        return
    requests = {resolved.request for resolved in resolved_actions}
    for item in items:
        name = vars(item)[item_kind.key]
        if name not in reported and _request_of(item) not in requests:
            problems.add(
                "catalog-needed",
                f"the catalog was not asked about {item_kind.noun} {quote(name)} as it is now",
                steps=(name,),
                suggestion="pass the catalog again: plan(reading, catalog=...)",
            )


def _request_of(item: Union[Recommendation, Step]) -> str:
    return request_digest(item.action, item.parameters)
