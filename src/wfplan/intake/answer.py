"""What a model answers in words: where in it the document is."""

from __future__ import annotations

import re
from typing import Any, Iterator, List, NamedTuple, Optional, Set, Tuple

from wfplan.intake.aliases import canonical_field, looks_like_item, plain
from wfplan.intake.brackets import Stretch, find_stretches
from wfplan.intake.broken_json import repair_json
from wfplan.intake.limits import Limits
from wfplan.intake.plan_looks import holds_a_plan
from wfplan.intake.spelling import as_id, has_arrow, ids_named_in, may_state_order, states_order
from wfplan.intake.syntax import has_plain_objects, parse
from wfplan.intake.text_plans import TextPlan, read_text_plan
from wfplan.intake.thinking import without_thinking
from wfplan.intake.yaml_text import looks_like_yaml, read_yaml
from wfplan.json_values import is_list, is_object
from wfplan.names import counted
from wfplan.problems import Problem, ProblemList

__all__ = ["CUT_OFF", "NO_PLAN", "Found", "find_document"]

NO_PLAN = "the answer holds no plan"
CUT_OFF = "the answer is cut off"

_FENCE = re.compile(r"^[ \t]*```[^\n`]*$", re.MULTILINE)
_KEY = re.compile(r"""\w["']?\s*:""")
_STATED = re.compile(r"^\W*(\w[\w -]*\w|\w)[ \t]*[:=]", re.MULTILINE)
_HOW_TO = 'answer with JSON alone: {"recommendations": [...]}'
_MOST_PARTS = 1_000_000
_ONE_PLAN = "answer with one plan, and nothing else"


class Found(NamedTuple):
    """A document in an answer."""

    document: Any
    has_pointers: bool
    """Whether JSON pointers lead to places in it; not, if it was put together from lines of text."""


def find_document(text: str, limits: Limits, problems: ProblemList) -> Found | None:
    """The one document in an answer that is not JSON as a whole; None with a problem if there is none, or several."""
    body = without_thinking(text, problems)
    if body is None:
        return None
    stretches: List[Stretch] = []
    for stretch in find_stretches(body):
        if len(stretches) == _MOST_PARTS:
            problems.add("limit-exceeded", f"more than {_MOST_PARTS:,} parts of the answer are in brackets")
            return None
        stretches.append(stretch)
    parts = _Parts(body, stretches)
    if parts.beyond is not None:
        problems.keep(parts.beyond)
        return None
    lines = _Lines(parts, limits)
    if parts.holds_json:
        if lines.plans or lines.has_yaml:
            _refuse_as_ambiguous(problems)
            return None
    else:
        found = lines.read(problems)
        if found is not None or problems.has_errors:
            return found
    if stretches and not stretches[-1].is_closed:
        told = f"{CUT_OFF}: a bracket is never closed"
        problems.add("invalid-document", told, suggestion="ask for the whole answer: half a plan is another plan")
        return None
    document = _choose(parts, problems)
    if document is None and not problems.has_errors:
        problems.add("invalid-document", NO_PLAN, suggestion=_HOW_TO)
    return None if document is None else Found(document, has_pointers=True)


def _refuse_as_ambiguous(problems: ProblemList) -> None:
    told = "the answer holds more than one plan, or something beside it that may belong to it"
    problems.add("ambiguous-answer", told, suggestion=_ONE_PLAN)


def _refuse_as_open(problems: ProblemList) -> None:
    """What is written in lines might have had more of them."""
    told = f"{CUT_OFF}: a code block does not end"
    problems.add("invalid-document", told, suggestion="ask for the whole answer")


class _Parts:
    """The stretches of an answer, by what they hold."""

    def __init__(self, text: str, stretches: List[Stretch]) -> None:
        self.text = text
        self.plans: List[Tuple[Stretch, Any]] = []
        self.items: List[Tuple[Stretch, Any]] = []
        """Recommendations or steps that are in no list."""
        self.broken: List[Stretch] = []
        """What looks like JSON with something to read in it, and is not."""
        self.others: List[Tuple[Stretch, Any]] = []
        """What is none of these, with its value; None if it is not JSON."""
        self.beyond: Optional[Problem] = None
        """What is too deep or too long to be read at all."""
        for stretch in stretches:
            if stretch.is_closed:
                self._sort(stretch)

    def of(self, stretch: Stretch) -> str:
        return self.text[stretch.start : stretch.end]

    @property
    def holds_json(self) -> bool:
        """Whether there is JSON in it that is a plan, or makes one."""
        return bool(self.plans) or len(self.items) > 1

    def _sort(self, stretch: Stretch) -> None:
        part = self.of(stretch)
        silent = ProblemList()
        value = parse(part, silent)
        beyond = [problem for problem in silent.listed() if problem.code == "limit-exceeded"]
        if beyond:
            self.beyond = self.beyond or beyond[0]
        elif silent.has_errors and _KEY.search(part):
            self.broken.append(stretch)
        elif silent.has_errors:
            self.others.append((stretch, None))
        elif holds_a_plan(value) or (value == [] and self._is_alone(stretch)):
            self.plans.append((stretch, value))
        elif looks_like_item(value):
            self.items.append((stretch, value))
        else:
            self.others.append((stretch, value))

    def _is_alone(self, stretch: Stretch) -> bool:
        """Whether nothing else is on its lines."""
        before, behind = stretch.start - 1, stretch.end
        while before >= 0 and self.text[before] in " \t\r":
            before -= 1
        while behind < len(self.text) and self.text[behind] in " \t\r":
            behind += 1
        return (before < 0 or self.text[before] == "\n") and (behind == len(self.text) or self.text[behind] == "\n")

    def span(self) -> Stretch:
        """From the first to the last of what is to be read, with brackets that are left over around it."""
        parts = sorted([*(stretch for stretch, _ in (*self.plans, *self.items)), *self.broken])
        behind = re.compile(r"[\s\]},]*").match(self.text, parts[-1].end)
        return Stretch(parts[0].start, behind.end() if behind else parts[-1].end, is_closed=True)

    def around(self, stretches: List[Stretch]) -> Iterator[str]:
        """The text outside of these stretches."""
        end = 0
        for stretch in stretches:
            yield self.text[end : stretch.start]
            end = stretch.end
        yield self.text[end:]


class _Lines:
    """The parts of an answer that are not JSON at all, but may be one of the other forms that models write."""

    def __init__(self, parts: _Parts, limits: Limits) -> None:
        self._limits = limits
        if parts.holds_json:
            read = [stretch for stretch, _ in (*parts.plans, *parts.items)]
            self._blocks = ["".join(parts.around(sorted(read)))]
        else:
            self._blocks = list(_blocks_of(parts.text))
        self._fences = len(_FENCE.findall(parts.text))
        self.plans: List[Tuple[TextPlan, ProblemList]] = []
        self._yaml: List[str] = []
        self._others: List[str] = []
        for block in self._blocks:
            silent = ProblemList()
            plan = read_text_plan(block, silent, limits)
            is_yaml = block.lstrip()[:1] not in ("{", "[") and looks_like_yaml(block)
            if plan is not None:
                self.plans.append((plan, silent))
            if is_yaml:
                self._yaml.append(block)
            if plan is None and not is_yaml:
                self._others.append(block)

    @property
    def has_yaml(self) -> bool:
        """Whether there is something that looks like a plan in YAML."""
        return bool(self._yaml)

    def read(self, problems: ProblemList) -> Found | None:
        """The one document of this kind; None with a problem if there are several, without if there is none."""
        if len(self.plans) + len(self._yaml) > 1:
            _refuse_as_ambiguous(problems)
            return None
        if not (self.plans or self._yaml):
            return None
        if self._fences % 2:
            _refuse_as_open(problems)
            return None
        if self._fences:
            problems.add("code-fence", "the plan is in a code block", suggestion=_HOW_TO)
        if len([block for block in self._blocks if block.strip()]) > 1:
            problems.add("surrounding-text", "the text around the plan is not read", suggestion=_HOW_TO)
        found = self._read_plan(problems) if self.plans else self._read_yaml(problems)
        if found is None:
            return None
        ids, states_any = _ids_in(found.document)
        if not states_any and _tells_order("\n".join(self._others), ids):
            _refuse_as_ambiguous(problems)
            return None
        return found

    def _read_plan(self, problems: ProblemList) -> Found | None:
        plan, found = self.plans[0]
        for problem in found.listed():
            problems.keep(problem)
        if found.has_errors:
            return None
        told = f"the plan is written in lines of text ({plan.form})"
        problems.add("text-plan", told, suggestion=_HOW_TO)
        return Found(plan.items, has_pointers=False)

    def _read_yaml(self, problems: ProblemList) -> Found | None:
        document = read_yaml(self._yaml[0], problems, self._limits)
        if document is None:
            return None
        problems.add("yaml-document", "the document is YAML; every value in it is a text", suggestion=_HOW_TO)
        return Found(document, has_pointers=True)


def _blocks_of(text: str) -> Iterator[str]:
    """The code blocks of a text, and all that is outside of them as one."""
    outside: List[str] = []
    position, is_inside = 0, False
    for fence in _FENCE.finditer(text):
        part = text[position : fence.start()]
        if is_inside:
            yield part
        else:
            outside.append(part)
        position, is_inside = fence.end(), not is_inside
    outside.append(text[position:])
    yield "".join(outside)


def _choose(parts: _Parts, problems: ProblemList) -> Any:
    """The document that the parts of an answer make; None, with a problem or not, if they make none."""
    if parts.plans:
        stretch, document = parts.plans[0]
        read = [stretch for stretch, _ in parts.plans]
        if parts.items or parts.broken or not all(_is_same(parts.of(stretch), parts.of(other)) for other in read[1:]):
            _refuse_as_ambiguous(problems)
            return None
        if len(read) > 1:
            told = f"the answer holds the same plan {len(read):,} times"
            problems.add("surrounding-text", told, suggestion="answer with JSON alone")
    elif parts.items or parts.broken:
        read = [parts.span()]
        document = _join(parts, read[0], problems)
    else:
        return None
    if document is None:
        return None
    rest = _FENCE.sub("", "".join(parts.around(read)))
    if _may_belong_to(document, parts, rest):
        _refuse_as_ambiguous(problems)
        return None
    if _FENCE.search(parts.text):
        problems.add("code-fence", "the plan is in a code block", suggestion="answer with JSON alone")
    if rest.strip():
        told = f"{counted(len(rest.strip()), 'character')} around the plan are not read"
        problems.add("surrounding-text", told, suggestion="answer with JSON alone")
    return document


def _is_same(one: str, other: str) -> bool:
    """Whether two texts are the same JSON, but for the spaces in it, and say nothing twice."""
    if one == other:
        return True
    if not (has_plain_objects(one) and has_plain_objects(other)):
        return False
    return repr(parse(one, ProblemList())) == repr(parse(other, ProblemList()))


def _join(parts: _Parts, span: Stretch, problems: ProblemList) -> Any:
    """What lies in no list, or is not quite JSON, as one document."""
    if not parts.broken:
        if len(parts.items) == 1:
            return parts.items[0][1]
        ends = [stretch.end for stretch, _ in parts.items]
        starts = [stretch.start for stretch, _ in parts.items[1:]]
        if not any(parts.text[end:start].strip() for end, start in zip(ends, starts)):
            if len(_FENCE.findall(parts.text)) % 2:
                _refuse_as_open(problems)
                return None
            told = f"the answer is JSON lines: {counted(len(parts.items), 'object')} one after the other"
            problems.add("json-lines", told, suggestion="write one list")
            return [value for _, value in parts.items]
    repaired = repair_json(parts.of(span), problems)
    if repaired is None or holds_a_plan(repaired) or looks_like_item(repaired):
        return repaired
    return None


def _may_belong_to(document: Any, parts: _Parts, rest: str) -> bool:
    """Whether something beside a document may say what waits for what in it."""
    ids, states_any = _ids_in(document)
    for stretch, value in parts.others:
        if value is not None and may_state_order(value, ids):
            return True
        if len(ids_named_in(parts.of(stretch), ids)) > 1:
            return True
    return not states_any and _tells_order(rest, ids)


def _tells_order(text: str, ids: Set[str]) -> bool:
    """Whether words may say what waits for what."""
    return has_arrow(text, ids) or any(map(states_order, _STATED.findall(text)))


def _ids_in(document: Any) -> Tuple[Set[str], bool]:
    """The ids and names in a document, and whether anything in it needs something."""
    ids: Set[str] = set()
    states_any = False
    pending: List[Any] = [document]
    while pending:
        value = pending.pop()
        if is_object(value):
            for key, inner in value.items():
                field = canonical_field(key, ("id", "dependencies"))
                id_ = as_id(inner) if field == "id" or plain(key) == "name" else None
                if id_ is not None:
                    ids.add(id_)
                if is_object(inner):
                    ids.add(key)
                states_any = states_any or (field == "dependencies" and inner not in (None, "", [], {}))
            pending.extend(value.values())
        elif is_list(value):
            pending.extend(value)
    return ids, states_any
