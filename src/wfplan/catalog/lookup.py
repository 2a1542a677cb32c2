"""Look up every action of the input in a catalog, calling its functions safely."""

from __future__ import annotations

from contextlib import suppress
from itertools import islice
from typing import Any, Callable, Dict, Iterable, List, Mapping, NamedTuple, Optional, Sequence, Tuple, Type

from pydantic import BaseModel, TypeAdapter, ValidationError

from wfplan._internal.locations import NOWHERE, ListLocation
from wfplan._internal.messages import describe_error, escape, quote
from wfplan._internal.model import Model, Text, construct_unchecked
from wfplan._internal.suggestions import Suggester
from wfplan._internal.validation_errors import add_field_errors, kind_of
from wfplan.catalog.actions import Action, Catalog, ResolvedAction, overruled_fields, request_digest, worse_effect
from wfplan.catalog.parameter_places import place_in
from wfplan.catalog.parameters import (
    ParameterError,
    ParsedParameters,
    UnusableModelError,
    parameter_names,
    parse_parameters,
)
from wfplan.models import Compensation, Effect, Step
from wfplan.problems import ProblemCollector
from wfplan.relations import Item, ItemKind

__all__ = ["CATALOG_ERRORS", "ActionUse", "look_up", "uses_of"]

CATALOG_ERRORS = frozenset(("unknown-action", "invalid-parameters", "invalid-catalog", "catalog-needed"))
"""The codes of what keeps the catalog from saying anything of an item."""

_MOST_LOCKS = 10_000
_MOST_TOLD = 20


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


def uses_of(items: Sequence[Item], item_kind: ItemKind) -> List[ActionUse]:
    """Return the use of an action that each item is."""
    return [
        ActionUse(
            position,
            vars(item)[item_kind.key],
            item.action,
            item.parameters,
            item if isinstance(item, Step) else None,
        )
        for position, item in enumerate(items)
        if isinstance(item, item_kind.kind)
    ]


def look_up(
    uses: Iterable[ActionUse],
    catalog: Catalog,
    item_kind: ItemKind,
    problems: ProblemCollector,
    location: ListLocation = NOWHERE,
) -> List[ResolvedAction]:
    """Return what the catalog says of the uses; an action with the same parameters is looked up once.

    Adds an error for each use of which the catalog can say nothing; without one, every use is resolved.
    """
    looking = _LookUp(catalog, item_kind, problems, location)
    for use in uses:
        looking.look_up(use)
    return list(looking.resolved.values())


class _LookUp:
    def __init__(
        self, catalog: Catalog, item_kind: ItemKind, problems: ProblemCollector, location: ListLocation
    ) -> None:
        self._catalog = catalog
        self._noun = item_kind.noun
        self._problems = problems
        self._location = location
        self._suggester = Suggester(catalog)
        self.resolved: Dict[str, ResolvedAction] = {}

    def look_up(self, use: ActionUse) -> None:
        """Add what the catalog says of this use to what is resolved, or a problem."""
        action = self._catalog.get(use.action)
        if action is None:
            self._report_unknown(use)
            return
        digest = request_digest(use.action, use.parameters)
        known = self.resolved.get(digest) or self._resolve(use, action, digest)
        if known is not None:
            self.resolved[digest] = known
            if use.step is not None:
                self._report_overruled(use, overruled_fields(use.step, known))

    def _resolve(self, use: ActionUse, action: Action, digest: str) -> Optional[ResolvedAction]:
        parsed = self._parse(use, action)
        if parsed is None:
            return None
        locks = self._call(use, "locks", action.locks, parsed.value, _as_locks)
        undo = self._call(use, "rollback", action.rollback, parsed.value, self._as_compensation)
        if locks is None or undo is None:
            return None
        return construct_unchecked(
            ResolvedAction,
            {
                "action": use.action,
                "request": digest,
                "parameters": parsed.parameters,
                "locks": locks,
                "rollback": undo[0],
                "effect": self._effect_of(action, undo[0]),
                "idempotent": action.idempotent,
                "timeout_seconds": action.timeout_seconds,
                "estimated_seconds": action.estimated_seconds,
            },
        )

    def _effect_of(self, action: Action, undo: Optional[Compensation]) -> Optional[Effect]:
        undoing = None if undo is None else self._catalog.get(undo.action)
        return action.effect if undoing is None else worse_effect(action.effect, undoing.effect)

    def _parse(self, use: ActionUse, action: Action) -> Optional[ParsedParameters]:
        model = action.parameters or _NoParameters
        try:
            return parse_parameters(model, use.parameters)
        except ValidationError as error:
            self._report_refused(use, model, error)
        except ParameterError as error:
            self._report_misfit(use, error)
        except UnusableModelError as error:
            self._blame(use, "the model of the parameters", str(error))
        return None

    def _call(self, use: ActionUse, field: str, function: Any, value: BaseModel, convert: Callable[[Any], Any]) -> Any:
        """Return the result of a function of the catalog; None, with a problem, if it fails or is of a wrong type."""
        try:
            return convert(None if function is None else function(value))
        except _NonsenseError as error:
            self._blame(use, field, str(error))
        except Exception as error:  # noqa: BLE001 - whatever it is, it is reported
            self._blame(use, field, f"raises {describe_error(error)}")
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
        with suppress(ValidationError, ParameterError, UnusableModelError):
            return (Compensation(action=given.action, parameters=parse_parameters(model, given.parameters).parameters),)
        raise _NonsenseError(f"gives parameters that do not fit the action {quote(given.action)}")

    # What there is to tell.

    def _subject(self, use: ActionUse) -> str:
        return f"{self._noun} {quote(use.name)}"

    def _report_unknown(self, use: ActionUse) -> None:
        self._problems.add(
            "unknown-action",
            f"{self._subject(use)} has the action {quote(use.action)}, which is not in the catalog",
            steps=(use.name,),
            location=self._location.of(use.position, "action"),
            suggestion=self._suggester.suggest(use.action),
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
            most=_MOST_TOLD,
        )

    def _report_misfit(self, use: ActionUse, error: ParameterError) -> None:
        if error.path and error.path[0] not in use.parameters:
            self._blame(use, "the model of the parameters", f"has a default that {error}")
        else:
            self._problems.add(
                "invalid-parameters",
                f"{quote('.'.join(map(str, ('parameters', *error.path))))} of {self._subject(use)} {error}",
                steps=(use.name,),
                location=self._location.of(use.position, "parameters", *error.path),
            )

    def _report_overruled(self, use: ActionUse, fields: Sequence[str]) -> None:
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
            suggestion="fix the catalog",
        )


class _NoParameters(Model):
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
            raise _NonsenseError("gives a key that is not a string of 1 to 1,024 characters") from None
    return tuple(sorted({str.__str__(key) for key in keys}))  # from a set, they would come in any order
