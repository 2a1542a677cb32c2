"""Find the one document in a string: alone, in a code block, or with words around it."""

from __future__ import annotations

import re
from typing import Any, Dict, List, NamedTuple, Tuple

from wfplan._internal.extras import how_to_install
from wfplan._internal.messages import pluralize
from wfplan.intake.broken_json import RepairedJson, lacks_something, repair_json
from wfplan.intake.envelope import holds_list, is_item
from wfplan.intake.field_names import is_list_name
from wfplan.intake.syntax import HOW_TO, Json, JsonError, Limits, parse
from wfplan.intake.text_parts import Part, find_parts, segments_of
from wfplan.intake.thinking import without_thinking
from wfplan.intake.yaml_syntax import Yaml, YamlError, looks_like_yaml, parse_yaml
from wfplan.problems import ProblemCollector

__all__ = ["Alone", "Extract", "extract", "find_alone"]

_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_HAS_KEY = re.compile(r"""[\w"']\s?:""")
_LONGEST_SCALAR = 20
_MOST_PARTS = 200_000
_NO_PLAN = "the text holds no plan in JSON or YAML: plans in prose, tables and diagrams are not read"
_CUT_OFF = "ask for the whole document: half a plan is another plan"


class Extract(NamedTuple):
    """The document in a string, and what stands around it."""

    json: Json
    words: List[str]
    """Lines around the document, outside of code fences."""
    comments: List[str]
    """Comments in the document."""
    others: List[Any]
    """Other JSON values around the document."""
    yaml: Yaml | None = None
    """The same document as YAML, if it was YAML."""


class Alone(NamedTuple):
    """All that is in brackets in a string, where nothing else in it can be a document."""

    text: str
    words: List[str]
    """The lines around it, outside of code fences."""
    is_fenced: bool

    def note(self, problems: ProblemCollector) -> None:
        """Add a warning for what is around the document."""
        if self.is_fenced:
            problems.add("code-fence", "the document is in a code block", suggestion="write the document alone")
        chars = sum(len(line.strip()) for line in self.words)
        if chars:
            message = f"{pluralize(chars, 'character')} around the document are words"
            problems.add("surrounding-text", message, suggestion="write the document alone")


def find_alone(text: str) -> Alone:
    """Return what is in brackets in a string, with the lines around it; the whole text where that is not clear."""
    start = min((at for at in (text.find("{"), text.find("[")) if at >= 0), default=0)
    end = max(text.rfind("}"), text.rfind("]")) + 1
    before, behind = text[:start], text[end:]
    if start >= end or not (before.strip() or behind.strip()) or "<" in before + behind or looks_like_yaml(text):
        return Alone(text, [], is_fenced=False)
    words, fences = _without_fences(f"{before}\n{behind}".splitlines())
    if fences not in (0, 2) or _are_a_list(words):
        return Alone(text, [], is_fenced=False)
    return Alone(text[start:end], words, is_fenced=fences == 2)


def _are_a_list(words: List[str]) -> bool:
    """Return whether words have the form of a list of steps in YAML: `steps:` or `- id: a`."""
    lines = [line.strip() for line in words]
    heads = any(
        line.endswith(":") and is_list_name(line.strip(" :")) and below.startswith("-")
        for line, below in zip(lines, lines[1:])
    )
    return heads or any(line.startswith("- ") and looks_like_yaml(line) for line in lines)


def _without_fences(lines: List[str]) -> Tuple[List[str], int]:
    """Return the lines that say something, without code fences, and how many of these there are."""
    words = [line for line in lines if not line.lstrip(" \t>").startswith(("```", "~~~"))]
    return [line for line in words if line.strip()], len(lines) - len(words)


def extract(text: str, limits: Limits, problems: ProblemCollector) -> Extract | None:
    """Return the one document in a string, None with a problem if there is none, or more than one."""
    body = text.strip()
    error: JsonError | None = None
    if body[:1] in ("{", "[", '"') or len(body) <= _LONGEST_SCALAR:
        try:
            return Extract(parse(text), [], [], [])
        except JsonError as found:
            error = found
        plain = without_markdown(text)
        if plain != text:
            message = "characters are escaped as Markdown has it, not JSON"
            problems.add("markdown-escape", message, suggestion="write _ for \\_")
            return extract(plain, limits, problems)
        if error.is_limit:
            problems.add("limit-exceeded", f"the document: {error.reason}{_place(text, error.position)}")
            return None
    clear = without_thinking(text, problems)
    if clear is None:
        return None
    parts = find_parts(clear, limits)
    return _Choice(clear, parts, limits, problems).choose()


def without_markdown(text: str) -> str:
    r"""Return JSON text without the escapes of Markdown, which JSON does not know.

    >>> without_markdown(r'["rec\_1", "a\nb"]')
    '["rec_1", "a\\nb"]'
    """
    return _ESCAPE.sub(lambda found: found.group(1) if found.group(1) in "_*" else found.group(), text)


class _Choice:
    """The parts of a string, and which of them is the document."""

    def __init__(self, text: str, parts: List[Part], limits: Limits, problems: ProblemCollector) -> None:
        self._text = text
        self._parts = parts
        self._problems = problems
        self._limits = limits

    def choose(self) -> Extract | None:
        problems = self._problems
        limit = next((part for part in self._parts if part.error is not None and part.error.is_limit), None)
        if limit is not None and limit.error is not None:
            problems.add("limit-exceeded", f"the document: {limit.error.reason}{self._at(limit)}")
            return None
        plans, items, broken = self._sorted()
        if plans:
            return self._one_of(plans, [*items, *broken])
        if broken:
            return self._repaired(items, broken)
        if len(items) > 1:
            return self._joined(items)
        if items:
            return self._extract(items, items[0].json)
        whole = [part for part in self._parts if part.json is not None]
        if len(whole) == 1 and self._is_whole(
            whole[0]
        ):  # there is nothing else: what is missing in it is for the next to say
            return self._extract(whole, whole[0].json)
        problems.add("invalid-document", _NO_PLAN, suggestion=HOW_TO)
        return None

    def _sorted(self) -> Tuple[List[Part], List[Part], List[Part]]:
        """Return the parts that are plans, those that are single items, and those that cannot be parsed."""
        plans: List[Part] = []
        items: List[Part] = []
        broken: List[Part] = []
        for part in self._parts:
            if part.error is not None:
                broken.extend([part] if self._is_meant(part) else [])
            elif self._is_plan(part):
                plans.append(part)
            elif is_item(part.value):
                items.append(part)
        return plans, items, broken

    def _is_whole(self, part: Part) -> bool:
        lines = (self._text[: part.start] + self._text[part.end :]).splitlines()
        return all(not line.strip() or line.lstrip().startswith(("```", "~~~")) for line in lines)

    def _is_plan(self, part: Part) -> bool:
        return self._is_alone(part) if part.value == [] else holds_list(part.value)

    def _is_alone(self, part: Part) -> bool:
        """Return whether nothing else is on the lines of a part; only the spaces beside it are looked at."""
        text, start, end = self._text, part.start, part.end
        while start and text[start - 1] != "\n" and text[start - 1].isspace():
            start -= 1
        while end < len(text) and text[end] != "\n" and text[end].isspace():
            end += 1
        return (start == 0 or text[start - 1] == "\n") and (end == len(text) or text[end] == "\n")

    def _is_meant(self, part: Part) -> bool:
        """Return whether a part that cannot be parsed is more than a bracket in prose."""
        if isinstance(part.error, YamlError):
            return True
        return part.is_open or _HAS_KEY.search(self._text, part.start, part.end) is not None

    def _one_of(self, plans: List[Part], rivals: List[Part]) -> Extract | None:
        """Return the plan, None with a problem if something else in the text may be another, or a part of it."""
        first = plans[0]
        odd = [*(part for part in plans[1:] if not self._is_same(part, first)), *rivals]
        if odd:
            self._refuse_as_ambiguous(first, odd[0])
            return None
        if first.is_open:
            self._refuse_as_cut_off("a code block does not end", first)
            return None
        if len(plans) > 1:
            message = f"the text holds the same plan {len(plans):,} times"
            self._problems.add("surrounding-text", message, suggestion="write it once")
        return self._extract(plans, first.json)

    def _is_same(self, one: Part, other: Part) -> bool:
        if self._text[one.start : one.end] == self._text[other.start : other.end]:
            return True
        if one.json is None or other.json is None or one.json.repeated or other.json.repeated:
            return False
        return one.end - one.start < _MOST_PARTS and repr(one.value) == repr(other.value)

    def _refuse_as_ambiguous(self, one: Part, other: Part) -> None:
        what = "a plan" if other.json is not None and self._is_plan(other) else "something that may belong to it"
        broken = "" if other.error is None else f" and is broken ({other.error.reason})"
        first, second = self._line(one.start), self._line(other.start)
        message = f"a plan begins at line {first}, and {what} begins at line {second}{broken}"
        self._problems.add("ambiguous-answer", message, suggestion="keep the one that is meant, and nothing else")

    def _refuse_as_cut_off(self, reason: str, part: Part) -> None:
        message = f"the document is cut off: {reason} (it begins at line {self._line(part.start)})"
        self._problems.add("invalid-document", message, suggestion=_CUT_OFF)

    def _joined(self, items: List[Part]) -> Extract | None:
        """Return the list of items that follow each other without any words between them."""
        gaps = [self._text[one.end : other.start] for one, other in zip(items, items[1:])]
        between = next((at for at, gap in enumerate(gaps) if gap.strip()), None)
        if between is not None:
            if all(gap.strip() in ("", ",") for gap in gaps):
                return self._repaired(items, [])
            self._refuse_as_ambiguous(items[between], items[between + 1])
            return None
        if segments_of(self._text)[-1].is_open:
            self._refuse_as_cut_off("a code block does not end", items[0])
            return None
        message = f"the document is JSON lines: {pluralize(len(items), 'object')} one after the other"
        self._problems.add("json-lines", message, suggestion="write one list")
        repeated: Dict[int, List[str]] = {}
        for part in items:
            repeated.update(part.json.repeated if part.json is not None else {})
        return self._extract(items, Json([part.value for part in items], repeated))

    def _repaired(self, items: List[Part], broken: List[Part]) -> Extract | None:
        """Return what is nearly JSON as JSON, None with a problem if it cannot be known what was meant."""
        for part in broken:
            if isinstance(part.error, YamlError):
                self._refuse_yaml(part.error, part)
                return None
        last = next((part for part in broken if part.is_open), None)
        parts = sorted([*items, *broken], key=lambda part: part.start)
        start, end = parts[0].start, self._behind_brackets(parts[-1].end)
        first = broken[0].error if broken else None
        if last is not None:
            reason = "a bracket is never closed"
            if isinstance(last.error, JsonError) and last.error.position < last.end - 1:
                reason += f"; the first mistake is that {last.error.reason}{_place(self._text, last.error.position)}"
            self._refuse_as_cut_off(reason, last)
            return None
        place = "" if not isinstance(first, JsonError) else f": {first.reason}{_place(self._text, first.position)}"
        silent = ProblemCollector()
        repaired = repair_json(self._text[start:end], place, silent)
        if repaired is None or silent.has_errors:
            flow = self._as_flow(start, end)
            if flow is not None:
                return self._extract([flow], flow.json)
        for problem in silent.as_tuple():
            self._problems.append(problem)
        if repaired is None:
            return None
        if not (holds_list(repaired.value) or is_item(repaired.value)):
            self._problems.add("invalid-document", _NO_PLAN + place, suggestion=HOW_TO)
            return None
        return self._extract([Part(start, end)], Json(repaired.value, {}), repaired)

    def _as_flow(self, start: int, end: int) -> Part | None:
        """Return what is not quite JSON as YAML in flow style, None if it is not that."""
        part = self._text[start:end]
        if lacks_something(part):
            return None
        try:
            yaml = parse_yaml(part, self._limits)
        except YamlError:
            return None
        return Part(start, end, yaml.json, yaml) if holds_list(yaml.json.value) or is_item(yaml.json.value) else None

    def _behind_brackets(self, position: int) -> int:
        while position < len(self._text) and self._text[position] in " \t\r\n]},":
            position += 1
        return position

    def _refuse_yaml(self, error: YamlError, part: Part) -> None:
        line = error.line + self._line(part.start) - 1
        place = f" at line {line} column {error.column}" if error.line else ""
        if error.is_missing:
            message = "the document looks like YAML, and PyYAML is not installed"
            self._problems.add("invalid-document", message, suggestion=f"{how_to_install('yaml')}, or write it as JSON")
        else:
            message = f"the document is not YAML that can be read: {error.reason}{place}"
            self._problems.add("invalid-document", message, suggestion=error.suggestion or "correct it there")

    def _extract(self, read: List[Part], json: Json | None, repaired: RepairedJson | None = None) -> Extract | None:
        """Return the document with what stands around it, and add a warning for that."""
        words, fences = self._words_around(read)
        if _are_a_list(words):
            message = "words around the document have the form of another list of steps"
            self._problems.add("ambiguous-answer", message, suggestion="keep the one that is meant, and nothing else")
            return None
        Alone("", words, is_fenced=fences > 0).note(self._problems)
        yaml = read[0].yaml
        if yaml is not None:
            self._problems.add("yaml-document", "the document is YAML")
        comments = [comment for _, comment in yaml.comments] if yaml else repaired.comments if repaired else []
        taken = {part.start for part in read}
        others = [part.value for part in self._parts if part.json is not None and part.start not in taken]
        return Extract(json or Json(None, {}), words, comments, [] if repaired is not None else others, yaml)

    def _words_around(self, read: List[Part]) -> Tuple[List[str], int]:
        """Return the lines outside of these parts and of code fences, and how many fences there are."""
        rest: List[str] = []
        end = 0
        for part in sorted(read, key=lambda part: part.start):
            rest.append(self._text[end : part.start])
            end = part.end
        rest.append(self._text[end:])
        return _without_fences("\n".join(rest).splitlines())

    def _line(self, position: int) -> int:
        return self._text.count("\n", 0, position) + 1

    def _at(self, part: Part) -> str:
        if isinstance(part.error, JsonError):
            return _place(self._text, part.error.position)
        return f" at line {self._line(part.start)}"


def _place(text: str, position: int) -> str:
    position = min(position, len(text))
    return f" at line {text.count(chr(10), 0, position) + 1} column {position - text.rfind(chr(10), 0, position)}"
