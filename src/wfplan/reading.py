"""Reading: what a document was understood to mean, and every problem with it."""

from __future__ import annotations

from typing import Any, Optional, Sequence, Union

from pydantic import model_validator

from wfplan.models import Recommendation, Step, Workflow
from wfplan.names import quote
from wfplan.problems import Problem, ProblemList
from wfplan.validation import RECOMMENDATIONS, RELATION_CODES, STEPS, Survey, Wording, survey
from wfplan.values import EMPTY, Items, Value, trusted

__all__ = ["Reading", "make_reading"]


class Reading(Value):
    """What `wfplan.read` understood: recommendations or, where the document holds named steps, a workflow.

    What could not be understood is in neither, but named in `problems`; such a reading is not `ok`.
    """

    recommendations: Items[Recommendation] = EMPTY
    workflow: Optional[Workflow] = None
    problems: Items[Problem] = EMPTY
    """All that was found, errors first."""

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
        return self.known is not None or survey(self.items, self.wording, ProblemList()) is not None

    @property
    def items(self) -> Sequence[Union[Recommendation, Step]]:
        """The recommendations, or the steps of the workflow."""
        return self.recommendations if self.workflow is None else self.workflow.steps

    @property
    def wording(self) -> Wording:
        """How problems speak of the items."""
        return RECOMMENDATIONS if self.workflow is None else STEPS

    @property
    def known(self) -> Survey | None:
        """What a search for problems between the items gave, if there was one and it found no error."""
        items, known = vars(self).get("_known", (None, None))
        return known if items is self.items else None

    def replace(self, id_: str, /, **changes: Any) -> Reading:
        """A new reading in which the recommendation of this id (the step of this name) has these fields changed.

        Problems between the items are looked for anew; those of the document itself stay. Raises KeyError if there
        is no such item, pydantic's ValidationError if a change does not fit.
        """
        key = self.wording.key
        if all(item.__dict__[key] != id_ for item in self.items):
            raise KeyError(f"no {self.wording.noun} has the {key} {quote(id_)}")
        items = tuple(
            type(item).model_validate({**item.__dict__, **changes}) if item.__dict__[key] == id_ else item
            for item in self.items
        )
        problems = ProblemList(problem for problem in self.problems if problem.code not in RELATION_CODES)
        unreadable = {name for problem in problems.listed() for name in problem.steps}
        surveyed = survey(items, self.wording, problems, unreadable=sorted(unreadable))
        return make_reading(items, self.workflow, problems, surveyed)


def make_reading(
    items: tuple[Any, ...], workflow: Workflow | None, problems: ProblemList, surveyed: Survey | None
) -> Reading:
    """The reading of these recommendations or, if there is a workflow, these steps in its place.

    `surveyed` is what a search for problems between the items gave, and is remembered for planning.
    """
    if workflow is not None:
        workflow = trusted(Workflow, {**workflow.__dict__, "steps": items})
    reading = trusted(
        Reading,
        {"recommendations": () if workflow else items, "workflow": workflow, "problems": problems.listed()},
    )
    if surveyed and not problems.has_errors:
        vars(reading)["_known"] = (reading.items, surveyed)
    return reading
