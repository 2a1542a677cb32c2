"""The parts of a string that are JSON or YAML, or were meant to be: in code blocks, or with words around them."""

from __future__ import annotations

import re
from typing import Any, Iterator, List, NamedTuple

from wfplan.intake.envelope import holds_list, is_item
from wfplan.intake.syntax import Json, JsonError, Limits, parse_prefix
from wfplan.intake.yaml_syntax import Yaml, YamlError, looks_like_yaml, parse_yaml

__all__ = ["Part", "Segment", "find_parts", "segments_of"]

_OPENING = re.compile(r"[\[{]")
_TOKEN = re.compile(r'[\[\]{}"]')
_STRING_PART = re.compile(r'[^"\\]+|\\.|(")', re.DOTALL)
_BEGINS_LIKE_JSON = re.compile(r"""[\[{]\s*(?:["'\[{\]}/#.\u2026]|-?\d|true\b|false\b|null\b|\w+\s*:|\Z)""")
_MOST_IN_PROSE = 20
_MOST_PARTS = 200_000


class Part(NamedTuple):
    """A stretch of a string that is JSON or YAML, or was meant to be."""

    start: int
    end: int
    json: Json | None = None
    yaml: Yaml | None = None
    error: JsonError | YamlError | None = None
    """What is wrong with it, if it cannot be parsed."""
    is_open: bool = False
    """Whether its last bracket, or the code block that it is in, does not end."""

    @property
    def value(self) -> Any:
        """The JSON value, if it could be parsed."""
        return None if self.json is None else self.json.value


class Segment(NamedTuple):
    """A code block, or what lies between two of them."""

    start: int
    end: int
    is_code: bool
    is_open: bool = False


def segments_of(text: str) -> List[Segment]:
    """Return the code blocks of a string, and what lies between them, in order."""
    if "```" not in text and "~~~" not in text:
        return [Segment(0, len(text), is_code=False)]
    segments: List[Segment] = []
    position = begin = 0
    fence = ""
    while position < len(text):
        end = text.find("\n", position)
        behind = len(text) if end < 0 else end + 1
        head = text[position : position + 200].lstrip(" \t>")
        mark = head[:3]
        if mark in ("```", "~~~") and (not fence or mark == fence):
            line = text[position:behind].strip()
            is_fence = line.strip(mark[0]) == "" if fence else mark[0] not in line.lstrip(mark[0])
            if is_fence:
                segments.append(Segment(begin, position, bool(fence)))
                fence, begin = ("" if fence else mark), behind
        position = behind
    segments.append(Segment(begin, len(text), bool(fence), is_open=bool(fence)))
    return segments


def find_parts(text: str, limits: Limits) -> List[Part]:
    """Return the parts of a string, in order; a code block that is YAML is one of them."""
    segments = segments_of(text)
    parts: List[Part] = []
    for segment in segments:
        block = text[segment.start : segment.end]
        found = _as_yaml(block, segment, limits) if segment.is_code or len(segments) == 1 else None
        if found is not None and (found.json is None or not holds_list(found.value)):
            inner = list(_json_parts(text, segment, len(parts)))
            is_json = any(part.json and (holds_list(part.value) or is_item(part.value)) for part in inner)
            parts.extend(inner if is_json else [found])
        elif found is not None:
            parts.append(found)
        else:
            parts.extend(_json_parts(text, segment, len(parts)))
    return parts


def _as_yaml(block: str, segment: Segment, limits: Limits) -> Part | None:
    """Return a whole block as YAML, None if it does not look like it, or PyYAML is needed to read it and not there."""
    if block.lstrip()[:1] in ("{", "[") or not looks_like_yaml(block):
        return None
    try:
        yaml = parse_yaml(block, limits)
    except YamlError as error:
        return Part(segment.start, segment.end, error=error, is_open=segment.is_open)
    return Part(segment.start, segment.end, yaml.json, yaml, is_open=segment.is_open)


def _json_parts(text: str, segment: Segment, count: int) -> Iterator[Part]:
    """Return the outermost stretches in brackets of a segment, in linear time."""
    end = segment.end
    last = max(text.rfind("]", segment.start, end), text.rfind("}", segment.start, end))
    position = segment.start
    failures = passed_over = 0
    while count < _MOST_PARTS:
        opening = _OPENING.search(text, position, end)
        if opening is None:
            return
        start = opening.start()
        # The decoder counts lines from the beginning for each error, so after some it gets to see the stretch alone.
        closed = _find_end(text, start, end) if failures >= _MOST_IN_PROSE and start < last else None
        try:
            if failures < _MOST_IN_PROSE:
                json, behind = parse_prefix(text, start)
            else:
                json, behind = parse_prefix(text[start : closed or start], 0)
                behind += start
        except JsonError as found:
            at = found.position if failures < _MOST_IN_PROSE else found.position + start
            error = JsonError(found.reason, at, is_limit=found.is_limit)
            if failures < _MOST_IN_PROSE and start < last:
                closed = _find_end(text, start, end)
            failures += 1
            if closed is not None:
                yield Part(start, closed, error=error)
                position = closed
            elif _BEGINS_LIKE_JSON.match(text, start, end) or (passed_over >= _MOST_IN_PROSE and start < last):
                yield Part(start, end, error=error, is_open=True)
                return
            else:
                passed_over += 1
                position = start + 1
                continue
        else:
            yield Part(start, behind, json)
            position = behind
        count += 1
    yield Part(position, end, error=JsonError("too many parts of it are in brackets", position, is_limit=True))


def _find_end(text: str, start: int, end: int) -> int | None:
    """Return the position behind the bracket that closes the one at `start`. Brackets in strings do not count."""
    depth = 0
    position = start
    while True:
        token = _TOKEN.search(text, position, end)
        if token is None:
            return None
        position = token.end()
        mark = token.group()
        if mark == '"':
            string = _end_of_string(text, position, end)
            if string is None:
                return None
            position = string
        elif mark in "[{":
            depth += 1
        else:
            depth -= 1
            if depth == 0:
                return position


def _end_of_string(text: str, position: int, end: int) -> int | None:
    while True:
        part = _STRING_PART.match(text, position, end)
        if part is None:
            return None
        position = part.end()
        if part.group(1):
            return position
