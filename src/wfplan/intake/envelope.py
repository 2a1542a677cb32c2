"""Find the list of recommendations or steps in a document, and what stands around it."""

from __future__ import annotations

from typing import AbstractSet, Any, Callable, Dict, Iterator, List, NamedTuple, Optional, Sequence, Tuple

from wfplan._internal.json import is_list, is_object
from wfplan._internal.locations import pointer
from wfplan._internal.messages import escape, quote
from wfplan._internal.validation_errors import kind_of
from wfplan.intake.field_names import AUTHOR, DEPENDENCIES, FIELDS, TITLE_WORDS, is_list_name, plain, says_nothing
from wfplan.intake.positions import Path, Positions
from wfplan.intake.syntax import HOW_TO, JsonError, parse
from wfplan.problems import ProblemCollector

__all__ = ["Beside", "Envelope", "Holder", "find_envelope", "holds_list", "is_item"]

_ITEM_WORDS = FIELDS["id"] | FIELDS["action"] | DEPENDENCIES
_WRITTEN_BY_MODELS = frozenset(("content", "text"))
"""The fields of API answers in which the words of a model are."""
_CLOSED = AUTHOR - frozenset("args arguments inputs output outputs parameters params with".split()) | {"status"}
"""Fields in which no document is looked for."""
_BATCHES = frozenset(("batches", "executionorder"))

ReadText = Callable[[str], Optional[Tuple[Any, List[str], List[Any]]]]
"""Returns the document in the words of a model, the lines around it, and other values around it; None if none."""


class Holder(NamedTuple):
    """An object or list on the way from the root of a document to its list."""

    path: Path
    value: Any
    way: Any
    """The key or position at which the way goes on; None in a mapping of items."""


class Beside(NamedTuple):
    """A value that stands beside the list."""

    path: Path
    """Of the value itself."""
    key: str
    """Its key; empty in a list."""
    value: Any


class Envelope(NamedTuple):
    """The list of a document, and what is around it."""

    items: Sequence[Any]
    list_path: Path
    list_key: str
    """The name of the list; empty, if it has none."""
    positions: Positions
    """Of the items."""
    keys: Optional[Sequence[str]]
    """The keys of the items, if they are in a mapping."""
    holders: Sequence[Holder]
    """From the root down to the object that holds the list."""
    words: Sequence[str] = ()
    """Lines around the document in the words of a model inside it."""
    others: Sequence[Any] = ()

    def beside(self) -> Iterator[Beside]:
        """Return all that stands beside the way to the list."""
        for holder in self.holders:
            entries = holder.value.items() if is_object(holder.value) else enumerate(holder.value)
            for key, value in entries:
                if key != holder.way:
                    yield Beside((*holder.path, key), key if isinstance(key, str) else "", value)


class _Node(NamedTuple):
    value: Any
    path: Path
    holders: Tuple[Holder, ...]
    cut: Optional[int]
    """The length of the path of the outermost string that it was parsed from, if it was."""
    words: Tuple[str, ...] = ()
    others: Tuple[Any, ...] = ()
    repeated: Tuple[str, ...] = ()
    """The keys that are there more than once in the string that it was parsed from."""


class _Found(NamedTuple):
    node: _Node
    key: str
    """The name of the list, or of the mapping or item in its place; empty, if it has none."""
    form: str
    """`list`, `mapping` or `item`."""

    @property
    def is_filled(self) -> bool:
        return bool(self.node.value)


def is_item(value: Any) -> bool:
    """Return whether a value may be a recommendation or step by itself: a key says what it is, does or needs."""
    return is_object(value) and any(isinstance(key, str) and plain(key) in _ITEM_WORDS for key in value)


def holds_list(value: Any) -> bool:
    """Return whether a value is a document with a list of recommendations or steps in it."""
    found, _ = _search(value, frozenset(), None)
    return bool(found)


def find_envelope(
    document: Any, ignore: AbstractSet[str], read_text: ReadText | None, problems: ProblemCollector
) -> Envelope | None:
    """Return the shallowest list of a document with what is around it, None with a problem if there is none, or two.

    Args:
        document: Plain JSON values.
        ignore: Keys, without case and punctuation, that name no list.
        read_text: Reads the words of a model inside of an API answer.
        problems: Where problems go.
    """
    found, empty = _search(document, ignore, read_text)
    if not found:
        single = _find_item(document)
        if single is None:
            _refuse_as_no_list(document, ignore, problems)
            return None
        found = [single]
    chosen = found[0]
    rivals = found[1:] or ([each for each in empty if each is not chosen] if chosen.is_filled else [])
    rivals = [rival for rival in rivals if rival.is_filled or rival.node.path[:-1] != chosen.node.path[:-1]]
    if rivals:
        places = " and ".join(escape(pointer(each.node.path)) or "the document" for each in (chosen, rivals[0]))
        problems.add(
            "ambiguous-answer",
            f"the document holds more than one list of steps: {places}",
            location=pointer(chosen.node.path[: chosen.node.cut]),
            suggestion="keep the one that is meant",
        )
        return None
    return _envelope(chosen, problems)


def _refuse_as_no_list(document: Any, ignore: AbstractSet[str], problems: ProblemCollector) -> None:
    named = [key for key in document if is_list_name(key) and plain(key) not in ignore] if is_object(document) else []
    if len(named) == 1 and not is_list(document[named[0]]):
        message = f"{quote(named[0])} is {kind_of(document[named[0]])} and holds no list of steps"
        problems.add("invalid-field", message, location=pointer((named[0],)), suggestion=HOW_TO)
        return
    if not (is_object(document) or is_list(document)):
        message = f"the document is {kind_of(document)}, not an object"
    elif _mentions_batches(document):
        message = "the document holds batches without steps: they say what runs when, and not what waits for what"
    elif is_list(document):
        message = "no item of the list has an action or a dependency"
    else:
        message = "the document holds no list of recommendations or steps"
    problems.add("invalid-document", message, suggestion=HOW_TO)


def _mentions_batches(document: Any) -> bool:
    values = [document]
    for _ in range(3):
        keys = [key for value in values if is_object(value) for key in value]
        if any(isinstance(key, str) and plain(key) in _BATCHES for key in keys):
            return True
        values = [inner for value in values if is_object(value) for inner in value.values()]
    return False


# ---------------------------------------------------------------------------------------------------------- search


def _search(document: Any, ignore: AbstractSet[str], read_text: ReadText | None) -> Tuple[List[_Found], List[_Found]]:
    """Return the lists on the shallowest level that has a filled one, and the empty ones above and on it.

    Where none has the name of one, a mapping from ids to steps above it is taken for one.
    """
    level = [_Node(document, (), (), None)]
    empty: List[_Found] = []
    mapping: Optional[_Found] = None
    while level:
        nodes = [node for each in level for node in _opened(each, read_text)]
        found = [each for node in nodes for each in _lists_at(node, ignore)]
        filled = [each for each in found if each.is_filled]
        empty.extend(each for each in found if not each.is_filled)
        if filled and mapping is not None and not any(each.key for each in filled):
            return [mapping], empty
        if filled:
            return filled, empty
        mappings = (_Found(node, "", "mapping") for node in nodes if _is_mapping_of_items(node.value))
        mapping = mapping or next(mappings, None)
        level = [inner for node in nodes for inner in _inner(node)]
    return ([mapping] if mapping else empty[:1]), empty


def _opened(node: _Node, read_text: ReadText | None) -> Iterator[_Node]:
    """Return a node as the object or list that it is or, if it is a string, that it holds; nothing if it is neither."""
    if is_object(node.value) or is_list(node.value):
        yield node
    elif isinstance(node.value, str):
        opened = _parsed(node)
        if opened is None and read_text is not None and node.path and plain(str(node.path[-1])) in _WRITTEN_BY_MODELS:
            opened = _read(node, read_text)
        if opened is not None:
            yield opened


def _parsed(node: _Node) -> _Node | None:
    if node.value.lstrip()[:1] not in ("{", "["):
        return None
    try:
        json = parse(node.value)
    except JsonError:
        return None
    repeated = tuple(key for keys in json.repeated.values() for key in keys)
    cut = len(node.path) if node.cut is None else node.cut
    return node._replace(value=json.value, cut=cut, repeated=(*node.repeated, *repeated))


def _read(node: _Node, read_text: ReadText) -> _Node | None:
    if "{" not in node.value and "[" not in node.value and ":" not in node.value:
        return None
    found = read_text(node.value)
    if found is None:
        return None
    value, words, others = found
    cut = len(node.path) if node.cut is None else node.cut
    return node._replace(value=value, cut=cut, words=tuple(words), others=tuple(others))


def _inner(node: _Node) -> Iterator[_Node]:
    value = node.value
    if is_object(value):
        is_resource = is_object(value.get("spec"))
        for key, inner in value.items():
            word = plain(key)
            if word not in _CLOSED | DEPENDENCIES or (word == "status" and not is_resource):
                yield _below(node, key, inner)
    else:
        for position, inner in enumerate(value):
            yield _below(node, position, inner)


def _below(node: _Node, way: Any, value: Any) -> _Node:
    return node._replace(
        value=value, path=(*node.path, way), holders=(*node.holders, Holder(node.path, node.value, way))
    )


def _lists_at(node: _Node, ignore: AbstractSet[str]) -> Iterator[_Found]:
    """Return the lists that a container is, or that are in it under the name of one."""
    value = node.value
    if is_list(value):
        if _is_list_of_items(value) or (not value and not node.path):
            yield _Found(node, "", "list")
        return
    for key, inner in value.items():
        if is_list_name(key) and plain(key) not in ignore:
            for below in _opened(_below(node, key, inner), None):
                form = _form_of(below.value, plain(key))
                if form:
                    yield _Found(below, key, form)


def _is_list_of_items(value: Sequence[Any]) -> bool:
    """Return whether a list without a name is one of steps: all say what they are, one what it does or needs."""
    if not value or not any(map(is_object, value)):
        return False
    if len(value) == 1 and _holds_named_list(value[0]):
        return False
    words = [{plain(key) for key in item if isinstance(key, str)} for item in value if is_object(item)]
    if not any(not item.isdisjoint(FIELDS["action"] | DEPENDENCIES) for item in words):
        return False
    return all(not item.isdisjoint(_ITEM_WORDS | TITLE_WORDS) for item in words)


def _holds_named_list(value: Dict[str, Any]) -> bool:
    return any(is_list_name(key) and _form_of(inner, plain(key)) and inner for key, inner in value.items())


def _form_of(value: Any, name: str) -> str | None:
    """Return the form of a value under the name of a list, None if it is not a list of items in any form."""
    if is_list(value):
        return "list" if not value or any(map(is_object, value)) else None
    if not is_object(value) or not value:
        return None
    if all(map(is_object, value.values())):
        return "mapping" if name == "jobs" or any(map(_says_what_it_is, value.values())) else None
    return "item" if is_item(value) and not _holds_deeper_list(value) else None


def _holds_deeper_list(value: Dict[str, Any]) -> bool:
    return any(is_list_name(key) and (is_list(inner) or is_object(inner)) and inner for key, inner in value.items())


def _says_what_it_is(value: Dict[str, Any]) -> bool:
    return any(plain(key) in _ITEM_WORDS or plain(key) in TITLE_WORDS for key in value)


def _is_mapping_of_items(value: Any) -> bool:
    """Return whether an object without the name of a list maps ids to steps: one of them says what it needs."""
    return (
        is_object(value)
        and bool(value)
        and all(map(is_object, value.values()))
        and any(plain(key) in DEPENDENCIES for item in value.values() for key in item)
    )


def _find_item(document: Any) -> _Found | None:
    """Return the one item that a document without any list is."""
    item = _Node(document, (), (), None)
    if not is_object(document):
        return None
    words = {plain(key) for key, value in document.items() if isinstance(value, str)}
    does = not words.isdisjoint(FIELDS["action"])
    needs = any(plain(key) in DEPENDENCIES for key in document) and not words.isdisjoint(FIELDS["id"] | {"name"})
    return _Found(item, "", "item") if does or needs else None


# -------------------------------------------------------------------------------------------------------- envelope


def _envelope(found: _Found, problems: ProblemCollector) -> Envelope | None:
    node = found.node
    path, value = node.path, node.value
    where = pointer(path[: node.cut])
    holder = node.holders[-1] if node.holders else None
    if holder is not None and found.key and _is_step_itself(holder.value, found):
        problems.add(
            "ambiguous-answer",
            f"the object that holds {quote(found.key)} has an action of its own: when that is meant cannot be known",
            location=pointer(holder.path[: node.cut]),
            suggestion="keep the one that is meant, or make both steps of one list",
        )
        return None
    _note_wrappers(found, problems)
    if node.cut is not None:
        message = "a string holds the document"
        place = pointer(path[: node.cut])
        problems.add("text-in-text", message, location=place, suggestion="write the document itself")
    for key in dict.fromkeys(node.repeated):
        message = f"the key {quote(key)} is there more than once"
        problems.add("duplicate-key", message, location=where, suggestion="keep the one that is meant")
    keys: Optional[List[str]] = None
    items: List[Any] = [value]
    ways: Optional[List[Path]] = [()]
    if found.form == "mapping":
        keys = list(value)
        items, ways = list(value.values()), [(key,) for key in keys]
        advice = "write a list of items, each with its id"
        problems.add("mapping-of-steps", "the items are in a mapping, by their ids", location=where, suggestion=advice)
    elif found.form == "list":
        items, ways = list(value), None
    else:
        message = "there is one item where a list belongs"
        problems.add("single-item", message, location=where, suggestion="write a list of one")
    positions = Positions(path, ways, node.cut)
    return Envelope(items, path, found.key, positions, keys, node.holders, node.words, node.others)


def _is_step_itself(holder: Any, found: _Found) -> bool:
    """Return whether the object that holds a list is a step, too: it has an action."""
    if not is_object(holder) or not found.is_filled:
        return False
    return any(plain(key) == "action" and not says_nothing(value) for key, value in holder.items())


def _note_wrappers(found: _Found, problems: ProblemCollector) -> None:
    ways = [holder.way for holder in found.node.holders]
    if found.key:
        ways.pop()
        if found.key not in ("recommendations", "steps"):
            where = pointer(found.node.path[: found.node.cut])
            message = f"the list is called {quote(found.key)}"
            problems.add("key-alias", message, location=where, suggestion='call it "recommendations"')
    if ways and not _is_known_wrapper(ways):
        message = f"the document is inside another, at {escape(pointer(ways))}"
        where = pointer(ways[: found.node.cut])
        problems.add("wrapped-document", message, location=where, suggestion="write the document alone")


def _is_known_wrapper(ways: Sequence[Any]) -> bool:
    """Return whether a list is where dumps of plans and WorkflowExecution resources have it."""
    return list(ways) in (["workflow"], ["spec", "workflowDefinition"])
