"""Every action of the input, looked up in the catalog; its functions are called on the way, and may do anything."""

from __future__ import annotations

from contextlib import suppress
from itertools import islice
from typing import Any, Callable, Dict, Iterable, List, Mapping, NamedTuple, Optional, Sequence, Tuple, Type

from pydantic import BaseModel, TypeAdapter, ValidationError

from wfplan.action_parameters import Fitted, UnfitError, UnusableModelError, fit, parameter_names
from wfplan.catalog import Action, Catalog, Known, claims, worse_effect
from wfplan.field_errors import add_field_errors, did_you_mean, kind_of
from wfplan.ignored_parameters import find_ignored, place_in
from wfplan.locations import NOWHERE, ListLocation
from wfplan.models import Compensation, Effect, Step
from wfplan.names import escape, quote, tell_error
from wfplan.problems import ProblemList
from wfplan.validation import Item, Wording
from wfplan.values import Text, Value

__all__ = ["CATALOG_ERRORS", "ActionUse", "look_up", "uses_of"]

CATALOG_ERRORS = frozenset(("unknown-action", "invalid-parameters", "invalid-catalog"))
"""The codes of what keeps the catalog from saying anything of an item."""

_MOST_LOOKED_UP = 20
_MOST_CANDIDATES = 2000
_MOST_LOCKS = 10_000


class ActionUse(NamedTuple):
    """An action with parameters, somewhere in the input."""

    position: int
    """Of its item."""
    name: str
    """What identifies the item."""
    action: str
    parameters: Dict[str, Any]
    step: Optional[Step] = None
    """The item, if it is a step: it may claim something of itself."""


def uses_of(items: Sequence[Item], wording: Wording) -> List[ActionUse]:
    """The use of an action that each item is."""
    return [
        ActionUse(
            position,
            vars(item)[wording.key],
            item.action,
            item.parameters,
            item if isinstance(item, Step) else None,
        )
        for position, item in enumerate(items)
        if isinstance(item, wording.kind)
    ]


def look_up(
    uses: Iterable[ActionUse],
    catalog: Catalog,
    wording: Wording,
    problems: ProblemList,
    location: ListLocation = NOWHERE,
) -> List[Known]:
    """What the catalog says of each use; adds an error for each of which it can say nothing.

    The list is complete if no error was added.
    """
    looking = _LookUp(catalog, wording, problems, location)
    return [known for known in map(looking.look_up, uses) if known is not None]


class _LookUp:
    def __init__(self, catalog: Catalog, wording: Wording, problems: ProblemList, location: ListLocation) -> None:
        self._catalog = catalog
        self._noun = wording.noun
        self._problems = problems
        self._location = location
        self._nearest: Dict[str, str] = {}

    def look_up(self, use: ActionUse) -> Optional[Known]:
        action = self._catalog.get(use.action)
        if action is None:
            self._report_unknown(use)
            return None
        fitted = self._fit(use, action)
        if fitted is None:
            return None
        locks = self._call(use, "locks", action.locks, fitted.value, _as_locks)
        undo = self._call(use, "rollback", action.rollback, fitted.value, self._as_compensation)
        if locks is None or undo is None:
            return None
        known = Known(action, fitted.parameters, locks, undo[0], self._effect_of(action, undo[0]))
        if use.step is not None:
            self._report_claims(use, claims(use.step, known))
        return known

    def _effect_of(self, action: Action, undo: Optional[Compensation]) -> Optional[Effect]:
        undoing = None if undo is None else self._catalog.get(undo.action)
        return action.effect if undoing is None else worse_effect(action.effect, undoing.effect)

    def _fit(self, use: ActionUse, action: Action) -> Optional[Fitted]:
        model = action.parameters or _NoParameters
        fitted: Optional[Fitted] = None
        try:
            fitted = fit(model, use.parameters)
        except ValidationError as error:
            self._report_refused(use, model, error)
        except UnfitError as error:
            self._report_unfit(use, error)
            return None
        except UnusableModelError as error:
            self._blame(use, "the model of the parameters", str(error))
            return None
        try:
            ignored = find_ignored(model, use.parameters, fitted)
        except UnfitError as error:
            self._report_unfit(use, error)
            return None
        for path in ignored:
            known = parameter_names(model) if len(path) == 1 else ()
            self._report(use, path, "is not a known field", did_you_mean(str(path[-1]), known))
        return None if ignored else fitted

    def _call(self, use: ActionUse, field: str, function: Any, value: BaseModel, convert: Callable[[Any], Any]) -> Any:
        """What a function of the catalog gives; None, with a problem, if it fails, or gives what it should not."""
        try:
            return convert(None if function is None else function(value))
        except _NonsenseError as error:
            self._blame(use, field, str(error))
        except Exception as error:  # noqa: BLE001 - whatever it is, it is told
            self._blame(use, field, f"raises {tell_error(error)}")
        return None

    def _as_compensation(self, given: object) -> Tuple[Optional[Compensation]]:
        """In a tuple, since None is an answer too. Where the catalog knows its action, its parameters have to fit."""
        if given is None:
            return (None,)
        if not isinstance(given, Compensation):
            raise _NonsenseError(f"gives {kind_of(given)}, not a Compensation or None")
        action = self._catalog.get(given.action)
        if action is None:
            return (Compensation(action=given.action, parameters=given.parameters),)
        model = action.parameters or _NoParameters
        with suppress(ValidationError, UnfitError, UnusableModelError):
            fitted = fit(model, given.parameters)
            if not find_ignored(model, given.parameters, fitted):
                return (Compensation(action=given.action, parameters=fitted.parameters),)
        raise _NonsenseError(f"gives parameters that do not fit the action {quote(given.action)}")

    # What there is to tell.

    def _subject(self, use: ActionUse) -> str:
        return f"{self._noun} {quote(use.name)}"

    def _report_unknown(self, use: ActionUse) -> None:
        if use.action not in self._nearest and len(self._nearest) < _MOST_LOOKED_UP:
            self._nearest[use.action] = did_you_mean(use.action, list(islice(self._catalog, _MOST_CANDIDATES)))
        self._problems.add(
            "unknown-action",
            f"{self._subject(use)} has the action {quote(use.action)}, which is not in the catalog",
            steps=(use.name,),
            location=self._location.of(use.position, "action"),
            suggestion=self._nearest.get(use.action, "use one that is"),
        )

    def _report_refused(self, use: ActionUse, model: Type[BaseModel], error: ValidationError) -> None:
        add_field_errors(
            error,
            self._problems,
            subject=self._subject(use),
            steps=(use.name,),
            locate=lambda path: self._location.of(use.position, *path),
            within=("parameters",),
            place=lambda loc: place_in(use.parameters, loc),
            known=parameter_names(model),
            code="invalid-parameters",
        )

    def _report_unfit(self, use: ActionUse, error: UnfitError) -> None:
        if error.path and error.path[0] not in use.parameters:
            self._blame(use, "the model of the parameters", f"has a default that {error}")
        else:
            self._report(use, error.path, str(error))

    def _report(self, use: ActionUse, path: Sequence[Any], told: str, suggestion: str = "") -> None:
        """Add what is wrong with something in the parameters."""
        self._problems.add(
            "invalid-parameters",
            f"{quote('.'.join(map(str, ('parameters', *path))))} of {self._subject(use)} {told}",
            steps=(use.name,),
            location=self._location.of(use.position, "parameters", *path),
            suggestion=suggestion,
        )

    def _report_claims(self, use: ActionUse, fields: Sequence[str]) -> None:
        for field in fields:
            self._problems.add(
                "overruled-field",
                f"{quote(field)} of {self._subject(use)} is not what the catalog says, which counts",
                steps=(use.name,),
                location=self._location.of(use.position, field),
                suggestion="leave it to the catalog",
            )

    def _blame(self, use: ActionUse, part: str, reason: str) -> None:
        self._problems.add(
            "invalid-catalog",
            f"{part} of the action {quote(use.action)} cannot be used for {self._subject(use)}: it {escape(reason)}",
            steps=(use.name,),
            location=self._location.of(use.position),
            suggestion="mend the catalog",
        )


class _NoParameters(Value):
    """The parameters of an action that takes none."""


class _NonsenseError(Exception):
    """A function of the catalog gave something that it should not."""


_NO_LISTS = (str, bytes, Mapping, set, frozenset)
_TEXT: TypeAdapter[str] = TypeAdapter(Text)


def _as_locks(given: Any) -> Tuple[str, ...]:
    if given is None:
        return ()
    if isinstance(given, _NO_LISTS) or not hasattr(given, "__iter__"):
        raise _NonsenseError(f"gives {kind_of(given)}, not a list of keys")
    keys: Tuple[Any, ...] = tuple(islice(given, _MOST_LOCKS + 1))
    if len(keys) > _MOST_LOCKS:
        raise _NonsenseError(f"gives more than {_MOST_LOCKS:,} keys")
    for key in keys:
        try:
            _TEXT.validate_python(key, strict=True)
        except ValidationError:
            raise _NonsenseError("gives a key that is no text of 1 to 1,024 characters") from None
    return tuple(sorted({str.__str__(key) for key in keys}))  # from a set, they would come in any order
