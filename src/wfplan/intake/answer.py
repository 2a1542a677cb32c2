"""What a model answers in words: where in it the document is."""

from __future__ import annotations

import re
from typing import Any, List, NamedTuple, Optional, Tuple

from wfplan.intake.aliases import looks_like_item
from wfplan.intake.brackets import Stretch, find_stretches
from wfplan.intake.broken_json import repair_json
from wfplan.intake.limits import Limits
from wfplan.intake.spelling import states_order
from wfplan.intake.syntax import parse
from wfplan.intake.text_plans import read_text_plan
from wfplan.intake.wrappers import holds_a_plan
from wfplan.intake.yaml_text import looks_like_yaml, read_yaml
from wfplan.json_values import is_list, is_object
from wfplan.names import counted
from wfplan.problems import Problem, ProblemList

__all__ = ["Found", "find_document"]

_TAGS = "think|thinking|thought|reasoning"
_THINKING = re.compile(rf"<({_TAGS})>.*?</\1>", re.DOTALL | re.IGNORECASE)
_THINKING_BEGINS = re.compile(rf"<({_TAGS})>", re.IGNORECASE)
_THINKING_ENDS = re.compile(rf"</({_TAGS})>", re.IGNORECASE)
_FENCE = re.compile(r"^[ \t]*```[^\n`]*$", re.MULTILINE)
_FENCED = re.compile(r"^[ \t]*```[^\n`]*\n(.*?)^[ \t]*```[ \t]*$", re.MULTILINE | re.DOTALL)
_KEY = re.compile(r"""\w["']?\s*:""")
_HOW_TO = 'answer with JSON alone: {"recommendations": [...]}'


class Found(NamedTuple):
    """A document in an answer."""

    document: Any
    has_pointers: bool
    """Whether JSON pointers lead to places in it; not, if it was put together from lines of text."""


def find_document(text: str, limits: Limits, problems: ProblemList) -> Found | None:
    """The one document in an answer that is not JSON as a whole; None with a problem if there is none, or several."""
    body = _without_thinking(text, problems)
    stretches = list(find_stretches(body))
    parts = _Parts(body, stretches)
    if not (parts.plans or parts.beyond):
        found = _read_lines(body, limits, problems)
        if found is not None or problems.has_errors:
            return found
    if parts.beyond is not None:
        problems.keep(parts.beyond)
        return None
    if stretches and not stretches[-1].is_closed:
        told = "the answer is cut off: a bracket is never closed"
        problems.add("invalid-document", told, suggestion="ask for the whole answer: half a plan is another plan")
        return None
    document = _choose(parts, problems)
    if document is None and not problems.has_errors:
        problems.add("invalid-document", "the answer holds no plan", suggestion=_HOW_TO)
    return None if document is None else Found(document, has_pointers=True)


def _without_thinking(text: str, problems: ProblemList) -> str:
    """The text without what the model said to itself."""
    end = _THINKING_ENDS.search(text)
    if end is not None and _THINKING_BEGINS.search(text, 0, end.start()) is None:
        text = text[end.end() :]  # of a block that began before the answer
    body = _THINKING.sub("", text)
    if end is not None:
        problems.add("thinking-block", "a thinking block is not read", suggestion="answer without it")
    return body


def _read_lines(body: str, limits: Limits, problems: ProblemList) -> Found | None:
    """The document that is not JSON at all, but one of the other forms that models write."""
    fenced = _FENCED.findall(body)
    lines = fenced[0] if len(fenced) == 1 else body
    plan = read_text_plan(lines, problems, limits)
    if plan is not None and not problems.has_errors:
        told = f"the plan is written in lines of text ({plan.form})"
        problems.add("text-plan", told, suggestion=_HOW_TO)
        return Found(plan.items, has_pointers=False)
    if problems.has_errors or lines.lstrip()[:1] in ("{", "[") or not looks_like_yaml(lines):
        return None
    document = read_yaml(lines, problems, limits)
    if document is None:
        return None
    problems.add("yaml-document", "the document is YAML; every value in it is a text", suggestion=_HOW_TO)
    return Found(document, has_pointers=True)


class _Parts:
    """The stretches of an answer, by what they hold."""

    def __init__(self, text: str, stretches: List[Stretch]) -> None:
        self.text = text
        self.plans: List[Tuple[Stretch, Any]] = []
        self.items: List[Tuple[Stretch, Any]] = []
        """Recommendations or steps that are in no list."""
        self.broken: List[Stretch] = []
        """What looks like JSON with something to read in it, and is not."""
        self.others: List[Any] = []
        self.beyond: Optional[Problem] = None
        """What is too deep or too long to be read at all."""
        for stretch in stretches:
            if stretch.is_closed:
                self._sort(stretch)

    def _sort(self, stretch: Stretch) -> None:
        part = self.text[stretch.start : stretch.end]
        silent = ProblemList()
        value = parse(part, silent)
        beyond = [problem for problem in silent.listed() if problem.code == "limit-exceeded"]
        if beyond:
            self.beyond = self.beyond or beyond[0]
        elif silent.has_errors:
            if _KEY.search(part):
                self.broken.append(stretch)
        elif holds_a_plan(value) or (value == [] and self._is_alone(stretch)):
            self.plans.append((stretch, value))
        elif looks_like_item(value):
            self.items.append((stretch, value))
        else:
            self.others.append(value)

    def _is_alone(self, stretch: Stretch) -> bool:
        """Whether nothing else is on its lines."""
        before = self.text[: stretch.start].rpartition("\n")[2]
        behind = self.text[stretch.end :].partition("\n")[0]
        return not before.strip() and not behind.strip()

    def span(self) -> Stretch:
        """From the first to the last of what is to be read, with brackets that are left over around it."""
        parts = sorted([*(stretch for stretch, _ in (*self.plans, *self.items)), *self.broken])
        behind = re.match(r"[\s\]},]*", self.text[parts[-1].end :])
        return Stretch(parts[0].start, parts[-1].end + (behind.end() if behind else 0), is_closed=True)


def _choose(parts: _Parts, problems: ProblemList) -> Any:
    """The document that the parts of an answer make; None, with a problem or not, if they make none."""
    if not (parts.plans or parts.items or parts.broken):
        return None
    if parts.plans:
        document = parts.plans[0][1]
        span = parts.plans[0][0]
        others = len(parts.items) + len(parts.broken) + sum(value != document for _, value in parts.plans)
        if others or any(map(_may_state_an_order, parts.others)):
            told = "the answer holds more than one plan, or something beside it that may belong to it"
            problems.add("ambiguous-answer", told, suggestion="answer with one plan, and nothing else")
            return None
        if len(parts.plans) > 1:
            told = f"the answer holds the same plan {len(parts.plans):,} times"
            problems.add("surrounding-text", told, suggestion="answer with JSON alone")
    else:
        span = parts.span()
        document = _join(parts, span, problems)
        if document is None:
            return None
    _tell_what_is_around(parts, span, problems)
    return document


def _join(parts: _Parts, span: Stretch, problems: ProblemList) -> Any:
    """What lies in no list, or is not quite JSON, as one document."""
    text = parts.text[span.start : span.end]
    if not parts.broken:
        if len(parts.items) == 1:
            return parts.items[0][1]
        ends = [stretch.end for stretch, _ in parts.items]
        starts = [stretch.start for stretch, _ in parts.items[1:]]
        if not any(parts.text[end:start].strip() for end, start in zip(ends, starts)):
            told = f"the answer is JSON lines: {counted(len(parts.items), 'object')} one after the other"
            problems.add("json-lines", told, suggestion="write one list")
            return [value for _, value in parts.items]
    repaired = repair_json(text, problems)
    if repaired is None or holds_a_plan(repaired) or looks_like_item(repaired):
        return repaired
    return None


def _may_state_an_order(value: Any) -> bool:
    """Whether a value beside a plan has a key that may say what waits for what."""
    pending = [value]
    while pending:
        value = pending.pop()
        if is_object(value):
            if any(map(states_order, value)):
                return True
            pending.extend(value.values())
        elif is_list(value):
            pending.extend(value)
    return False


def _tell_what_is_around(parts: _Parts, span: Stretch, problems: ProblemList) -> None:
    plans = [stretch for stretch, _ in parts.plans] or [span]
    around, end = "", 0
    for stretch in plans:
        around += parts.text[end : stretch.start]
        end = stretch.end
    around += parts.text[end:]
    rest = _FENCE.sub("", around)
    if rest != around:
        problems.add("code-fence", "the plan is in a code block", suggestion="answer with JSON alone")
    if rest.strip():
        told = f"{counted(len(rest.strip()), 'character')} around the plan are not read"
        problems.add("surrounding-text", told, suggestion="answer with JSON alone")
