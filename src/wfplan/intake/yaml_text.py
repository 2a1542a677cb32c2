"""YAML text to a document in which every scalar is text, as it was written."""

from __future__ import annotations

import re
from typing import Any, Dict, Iterable, List, Optional, Set, Tuple, Union

from wfplan.intake.limits import DEFAULT, Limits
from wfplan.locations import pointer
from wfplan.names import quote
from wfplan.problems import ProblemList

__all__ = ["looks_like_yaml", "read_yaml"]

_MOST_CHARACTERS = 1_000_000
_LONGEST_KEY = 1_024
_MOST_REPEATED = 100

_LIST_KEYS = (
    "recommendations|steps|plan|tasks|subtasks|actions|jobs|workflow|workflowDefinition|workflow_definition|spec"
)
# The key has nothing after it, or what YAML alone has there: text after it may as well be prose.
_LIST_LINE = re.compile(rf"^[ \t]*(?:-[ \t]+)?(?:{_LIST_KEYS})[ \t]*:[ \t]*(?:[ \t][#\[{{!&*|>].*)?$", re.MULTILINE)
_FIRST_ITEM = re.compile(
    r"(?:[ \t]*(?:#.*|%.*|---.*)?\n)*[ \t]*-[ \t]+"
    r"(?:id|name|step|step_id|stepId|task|task_id|taskId|action|tool)[ \t]*:(?:[ \t]|$)",
    re.MULTILINE,
)
_UNPRINTABLE = re.compile("[^\t\n\r -~\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_SURROGATE = re.compile("[\ud800-\udfff]")
_NULLS = frozenset(("", "~", "null", "Null", "NULL"))

_Container = Union[Dict[str, Any], List[Any]]


def looks_like_yaml(text: str) -> bool:
    r"""Whether text that is not JSON is meant to be YAML: it has a line such as `steps:`, or begins with `- id:`.

    >>> [looks_like_yaml(text) for text in ("# two\nsteps:\n- id: a\n", '{\n"steps": [\n', "steps: two")]
    [True, False, False]
    """
    text = text.replace("\r\n", "\n")
    if text.lstrip()[:1] in ("{", "["):
        return False
    return _LIST_LINE.search(text) is not None or _FIRST_ITEM.match(text) is not None


def read_yaml(text: str, problems: ProblemList, limits: Limits = DEFAULT) -> Any:
    """The document as dicts, lists, texts and None; None, with a problem, if it is not YAML or not plain.

    Only null is no text: `no`, `1.10` and `2024-01-01` are what they look like. Where keys are there twice, all that
    can be read is returned, with a problem for each.
    """
    if len(text) > _MOST_CHARACTERS:
        message = f"the YAML has {len(text):,} characters, at most {_MOST_CHARACTERS:,} are read"
        problems.add("limit-exceeded", message, suggestion="write it as JSON")
        return None
    unprintable = _UNPRINTABLE.search(text)
    if unprintable is not None:
        line = text.count("\n", 0, unprintable.start()) + 1
        column = unprintable.start() - text.rfind("\n", 0, unprintable.start())
        message = f"YAML cannot hold the character {quote(unprintable[0])} at line {line} column {column}"
        problems.add("invalid-document", message, suggestion="remove it")
        return None
    try:
        import yaml
    except ImportError:
        message = "the document looks like YAML, and PyYAML is not installed"
        suggestion = "pip install 'wfplan[yaml]', or write it as JSON"
        problems.add("invalid-document", message, suggestion=suggestion)
        return None
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        builder = _Builder(problems, limits)
        document = builder.build(yaml.parse(text, Loader=loader))
    except _RefusedError as error:
        problems.add(error.code, error.message, location=error.location, suggestion=error.suggestion)
    except yaml.YAMLError as error:
        problems.add("invalid-document", f"the document is not YAML: {_tell(error)}", suggestion="write it as JSON")
    except (RecursionError, MemoryError):
        problems.add("limit-exceeded", "the YAML needs more memory than there is", suggestion="write it as JSON")
    except (ValueError, OverflowError) as error:  # an escape or a version whose number is beyond all bounds
        problems.add("invalid-document", f"the document is not YAML: {error}", suggestion="write it as JSON")
    else:
        if not builder.ends_empty or text.rstrip(" ")[-1:] not in (":", "-"):
            return document
        message = "the YAML is cut off: it ends where a value is to come"
        problems.add("invalid-document", message, suggestion="ask for the whole answer, or write [] or null")
    return None


def _tell(error: Any) -> str:
    """What PyYAML found, and where."""
    reason = getattr(error, "problem", None) or getattr(error, "context", None) or "it cannot be parsed"
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    return f"{reason}{'' if mark is None else f' at line {mark.line + 1} column {mark.column + 1}'}"


class _RefusedError(Exception):
    """The document holds what is not read; what was built of it is of no use."""

    def __init__(self, code: str, message: str, location: str, suggestion: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.location = location
        self.suggestion = suggestion


class _Frame:
    """A container that is being filled; it becomes part of its parent when it is closed."""

    __slots__ = ("container", "has_key", "key", "repeated")

    def __init__(self, container: _Container) -> None:
        self.container = container
        self.has_key = False
        self.key = ""
        """Of an object: the key whose value comes next, if there is one."""
        self.repeated: Set[str] = set()

    def put(self, value: Any) -> None:
        if isinstance(self.container, list):
            self.container.append(value)
        else:
            self.container[self.key] = value
            self.has_key = False

    def place(self) -> Tuple[Any, ...]:
        """The step of a path to the value that comes next; none where a key comes next."""
        if isinstance(self.container, list):
            return (len(self.container),)
        return (self.key,) if self.has_key else ()


class _Builder:
    """Events to a document, without recursion."""

    def __init__(self, problems: ProblemList, limits: Limits) -> None:
        self._problems = problems
        self._limits = limits
        self._frames: List[_Frame] = []
        self.ends_empty = False
        """Whether the last scalar is one that is not there."""
        self._root: Any = None
        self._documents = 0
        self._repeated = 0

    def build(self, events: Iterable[Any]) -> Any:
        for event in events:
            self._take(event, type(event).__name__)
        if self._root is None:
            suggestion = 'write "recommendations:" and a list of them'
            raise _RefusedError("invalid-document", "the YAML document is empty", "", suggestion)
        return self._root

    def _take(self, event: Any, kind: str) -> None:
        if kind == "ScalarEvent":
            self.ends_empty = not event.value and not event.style
            self._refuse_tag(event)
            self._take_scalar(event)
        elif kind in ("MappingStartEvent", "SequenceStartEvent"):
            self._refuse_tag(event)
            self._open(event, {} if kind == "MappingStartEvent" else [])
        elif kind in ("MappingEndEvent", "SequenceEndEvent"):
            self._put(self._frames.pop().container)
        elif kind == "AliasEvent":
            message = f"the YAML alias {quote('*' + event.anchor)} is not read"
            raise self._refusal(event, message, "write out what it stands for")
        elif kind == "DocumentStartEvent":
            self._documents += 1
            if self._documents > 1:
                raise self._refusal(event, "the text holds more than one YAML document", "keep the one that is meant")

    def _refuse_tag(self, event: Any) -> None:
        if event.tag is not None:
            raise self._refusal(event, f"the YAML tag {quote(event.tag)} is not read", "remove it")

    def _take_scalar(self, event: Any) -> None:
        value: str = event.value
        if _SURROGATE.search(value):
            raise self._refusal(event, "a text in the YAML holds half of a surrogate pair", "remove it")
        keyed = self._object_awaiting_key()
        if keyed is not None:
            self._take_key(keyed, event, value)
        else:
            self._put(None if not event.style and value in _NULLS else value)

    def _object_awaiting_key(self) -> Optional[_Frame]:
        frame = self._frames[-1] if self._frames else None
        return frame if frame is not None and isinstance(frame.container, dict) and not frame.has_key else None

    def _take_key(self, frame: _Frame, event: Any, key: str) -> None:
        if key == "<<" and not event.style:
            raise self._refusal(event, "the YAML merge key << is not read", "write out what it merges")
        if len(key) > _LONGEST_KEY:
            message = f"a key in the YAML has {len(key):,} characters, at most {_LONGEST_KEY:,} are read"
            raise self._refusal(event, message, code="limit-exceeded")
        if key in frame.container and key not in frame.repeated:
            frame.repeated.add(key)
            self._report_repeated(event, key)
        frame.key = key
        frame.has_key = True

    def _report_repeated(self, event: Any, key: str) -> None:
        self._repeated += 1
        if self._repeated > _MOST_REPEATED:
            message = f"more than {_MOST_REPEATED} keys in the YAML are there more than once"
            raise self._refusal(event, message, "keep the ones that are meant", code="limit-exceeded")
        self._problems.add(
            "duplicate-key",
            f"the key {quote(key)} is there more than once, again at line {event.start_mark.line + 1}",
            location=self._location() + pointer((key,)),
            suggestion="keep the one that is meant",
        )

    def _open(self, event: Any, container: _Container) -> None:
        if self._object_awaiting_key() is not None:
            raise self._refusal(event, "a key in the YAML is a list or an object, not a text", "write keys as text")
        if len(self._frames) >= self._limits.max_depth:
            message = f"the YAML is nested deeper than {self._limits.max_depth} levels"
            raise self._refusal(event, message, code="limit-exceeded")
        self._frames.append(_Frame(container))

    def _put(self, value: Any) -> None:
        if self._frames:
            self._frames[-1].put(value)
        else:
            self._root = value

    def _location(self) -> str:
        """The JSON pointer of the value that comes next, or of the object whose key comes next."""
        return pointer(part for frame in self._frames for part in frame.place())

    def _refusal(
        self, event: Any, message: str, suggestion: str = "", *, code: str = "invalid-document"
    ) -> _RefusedError:
        where = f"{message}: line {event.start_mark.line + 1} column {event.start_mark.column + 1}"
        return _RefusedError(code, where, self._location(), suggestion)
