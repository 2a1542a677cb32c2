"""The base of all models: frozen, strict, with tuples as collections."""

from __future__ import annotations

from functools import lru_cache
from typing import (
    TYPE_CHECKING,
    Any,
    ClassVar,
    Dict,
    Generic,
    Mapping,
    Optional,
    Sequence,
    Set,
    Tuple,
    TypeVar,
    overload,
)

import pydantic
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic_core import PydanticCustomError, core_schema
from typing_extensions import Annotated, Literal

from wfplan._internal.by_name import NO_STEPS, StepsByName
from wfplan._internal.field_docstrings import field_docstrings
from wfplan._internal.identifiers import name_error
from wfplan._internal.json import EMPTY_OBJECT, FrozenDict, is_list, is_same_json
from wfplan._internal.messages import join_names
from wfplan._internal.suggestions import Suggester

__all__ = [
    "EMPTY",
    "NOTHING_BY_NAME",
    "NOT_GIVEN",
    "NO_VALUES",
    "PLAIN_ZERO",
    "FreeText",
    "JsonObject",
    "MappingOf",
    "Model",
    "Name",
    "Number",
    "OptionalTupleOf",
    "SchemaVersion",
    "Text",
    "TupleOf",
    "construct_unchecked",
]

T = TypeVar("T")
V = TypeVar("V", bound="Model")


class Model(BaseModel):
    """A frozen, strict pydantic model that refuses unknown fields.

    Two of one class are equal if all their fields are; in JSON objects `1`, `1.0` and `true` are not.
    """

    model_config: ClassVar[ConfigDict] = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    if not TYPE_CHECKING:  # pragma: no branch - type checkers know the constructor by the fields

        def __init__(self, /, **fields: Any) -> None:
            """Make a value of these fields; raise pydantic's ValidationError, with every field that does not fit."""
            try:
                super().__init__(**fields)
            except ValidationError as error:
                if type(self).model_fields.keys() >= fields.keys():
                    raise
                raise _with_advice(error, type(self)) from None

        __init__.__pydantic_base_init__ = True  # values in values, and from JSON, need not come this way

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        if self.__class__ is not other.__class__:
            return NotImplemented
        own, others, names = vars(self).get, vars(other).get, _all_fields(self.__class__)
        return list(map(own, names)) == list(map(others, names)) and all(
            is_same_json(own(name), others(name)) for name in _json_fields(self.__class__)
        )

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        """Show the value in IPython and notebooks as `str` does, where that is made for people."""
        shown = repr(self) if type(self).__str__ is BaseModel.__str__ else str(self)
        printer.text("..." if cycle else shown)

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: core_schema.CoreSchema, handler: Any, /) -> Dict[str, Any]:
        """Describe each field by the docstring below it: looked up when a schema is asked for, not at import."""
        made: Dict[str, Any] = handler(schema)
        properties = handler.resolve_ref_schema(made).get("properties", {})
        for name, description in field_docstrings(cls).items():
            if name in properties:
                properties[name].setdefault("description", description)
        return made

    if TYPE_CHECKING:
        # pydantic makes it of the fields
        def __hash__(self) -> int: ...


def _with_advice(error: ValidationError, kind: type[BaseModel]) -> ValidationError:
    """Return the same error, in which each field that is not known says what may have been meant."""
    details: list[Any] = []
    for detail in error.errors(include_url=False):
        kind_of_error: Any = detail["type"]
        message, context = detail["msg"], detail.get("ctx", {})
        if kind_of_error == "extra_forbidden" and len(detail["loc"]) == 1:
            known = f"its fields are {join_names(list(kind.model_fields), 20)}"
            advice = Suggester(kind.model_fields).suggest(str(detail["loc"][0]), known)
            message = f"{kind.__name__} has no such field: {advice}"
        custom = PydanticCustomError(kind_of_error, "{sentence}", {**context, "sentence": message})
        details.append({"type": custom, "loc": detail["loc"], "input": detail["input"]})
    return ValidationError.from_exception_data(error.title, details)


class _SharedFieldSet(Set[str]):
    """The `model_fields_set` of many instances: it refuses to be changed, and its copies are plain sets."""

    __slots__ = ()

    def __copy__(self) -> Set[str]:
        return set(self)

    copy = __copy__

    def __deepcopy__(self, memo: Dict[int, Any]) -> Set[str]:
        return set(self)

    def __reduce__(self) -> Tuple[Any, ...]:
        return set, (list(self),)

    def _refuse_change(self, *_: Any) -> Any:
        raise TypeError("many values share this set: change a copy of it")

    __iand__ = __ior__ = __isub__ = __ixor__ = _refuse_change
    add = clear = difference_update = discard = intersection_update = pop = _refuse_change
    remove = symmetric_difference_update = update = _refuse_change


def construct_unchecked(kind: type[V], values: dict[str, Any]) -> V:
    """Return an instance of `kind` from values that this library has checked already: all fields, in their order.

    What `BaseModel.model_construct` does, without its cost for each of 100,000 steps. The set of fields that were
    set is one for all instances.
    """
    instance = kind.__new__(kind)
    _set(instance, "__dict__", values)
    _set(instance, "__pydantic_fields_set__", _all_fields(kind))
    _set(instance, "__pydantic_extra__", None)
    _set(instance, "__pydantic_private__", None)
    return instance


_set = object.__setattr__


@lru_cache(maxsize=None)
def _all_fields(kind: type[Model]) -> set[str]:
    return _SharedFieldSet(kind.model_fields)


@lru_cache(maxsize=None)
def _json_fields(kind: type[Model]) -> frozenset[str]:
    """Return the names of the fields that are a `JsonObject`."""
    return frozenset(name for name, field in kind.model_fields.items() if field.annotation is FrozenDict)


def _check_name(text: str) -> str:
    reason = name_error(text)
    if reason:
        raise ValueError(reason)
    return text


def _without_sign_of_zero(number: float) -> float:
    return number + 0.0


def _no_boolean(value: Any) -> Any:
    return "true" if value is True else value


def _freeze_mapping(value: Dict[str, Any]) -> Dict[str, Any]:
    return StepsByName(value) if value else NO_STEPS


def _list_to_tuple(value: Any) -> Any:
    return tuple(value) if is_list(value) else value


# What the annotation FailFast does; as one, it would keep `Optional[TupleOf[...]]` from being hashed.
_FAIL_FAST: Dict[str, Any] = {"fail_fast": True} if hasattr(pydantic, "FailFast") else {}  # from pydantic 2.8 on


class _FromList:
    """Lets a strict tuple field take a list from Python; JSON needs no help.

    One bad element is enough to refuse a list; a million of them would be a million errors, before anyone can count.
    """

    @staticmethod
    def __get_pydantic_core_schema__(source: Any, handler: Any) -> core_schema.CoreSchema:
        schema: Any = {**handler(source), **_FAIL_FAST}
        return core_schema.json_or_python_schema(
            json_schema=schema,
            python_schema=core_schema.no_info_before_validator_function(_list_to_tuple, schema),
        )


Name = Annotated[str, AfterValidator(_check_name)]
"""Printable text of 1 to 128 characters in normal form NFC, without outer space or bidi controls."""

SchemaVersion = Annotated[Literal[1], BeforeValidator(_no_boolean)]
"""1, and not true, which Python takes for 1."""

PLAIN_ZERO = AfterValidator(_without_sign_of_zero)
"""Makes 0.0 of -0.0; behind the bounds of a field, which JSON schema could not state otherwise."""

Number = Annotated[float, PLAIN_ZERO]
"""A finite number; -0.0 is 0.0."""

FreeText = Annotated[str, Field(max_length=1_000_000)]
"""Any text; the bound is far off, and makes pydantic refuse what UTF-8 cannot hold."""

Text = Annotated[str, Field(min_length=1, max_length=1024)]
"""Any text of 1 to 1,024 characters."""

if TYPE_CHECKING:
    # For type checkers a field of this kind takes any sequence and reads as a tuple, which a descriptor can say.
    class TupleOf(Generic[T]):
        """A tuple of T that any sequence of T can be given for."""

        @overload
        def __get__(self, instance: None, owner: Any) -> TupleOf[T]: ...
        @overload
        def __get__(self, instance: object, owner: Any) -> tuple[T, ...]: ...
        def __get__(self, instance: object | None, owner: Any) -> Any: ...
        def __set__(self, instance: object, value: Sequence[T]) -> None: ...

    class OptionalTupleOf(Generic[T]):
        """The same, or None."""

        @overload
        def __get__(self, instance: None, owner: Any) -> OptionalTupleOf[T]: ...
        @overload
        def __get__(self, instance: object, owner: Any) -> tuple[T, ...] | None: ...
        def __get__(self, instance: object | None, owner: Any) -> Any: ...
        def __set__(self, instance: object, value: Sequence[T] | None) -> None: ...

    class MappingOf(Generic[T]):
        """A frozen dictionary from the names of steps to T, that any dictionary can be given for."""

        @overload
        def __get__(self, instance: None, owner: Any) -> MappingOf[T]: ...
        @overload
        def __get__(self, instance: object, owner: Any) -> dict[str, T]: ...
        def __get__(self, instance: object | None, owner: Any) -> Any: ...
        def __set__(self, instance: object, value: Mapping[str, T]) -> None: ...

    class JsonObject:
        """A dictionary of what JSON can hold, frozen all the way down."""

        @overload
        def __get__(self, instance: None, owner: Any) -> JsonObject: ...
        @overload
        def __get__(self, instance: object, owner: Any) -> dict[str, Any]: ...
        def __get__(self, instance: object | None, owner: Any) -> Any: ...
        def __set__(self, instance: object, value: Mapping[str, Any]) -> None: ...
else:

    class TupleOf:
        """`TupleOf[T]`: a tuple of T; a list is accepted, a set or a string is not."""

        def __class_getitem__(cls, item: Any) -> Any:
            kind = (Tuple[item, ...], _FromList)
            return Annotated[kind]

    class OptionalTupleOf:
        """`OptionalTupleOf[T]`: the same, or None."""

        def __class_getitem__(cls, item: Any) -> Any:
            return Optional[TupleOf[item]]

    class MappingOf:
        """`MappingOf[T]`: a frozen dictionary from the names of steps to T."""

        def __class_getitem__(cls, item: Any) -> Any:
            return Annotated[Dict[str, item], AfterValidator(_freeze_mapping)]

    JsonObject = FrozenDict

EMPTY: Any = ()
"""The default of an `TupleOf` field."""

NOT_GIVEN: Any = None
"""The default of an `OptionalTupleOf` field."""

NO_VALUES: Any = EMPTY_OBJECT
"""The default of a `JsonObject` field; pydantic hands it out as it is, since it can be hashed."""

NOTHING_BY_NAME: Any = NO_STEPS
"""The default of a `MappingOf` field."""
