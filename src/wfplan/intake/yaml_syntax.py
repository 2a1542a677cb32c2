"""YAML text to plain JSON values, by the core schema of YAML 1.2 (extra `yaml`)."""

from __future__ import annotations

import re
from typing import Any, Dict, Iterable, List, NamedTuple, Tuple

from wfplan._internal.extras import how_to_install
from wfplan._internal.messages import quote
from wfplan.intake.syntax import Json, Limits

__all__ = ["Yaml", "YamlError", "looks_like_yaml", "parse_yaml"]

_MOST_CHARACTERS = 4_000_000
_LONGEST_KEY = 1_024
_MOST_REPEATED = 100
_MOST_TOLD = 20
_IN_KEYS = frozenset("_./$-")
_DICT: Any = dict
_TYPE: Any = type

_UNPRINTABLE = re.compile("[^\t\n\r -~\x85\xa0-\ud7ff\ue000-\ufeff\uff00-\ufffd\U00010000-\U0010ffff]")

_NULLS = frozenset(("", "~", "null", "Null", "NULL"))
_BOOLEANS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_INTEGER = re.compile(r"[-+]?(?:0|[1-9][0-9]*)")
_HEXADECIMAL = re.compile(r"0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(?:[0-9]+\.[0-9]*|\.[0-9]+)(?:[eE][-+][0-9]+)?")
_SPECIAL = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
# What one version of YAML takes for something else than the other; most parsers read 1.1.
_DISPUTED = re.compile(
    r"[yY]es|YES|[nN]o|NO|[oO]n|ON|[oO]ff|OFF"
    r"|[-+]?0[0-9_]+|[-+]?0o[0-7]+|[-+]?0b[01_]+"
    r"|[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?"
    r"|[-+]?[0-9]+_[0-9_]*(?:\.[0-9_]*)?|[-+]?[0-9][0-9_]*\.[0-9]*_[0-9_]*"
    r"|[-+]?(?:[0-9]+|[0-9]+\.[0-9]*|\.[0-9]+)[eE][-+]?[0-9]+|[-+]0x[0-9a-fA-F]+|0x[0-9a-fA-F]*_[0-9a-fA-F_]*"
)
_MOST_DIGITS = 4300
_LONGEST_DISPUTED = 64


class Yaml(NamedTuple):
    """A parsed YAML document."""

    json: Json
    comments: List[Tuple[int, str]]
    """The comments in it, each with its line."""
    disputed: List[Tuple[Tuple[Any, ...], str]]
    """Scalars that YAML 1.1 and 1.2 read differently and that stay strings, each with its path."""
    spelled: Dict[Tuple[int, Any], str]
    """How each scalar that is not a string is written, by the identity of its container and its place in it."""


class YamlError(Exception):
    """The text is not YAML, or YAML that is not read.

    Args:
        reason: What is wrong, without its place.
        line: Counted from 1, like `column`; 0 where there is no place.
        suggestion: What to do about it.
        is_limit: Whether it is YAML, but beyond what is read.
        is_missing: Whether the reason is that PyYAML is not installed.
    """

    def __init__(
        self,
        reason: str,
        line: int = 0,
        column: int = 0,
        suggestion: str = "",
        *,
        is_limit: bool = False,
        is_missing: bool = False,
    ) -> None:
        super().__init__(reason, line, column)
        self.reason = reason
        self.line = line
        self.column = column
        self.suggestion = suggestion
        self.is_limit = is_limit
        self.is_missing = is_missing


def looks_like_yaml(text: str) -> bool:
    r"""Return whether text is written as a YAML block: it begins with a key, and a line in it has what YAML alone has.

    >>> [looks_like_yaml(text) for text in ("# two\nsteps:\n- id: a\n", '{\n"steps": [\n', "Plan: two steps")]
    [True, False, False]
    """
    lines = text.splitlines()
    first = next((line for line in map(str.strip, lines) if line and line[0] != "#"), "")
    if _behind_key(first) is None and not first.startswith(("---", "%YAML")):
        return False
    return any(_is_block_line(line) for line in map(str.strip, lines))


def _behind_key(line: str) -> str | None:
    """Return what stands behind the key of a line such as `- key: value`, None if there is no key in it."""
    key, colon, rest = line.lstrip("- ").partition(":")
    key = key.strip("\"' ")
    if not colon or not key or not (not rest or rest[0].isspace()):
        return None
    return rest.strip() if all(char.isalnum() or char in _IN_KEYS for char in key) else None


def _is_block_line(line: str) -> bool:
    """Return whether a line has what prose has not: a key with nothing behind it, or an entry that begins with one."""
    rest = _behind_key(line)
    return rest is not None and (not rest or rest[0] in "|>&!#" or line.startswith("- "))


def parse_yaml(text: str, limits: Limits) -> Yaml:
    """Return the document that YAML text stands for. Raise YamlError if it is not plain YAML.

    Plain scalars follow the core schema of YAML 1.2, less what YAML 1.1 reads differently: that stays a string, and is
    noted. Tags, aliases and merge keys are refused: they make a document say more than is written in it.
    """
    if len(text) > _MOST_CHARACTERS:
        reason = f"the YAML has {len(text):,} characters, at most {_MOST_CHARACTERS:,} are read"
        raise YamlError(reason, suggestion="write it as JSON", is_limit=True)
    try:
        import yaml
    except ImportError:
        raise YamlError("PyYAML is not installed", suggestion=how_to_install("yaml"), is_missing=True) from None
    builder = _Builder(text, limits)
    try:
        loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)(text)
        value = builder.build(iter(loader.get_event, None), yaml)
    except yaml.YAMLError as error:
        raise _as_yaml_error(error, text) from None
    except (RecursionError, MemoryError):
        raise YamlError("the YAML needs more memory than there is", is_limit=True) from None
    except (ValueError, OverflowError) as error:  # an escape or a version whose number is beyond all bounds
        raise YamlError(str(error)) from None
    if builder.ends_empty and text.rstrip(" ")[-1:] in (":", "-"):
        last = text.count("\n") + 1
        advice = "ask for the whole document, or write [] or null"
        raise YamlError("the YAML is cut off: it ends where a value is to come", last, len(text), advice)
    return Yaml(Json(value, builder.repeated), builder.comments, builder.disputed, builder.spelled)


def _as_yaml_error(error: Any, text: str) -> YamlError:
    unprintable = _UNPRINTABLE.search(text)
    if unprintable is not None:
        start = unprintable.start()
        line, column = text.count("\n", 0, start) + 1, start - text.rfind("\n", 0, start)
        return YamlError(f"YAML cannot hold the character {quote(unprintable[0])}", line, column, "remove it")
    reason = getattr(error, "problem", None) or getattr(error, "context", None) or "it cannot be parsed"
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    return YamlError(str(reason), mark.line + 1, mark.column + 1) if mark else YamlError(str(reason))


class _Builder:
    """Events to a document, without recursion: this is where a large document spends its time."""

    def __init__(self, text: str, limits: Limits) -> None:
        self._text = text
        self._limits = limits
        self._stack: List[Tuple[Any, Any]] = []
        """The containers around the one that is being filled, each with the key of the next one in it."""
        self._documents: List[int] = []
        self._end = 0
        self.comments: List[Tuple[int, str]] = []
        self.disputed: List[Tuple[Tuple[Any, ...], str]] = []
        self.spelled: Dict[Tuple[int, Any], str] = {}
        self.repeated: Dict[int, List[str]] = {}
        self.ends_empty = False
        """Whether the last scalar is one that is not there."""

    def build(self, events: Iterable[Any], yaml: Any) -> Any:  # noqa: C901, PLR0912 - one loop, for speed
        scalar, starts = yaml.ScalarEvent, (yaml.MappingStartEvent, yaml.SequenceStartEvent)
        ends = (yaml.MappingEndEvent, yaml.SequenceEndEvent)
        root: List[Any] = []
        container: Any = root
        key: Any = None
        last: Any = None
        has_comments, has_escapes = "#" in self._text, "\\" in self._text
        for event in events:
            kind: Any = _TYPE(event)
            if has_comments:
                self._look_for_comments(event)
            if kind is scalar:
                last, value = event, event.value
                if event.tag is not None or (has_escapes and not value.isascii()):
                    self._check_scalar(event)
                if key is None and type(container) is _DICT:
                    if value in container or value == "<<" or len(value) > _LONGEST_KEY:
                        self._check_key(event, container)
                    key = value
                    continue
                if not event.style:
                    value = self._resolve(event, container, key)
            elif kind in starts:
                self._check_opening(event, container, key)
                self._stack.append((container, key))
                container, key = {} if kind is starts[0] else [], None
                continue
            elif kind in ends:
                value = container
                container, key = self._stack.pop()
            else:
                self._look_at_other(event, kind.__name__)
                continue
            if key is None:
                container.append(value)
            else:
                container[key], key = value, None
        self.ends_empty = last is not None and not last.value and not last.style
        if not root or root[0] is None:
            raise YamlError("the YAML document is empty")
        return root[0]

    def _look_at_other(self, event: Any, kind: str) -> None:
        if kind == "AliasEvent":
            raise _refusal(event, f"the YAML alias {quote('*' + event.anchor)} is not read", "write it out")
        if kind == "DocumentStartEvent":
            self._start_document(event)

    def _start_document(self, event: Any) -> None:
        self._documents.append(event.start_mark.line + 1)
        if len(self._documents) > 1:
            reason = f"the text holds more than one YAML document, the first from line {self._documents[0]} on"
            raise _refusal(event, reason, "keep the one that is meant")

    def _look_for_comments(self, event: Any) -> None:
        """Keep the comments between the end of the scalar before and the start of this event."""
        start = event.start_mark.index
        if start > self._end:
            gap = self._text[self._end : start]
            if "#" in gap:
                lines = gap.split("\n")
                first = event.start_mark.line + 2 - len(lines)
                parted = ((number, line.partition("#")) for number, line in enumerate(lines, first))
                self.comments.extend((number, comment) for number, (_, mark, comment) in parted if mark)
        self._end = max(self._end, event.end_mark.index)

    def _check_scalar(self, event: Any) -> None:
        if event.tag is not None:
            raise _refusal(event, f"the YAML tag {quote(event.tag)} is not read", "remove it")
        if any("\ud800" <= char <= "\udfff" for char in event.value):
            raise _refusal(event, "a string in the YAML holds half of a surrogate pair", "remove it")

    def _resolve(self, event: Any, container: Any, key: Any) -> Any:
        """Return what a plain scalar stands for, and note how it is written if that is not a string."""
        written: str = event.value
        if written and written[0] not in "0123456789-+.~nNtTfFyYoO":
            return written
        place = len(container) if key is None else key
        value = self._core_value(event, written)
        if value is None or type(value) is str:
            is_disputed = value is not None and len(written) <= _LONGEST_DISPUTED and _DISPUTED.fullmatch(written)
            if is_disputed and len(self.disputed) < _MOST_TOLD:
                path = (*(_place(*outer) for outer in self._stack[1:]), place) if self._stack else ()
                self.disputed.append((path, written))
            return value
        self.spelled[id(container), place] = written
        return value

    def _core_value(self, event: Any, written: str) -> Any:
        """Return the value of a plain scalar by the core schema, a string where versions of YAML differ."""
        if written in _NULLS:
            return None
        if written in _BOOLEANS:
            return _BOOLEANS[written]
        if _INTEGER.fullmatch(written):
            if len(written) > _MOST_DIGITS:
                raise _refusal(event, f"a number has more than {_MOST_DIGITS:,} digits", is_limit=True)
            return int(written)
        if _FLOAT.fullmatch(written):
            return float(written)
        if _SPECIAL.fullmatch(written):
            return float(written.replace(".", ""))
        return int(written, 16) if _HEXADECIMAL.fullmatch(written) else written

    def _check_key(self, event: Any, container: Dict[str, Any]) -> None:
        key = event.value
        if key == "<<" and not event.style:
            raise _refusal(event, "the YAML merge key << is not read", "write out what it merges")
        if len(key) > _LONGEST_KEY:
            reason = f"a key in the YAML has {len(key):,} characters, at most {_LONGEST_KEY:,} are read"
            raise _refusal(event, reason, is_limit=True)
        if key in container:
            keys = self.repeated.setdefault(id(container), [])
            if key not in keys[:_MOST_REPEATED]:
                keys.append(key)
            if len(keys) > _MOST_REPEATED or len(self.repeated) > _MOST_REPEATED:
                reason = f"more than {_MOST_REPEATED} keys in the YAML are there more than once"
                raise _refusal(event, reason, "keep the ones that are meant", is_limit=True)

    def _check_opening(self, event: Any, container: Any, key: Any) -> None:
        if event.tag is not None:
            raise _refusal(event, f"the YAML tag {quote(event.tag)} is not read", "remove it")
        if key is None and type(container) is _DICT:
            raise _refusal(event, "a key in the YAML is a list or an object, not a string", "write keys as strings")
        if len(self._stack) >= self._limits.max_depth:
            reason = f"the YAML is nested deeper than {self._limits.max_depth} levels"
            raise _refusal(event, reason, is_limit=True)


def _place(container: Any, key: Any) -> Any:
    """Return where in a container the value that comes next goes."""
    return len(container) if key is None else key


def _refusal(event: Any, reason: str, suggestion: str = "", *, is_limit: bool = False) -> YamlError:
    mark = event.start_mark
    return YamlError(reason, mark.line + 1, mark.column + 1, suggestion, is_limit=is_limit)
