"""Plans written as lines of text: LLMCompiler's calls, TaskWeaver's tagged prose, WorFBench's nodes and edges."""

from __future__ import annotations

import re
from typing import Any, Dict, Iterator, List, Match, NamedTuple, Optional, Pattern, Tuple

from wfplan.intake.limits import DEFAULT, Limits
from wfplan.names import counted, quote
from wfplan.problems import ProblemList

__all__ = ["TextPlan", "read_text_plan"]

_LINE = re.compile(r"[^\n]+")
_FENCE = "```"
_END_OF_PLAN = "<END_OF_PLAN>"
_JOINS = frozenset(("join", "finish"))
_SENTINELS = frozenset(("START", "END"))

# A number where a step would have one, under whatever decoration: "2)", "Step 2:", "1.1".
_NUMBER_IN_FRONT = re.compile(r"(?:(?:step|task|node)\s*#?)?[0-9]+[a-z]?\s*(?:[.):\]*]|-\s)", re.IGNORECASE)
_DECORATION = "-*>#_`([ \t"

_CALL = re.compile(r"([0-9]+)\.\s*([^\W\d][\w.-]*)\(")
# A call that does not begin its line; the length of its name is bounded, since each digit may be the number of one.
_CALL_WITHIN = re.compile(r"(?<![0-9])[0-9]+\.\s*[^\W\d][\w.-]{0,99}\(")
_CALL_ASTRAY = re.compile(rf"^[^\W\d][\w.-]*\(|{_CALL_WITHIN.pattern}")
_CALLS_ANYWHERE = re.compile(rf"^[ \t]*{_CALL.pattern}", re.MULTILINE)
_CALL_LINE = re.compile(rf"{_CALL.pattern}|Thought:|{_END_OF_PLAN}$")
_REFERENCE = re.compile(r"(?<!\$)(\$+)(\{\s*)?([0-9]+)(\s*\})?")
# A step that follows a call on its line is one even where quotes, which may be apostrophes, are around it.
_CALL_AFTER_CALL = re.compile(r"\)[\s;,]*[0-9]+\.\s*\w+\(")
_PARENTHESIS = re.compile(r"[()]")
_PARENTHESIS_OR_QUOTED = re.compile(r"""\\.|"[^"\\]*(?:\\.[^"\\]*)*"|(?<!\w)'[^'\\]*(?:\\.[^'\\]*)*'|[()]""")

_NUMBERED = re.compile(r"([0-9]+)[.)](?![0-9])\s*")
_TAGGED_ANYWHERE = re.compile(r"^[ \t]*[0-9]+[.)].*<[^<>\n]*depend.*", re.MULTILINE | re.IGNORECASE)
_TAG = re.compile(r"<([^<>]*)>")
_TAG_WORDS = re.compile(r"depend|sequential|interactive|\bon #?[0-9]", re.IGNORECASE)
_OPEN_TAG = re.compile(r"<[^<>]*(?:depend|sequential|interactive)", re.IGNORECASE)
_TAG_BEGINNINGS = ("depends on ", "sequentially depends on ", "interactively depends on ")
_KIND = r"(?:sequential|interactive)(?:ly)?"
_DEPENDS = re.compile(rf"(?:{_KIND} (?:or {_KIND} )?)?depend(?:s|ent|ing)? (?:up)?on\b:? ?", re.IGNORECASE)
_SEPARATOR = re.compile(r" ?, ?(?:and )?| and | ?& ?", re.IGNORECASE)
_TAG_NUMBER = re.compile(r"(?:(?:sub)?(?:step|task)s? )?#?([0-9]+)", re.IGNORECASE)
_UNTAGGED = re.compile(
    r"\bdepend\w* (?:up)?on\b.{0,40}?[0-9]|(?:,|\band|\bon) ?#?[0-9]+ ?>"
    r"|\b(?:after|needs?|requires?|waits? for) (?:sub)?(?:step|task)s? #?[0-9]",
    re.IGNORECASE,
)
_STEP_AFTER_STEP = re.compile(r"(?:[;>)] ?|[,.] )[0-9]+[.)] [^\W\d]")
_NUMBER_WITHIN = re.compile(r"(?<!\w)([0-9]{1,9})[.)] ?[^\W\d]")

_HEADER = re.compile(r"(node|edge)s?[ \t]*:\s*", re.IGNORECASE)
_NODES_ANYWHERE = re.compile(r"^[ \t]*nodes?[ \t]*:(?:[ \t]*\n)*[ \t]*[0-9]+[ \t]*:", re.MULTILINE | re.IGNORECASE)
_EDGES_ANYWHERE = re.compile(r"^[ \t]*edges?[ \t]*:", re.MULTILINE | re.IGNORECASE)
_NODE = re.compile(r"([0-9]+)\s*:\s*")
_NODE_AFTER_NODE = re.compile(r"\s[0-9]+: ")
_PAIR = re.compile(r"\(([^(),]*),([^(),]*)\)")


class TextPlan(NamedTuple):
    """What a plan in lines of text says."""

    form: str
    """Who writes it so: `LLMCompiler`, `TaskWeaver` or `WorFBench`."""
    items: List[Dict[str, Any]]
    """Recommendations in the order of the text, their ids the numbers as written; none beyond a limit.

    Those of TaskWeaver and WorFBench have a description and no action.
    """


class _Line(NamedTuple):
    number: int
    text: str
    after_blank: bool = False


class _Beyond(Exception):  # noqa: N818 - no error: how reading ends at a limit
    """The text holds more than is read."""


def read_text_plan(text: str, problems: ProblemList, limits: Limits = DEFAULT) -> TextPlan | None:
    """The plan that lines of text state; None if they are in none of the known forms.

    What may lose or change a dependency is a problem: a line that cannot be read, text between the steps, an end that
    is missing. Prose may stand before the first step, and after the last one below a blank line.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    form = _form_of(text)
    if form is None:
        return None
    items: List[Dict[str, Any]] = []
    try:
        _READERS[form](text, items, _Findings(problems, limits))
    except _Beyond as beyond:
        problems.add("limit-exceeded", str(beyond))
        items = []
    return TextPlan(form, items)


def _form_of(text: str) -> str | None:
    if _NODES_ANYWHERE.search(text) and _EDGES_ANYWHERE.search(text):
        return "WorFBench"
    if any(not _is_whole_call(match[0].strip()) for match in _TAGGED_ANYWHERE.finditer(text)):
        return "TaskWeaver"
    return "LLMCompiler" if _CALLS_ANYWHERE.search(text) else None


def _is_whole_call(text: str) -> bool:
    """Whether a tag in this line can only be in the arguments of a call."""
    return _CALL.match(text) is not None and _without_end(text).endswith(")")


class _Findings:
    """What is told about a text, and how much of it is looked at."""

    def __init__(self, problems: ProblemList, limits: Limits) -> None:
        self._problems = problems
        self._limits = limits
        self._steps = 0
        self._dependencies = 0

    def add(self, line: _Line, message: str, suggestion: str, code: str = "invalid-document") -> None:
        self._problems.add(code, f"line {line.number:,}: {message}", suggestion=suggestion)

    def add_whole(self, message: str, suggestion: str) -> None:
        """Add a problem of the whole text."""
        self._problems.add("invalid-document", message, suggestion=suggestion)

    @property
    def most_dependencies(self) -> int:
        return self._limits.max_dependencies

    def count_step(self) -> None:
        self._steps += 1
        if self._steps > self._limits.max_steps:
            raise _Beyond(f"the text has more than {self._limits.max_steps:,} steps, no more are read")

    def count_dependencies(self, number: int) -> None:
        self._dependencies += number
        if self._dependencies > self._limits.max_dependencies:
            raise _Beyond(f"the text has more than {self._limits.max_dependencies:,} dependencies, no more are read")


def _lines(text: str) -> Iterator[_Line]:
    """The lines that are not blank, without the spaces around them."""
    number, end, shown = 1, 0, 0
    for match in _LINE.finditer(text):
        number += match.start() - end
        end = match.end()
        stripped = match[0].strip()
        if stripped:
            yield _Line(number, stripped, number - shown > 1)
            shown = number


def _looks_like_a_step(text: str) -> bool:
    return _NUMBER_IN_FRONT.match(text.lstrip(_DECORATION)) is not None


class _Prose:
    """The text around the steps: it may stand before all of them and below them, not between them."""

    def __init__(self, findings: _Findings) -> None:
        self._findings = findings
        self._begun = False
        self._is_below_end = False
        self._first: Optional[_Line] = None
        self._count = 0

    def add(self, line: _Line) -> None:
        self._first = self._first or line
        self._count += 1

    def meet_step(self, *, is_last: bool = False) -> None:
        """A step comes: what was there since the one before stands between the two."""
        if self._begun:
            self._report()
        self._begun, self._is_below_end, self._first, self._count = True, is_last, None, 0

    def end(self) -> None:
        """No step comes any more: a line right below the last one may belong to it."""
        first = self._first
        if first is not None and not (self._is_below_end or first.after_blank or first.text.startswith(_FENCE)):
            self._report()

    def _report(self) -> None:
        if self._first is not None:
            more = f" and {counted(self._count - 1, 'more line')}" if self._count > 1 else ""
            message = f"the text {quote(self._first.text)}{more} among the steps belongs to none of them"
            self._findings.add(self._first, message, "write each step on one line, and nothing between the steps")


def _known_lines(
    text: str, known: Pattern[str], suspicious: Pattern[str], findings: _Findings
) -> Iterator[Tuple[_Line, Match[str]]]:
    """The lines that begin as known ones do; others are prose, or problems where a step or an edge may be in them."""
    prose = _Prose(findings)
    for line in _lines(text):
        match = known.match(line.text)
        if match is not None:
            prose.meet_step(is_last=line.text.endswith(_END_OF_PLAN))
            yield line, match
        elif _looks_like_a_step(line.text) or suspicious.search(line.text):
            message = f"{quote(line.text)} looks like a step and cannot be read as one"
            findings.add(line, message, "number the steps 1, 2, 3 and write all of them in the same way, one a line")
        else:
            prose.add(line)
    prose.end()


# LLMCompiler: `1. tool(args)`


def _read_calls(text: str, items: List[Dict[str, Any]], findings: _Findings) -> None:
    thoughts: List[str] = []
    unclear: Dict[str, _Line] = {}
    end = ""
    for line, match in _known_lines(text, _CALL_LINE, _CALL_ASTRAY, findings):
        if match[1] is None:
            if line.text.startswith("Thought:"):
                thoughts.append(line.text[len("Thought:") :].strip())
                _report_call_within(line, findings)
            end = end or (_END_OF_PLAN if line.text == _END_OF_PLAN else "")
            continue
        findings.count_step()
        if end:
            findings.add(line, f"a step comes after {end}, which ends the plan", "make it the last step")
        is_join = match[2].lower() in _JOINS and not end
        arguments = _arguments(line, match.end(), findings)
        before = [item["id"] for item in items] if is_join else []
        needs = _references(arguments, line, unclear, findings)
        findings.count_dependencies(len(before))
        items.append(_call(match, arguments, thoughts, [*before, *needs]))
        thoughts = []
        end = f"{match[2]}()" if is_join else end or (_END_OF_PLAN if line.text.endswith(_END_OF_PLAN) else "")
    if not end:
        suggestion = f"ask for the whole answer; write join() as the last step, or {_END_OF_PLAN} below it"
        findings.add_whole(f"the plan has no end, it may be cut off: no join() and no {_END_OF_PLAN}", suggestion)
    for item in items:
        unclear_at = unclear.pop(item["id"], None)
        if unclear_at is not None:
            message = f"it is not clear whether ${item['id'][:20]} in a longer word stands for the result of that step"
            findings.add(unclear_at, message, f"write ${{{item['id'][:20]}}} if it does, $$ if it does not")


def _call(match: Match[str], arguments: str, thoughts: List[str], needs: List[str]) -> Dict[str, Any]:
    item: Dict[str, Any] = {"id": match[1], "action": match[2]}
    if arguments:
        item["parameters"] = {"arguments": arguments}
    if thoughts:
        item["description"] = " ".join(thoughts)
    return {**item, "dependencies": list(dict.fromkeys(needs))}


def _report_call_within(thought: _Line, findings: _Findings) -> None:
    if _CALL_WITHIN.search(thought.text):
        message = f"there is a step in the thought {quote(thought.text)}"
        findings.add(thought, message, "write each step on a line of its own")


def _without_end(text: str) -> str:
    return text[: -len(_END_OF_PLAN)].rstrip() if text.endswith(_END_OF_PLAN) else text


def _arguments(line: _Line, start: int, findings: _Findings) -> str:
    """What stands in the parentheses of a call; adds a problem if it is not clear where they close."""
    call = _without_end(line.text)
    arguments = call[start:]
    if not arguments.endswith(")"):
        message = f"the call {quote(call)} does not end with its closing parenthesis"
        findings.add(line, message, "write each call on one line, and nothing after it")
        return arguments.strip()
    arguments = arguments[:-1].strip()
    closes = any(_is_balanced(arguments, tokens) for tokens in (_PARENTHESIS, _PARENTHESIS_OR_QUOTED))
    if not closes or _CALL_AFTER_CALL.search(arguments):
        message = f"it is not clear where the parenthesis of the call {quote(call)} closes"
        findings.add(line, message, "write one call a line, and close every parenthesis in it")
    return arguments


def _is_balanced(text: str, tokens: Pattern[str]) -> bool:
    depth = 0
    for match in tokens.finditer(text):
        mark = match[0]
        depth += (mark == "(") - (mark == ")")
        if depth < 0:
            return False
    return depth == 0


def _references(text: str, line: _Line, unclear: Dict[str, _Line], findings: _Findings) -> List[str]:
    """The numbers in `$1` and `${1}`, each once; those in longer words go to the unclear ones."""
    found: Dict[str, None] = {}
    end = -1
    for match in _REFERENCE.finditer(text):
        dollars, opened, number, closed = match.groups()
        if dollars != "$":
            continue
        start = match.start()
        is_within_word = not opened and start != end and _is_word(text[max(start - 1, 0) : start])
        runs_on = not closed and (opened is not None or _is_word(text[match.end() : match.end() + 1]))
        if is_within_word or runs_on:
            unclear.setdefault(number, line)
        elif number not in found:
            findings.count_dependencies(1)
            found[number] = None
        end = match.end()
    return list(found)


def _is_word(char: str) -> bool:
    return char.isalnum() or char == "_"


# TaskWeaver: `2. count the rows <sequentially depends on 1>`


def _read_tagged(text: str, items: List[Dict[str, Any]], findings: _Findings) -> None:
    for line, match in _known_lines(text, _NUMBERED, _OPEN_TAG, findings):
        findings.count_step()
        step = " ".join(line.text[match.end() :].split())
        prose, needs = _split_tags(step, line, findings)
        if not prose:
            findings.add(line, f"step {quote(match[1])} does not say what it does", "write what it does")
        _report_hidden_edges(match[1], step, prose, line, findings)
        items.append({"id": match[1], "description": prose, "dependencies": needs})


def _split_tags(step: str, line: _Line, findings: _Findings) -> Tuple[str, List[str]]:
    """The prose of a step, and the numbers in its tags."""
    parts: List[str] = []
    needs: Dict[str, None] = {}
    end = 0
    for tag in _TAG.finditer(step):
        if not _TAG_WORDS.search(tag[1]):
            continue
        parts.append(step[end : tag.start()])
        end = tag.end()
        numbers = _tag_numbers(tag[1].strip(), findings)
        if numbers is None:
            suggestion = "list the numbers: <sequentially depends on 1, 2>; leave the tag out where there are none"
            findings.add(line, f"the tag {quote(tag[0])} cannot be read", suggestion)
        else:
            needs.update(dict.fromkeys(numbers))
    parts.append(step[end:])
    return " ".join(" ".join(parts).split()), list(needs)


def _tag_numbers(tag: str, findings: _Findings) -> List[str] | None:
    """The numbers that a tag lists; None if anything else is in it."""
    depends = _DEPENDS.match(tag)
    if depends is None:
        return None
    numbers: List[str] = []
    for part in _SEPARATOR.split(tag[depends.end() :], findings.most_dependencies):
        number = _TAG_NUMBER.fullmatch(part)
        if number is None:
            return None
        numbers.append(number[1])
    findings.count_dependencies(len(numbers))
    return numbers


def _report_hidden_edges(number: str, step: str, prose: str, line: _Line, findings: _Findings) -> None:
    """Add a problem where a step may say of a dependency, or of another step, what its tags do not."""
    as_tag = "write it as a tag: <sequentially depends on 1>"
    if _has_open_tag(prose):
        findings.add(line, f"a tag is not closed in {quote(prose)}", as_tag)
    elif _UNTAGGED.search(prose):
        findings.add(line, f"{quote(prose)} names a step that it needs outside of a tag", as_tag)
    following = str(int(number) + 1) if len(number) < 10 else ""
    if _STEP_AFTER_STEP.search(step) or any(match[1] == following for match in _NUMBER_WITHIN.finditer(step)):
        findings.add(line, f"there is more than one step in {quote(step)}", "write each step on a line of its own")
    if _CALL.match(line.text) and _REFERENCE.search(step):
        findings.add(line, f"{quote(step)} is a call with a reference, among steps with tags", as_tag)


def _has_open_tag(prose: str) -> bool:
    """Whether a tag begins and does not end; the line may be cut off after any of its characters."""
    _, begin, last = prose.rpartition("<")
    is_beginning = begin != "" and any(beginning.startswith(last.lower()) for beginning in _TAG_BEGINNINGS)
    return is_beginning or _OPEN_TAG.search(prose) is not None


# WorFBench: `Node: 1: wash` and `Edge: (START,1) (1,END)`


def _read_graph(text: str, items: List[Dict[str, Any]], findings: _Findings) -> None:
    edges: Dict[Tuple[str, str], _Line] = {}
    seen: List[str] = []
    prose = _Prose(findings)
    for line in _lines(text):
        header = _HEADER.match(line.text)
        if header is not None:
            if header[1].lower() in seen:
                findings.add(line, f"a second list begins: {quote(line.text)}", "keep the one that is meant")
            seen.append(header[1].lower())
            line = line._replace(text=line.text[header.end() :])  # noqa: PLW2901 - its rest is a line of the list
        if not line.text:
            continue
        if seen[-1:] == ["node"]:
            _read_node(line, items, findings)
        elif seen and "(" in line.text:
            prose.meet_step()
            _read_edges(line, edges, findings)
        elif _looks_like_a_step(line.text):
            findings.add(line, f"{quote(line.text)} is in neither list", 'write it below "Node:"')
        else:
            prose.add(line)
    prose.end()
    _connect(items, edges, findings)


def _read_node(line: _Line, items: List[Dict[str, Any]], findings: _Findings) -> None:
    match = _NODE.match(line.text)
    description = "" if match is None else line.text[match.end() :]
    if match is None or not description or _NODE_AFTER_NODE.search(description):
        findings.add(
            line, f"{quote(line.text)} is not one node", "write each node on a line of its own: 1: what it does"
        )
    if match is not None:
        findings.count_step()
        items.append({"id": match[1], "description": description, "dependencies": []})


def _read_edges(line: _Line, edges: Dict[Tuple[str, str], _Line], findings: _Findings) -> None:
    between: List[str] = []
    end = 0
    for match in _PAIR.finditer(line.text):
        between.append(line.text[end : match.start()].strip(" \t,;"))
        end = match.end()
        source, target = (_as_sentinel(name.strip()) for name in match.groups())
        if (source, target) not in edges:
            findings.count_dependencies(1)
            edges[source, target] = line
    between.append(line.text[end:].strip(" \t,;"))
    odd = next((text for text in between if text), None)
    if odd is not None:
        findings.add(line, f"{quote(odd)} among the edges is none", "write edges as pairs: (START,1) (1,2) (2,END)")


def _as_sentinel(name: str) -> str:
    return name.upper() if name.upper() in _SENTINELS else name


def _connect(items: List[Dict[str, Any]], edges: Dict[Tuple[str, str], _Line], findings: _Findings) -> None:
    """Give the edges to the nodes that they lead to; those from an unknown node are told later, as dependencies."""
    needs: Dict[str, List[str]] = {}
    for item in items:
        needs.setdefault(item["id"], item["dependencies"])
    for (source, target), line in edges.items():
        edge = f"the edge {quote(f'({source},{target})')}"
        node = source if target == "END" else target
        if source == "END" or target == "START" or (source, target) == ("START", "END"):
            findings.add(line, f"{edge} leads nowhere", "edges lead from START to END, by way of nodes")
        elif node not in needs:
            message = f"{edge} names a node that is not there: {quote(node)}"
            findings.add(line, message, 'write the node below "Node:", or correct the edge')
        elif source != "START" and target != "END":
            needs[target].append(source)
    if any(source == "START" for source, _ in edges) and not any(target == "END" for _, target in edges):
        suggestion = "ask for the whole answer; write an edge to END from each last node"
        findings.add_whole("the edges may be cut off: none leads to END", suggestion)


_READERS = {"LLMCompiler": _read_calls, "TaskWeaver": _read_tagged, "WorFBench": _read_graph}
