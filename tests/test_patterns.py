"""No regular expression of the package grows faster than what it reads: each is parsed, and what could is refused.

Refused are

- two repeats without bound that can take the same character, where nothing stands between them that only one can pass;
  a repeat is next to itself if it stands in another one;
- alternatives in a repeat that can begin with the same character, and turns of a repeat that can be empty;
- in what is searched for: a repeat without bound that can take all that stands before it, with something behind it
  that can fail. From each place at which a match could begin it would run on to where that fails.

An anchor at the beginning of a line or the text, or a look back at what the repeat takes, bounds where a search begins.
"""

from __future__ import annotations

import ast
import builtins
import importlib
import re
import sys
from pathlib import Path
from typing import Any, Dict, FrozenSet, Iterable, Iterator, List, NamedTuple, Sequence, Tuple

import pytest

if sys.version_info >= (3, 11):
    from re import _constants as constants
    from re import _parser as parser
else:
    import sre_constants as constants
    import sre_parse as parser

SOURCES = Path(__file__).parent.parent / "src"
SEARCHES = {"search", "finditer", "findall", "split", "sub", "subn"}
OTHERS = {"match", "fullmatch", "pattern", "flags"}
MANY = 50
"""A repeat of more is as good as one without bound."""
COMMON = frozenset(map(chr, (*range(0x180), 0x301, 0x4E2D, 0x2028, 0x200B, 0xFEFF, 0x1F600)))

Chars = FrozenSet[str]
REPEATS = {constants.MAX_REPEAT, constants.MIN_REPEAT}
ATOMIC = {getattr(constants, name) for name in ("ATOMIC_GROUP", "POSSESSIVE_REPEAT") if hasattr(constants, name)}


class Open(NamedTuple):
    """A repeat that could still go on, and what each character since it could be."""

    number: int
    takes: Chars
    since: Tuple[Chars, ...] = ()

    def passed(self, chars: Chars) -> Open:
        return self._replace(since=(*self.since, chars))

    def meets(self, other: Chars) -> bool:
        """Whether a character can belong to the one as well as to the other repeat."""
        return bool(self.takes & other) and all(self.takes & other & chars for chars in self.since)


class Checker:
    """Looks at one pattern; `found` are its faults."""

    def __init__(self, text: str, flags: int) -> None:
        tree = parser.parse(text, flags)
        self.flags = tree.state.flags if hasattr(tree, "state") else tree.pattern.flags
        self.every = COMMON | {case for char in text for case in (char, char.lower(), char.upper()) if len(case) == 1}
        self.tree = tree
        self.opened = 0
        self.found: List[str] = []

    # ------------------------------------------------------------------------------------------------- characters

    def one(self, operator: Any, argument: Any) -> Chars | None:
        """What a part takes that is one character long; None, if it is none."""
        if operator is constants.LITERAL:
            return self._cases(chr(argument))
        if operator is constants.NOT_LITERAL:
            return self.every - self._cases(chr(argument))
        if operator is constants.ANY:
            return self.every if self.flags & re.DOTALL else self.every - {"\n"}
        if operator is constants.IN:
            return self._set(argument)
        return None

    def _cases(self, char: str) -> Chars:
        return frozenset((char, char.lower(), char.upper())) if self.flags & re.IGNORECASE else frozenset(char)

    def _set(self, entries: Sequence[Tuple[Any, Any]]) -> Chars:
        taken: Chars = frozenset()
        for operator, argument in entries:
            if operator is constants.RANGE:
                span = {char for char in self.every if argument[0] <= ord(char) <= argument[1]}
                taken |= frozenset(case for char in span for case in self._cases(char))
            elif operator is constants.CATEGORY:
                taken |= self._category(argument)
            elif operator is constants.LITERAL:
                taken |= self._cases(chr(argument))
        return self.every - taken if entries[0][0] is constants.NEGATE else taken

    def _category(self, category: Any) -> Chars:
        letter = {"DIGIT": "d", "SPACE": "s", "WORD": "w"}[str(category).rsplit("_", 1)[1]]
        text = f"\\{letter.upper() if '_NOT_' in str(category) else letter}"
        return frozenset(char for char in self.every if re.match(text, char, self.flags & re.ASCII))

    def all_of(self, items: Iterable[Tuple[Any, Any]]) -> Chars:
        """All that any part of a sequence can take."""
        taken: Chars = frozenset()
        for operator, argument in items:
            one = self.one(operator, argument)
            if one is None and operator not in {constants.ASSERT, constants.ASSERT_NOT, constants.AT}:
                one = self.every if operator is constants.GROUPREF else frozenset()
                for inner in _inner(operator, argument):
                    one |= self.all_of(inner)
            taken |= one or frozenset()
        return taken

    def first_of(self, items: Sequence[Tuple[Any, Any]]) -> Chars:
        """What a sequence can begin with."""
        taken: Chars = frozenset()
        for item in items:
            one = self.one(*item)
            if one is None:
                one = frozenset().union(*(self.first_of(inner) for inner in _inner(*item)))
            taken |= one
            if not _may_be_empty([item]):
                break
        return taken

    # --------------------------------------------------------------------------------------------- repeats that meet

    def walk(self, items: Iterable[Tuple[Any, Any]], before: List[Open]) -> List[Open]:
        """The repeats that are open behind a sequence, told those that are open before it."""
        for operator, argument in items:
            one = self.one(operator, argument)
            if one is not None:
                before = [repeat.passed(one) for repeat in before if repeat.takes & one]
            elif operator in REPEATS:
                before = self._walk_repeat(argument, before)
            elif operator in ATOMIC:
                self.walk(_inner(operator, argument)[0], [])
                before = []
            elif operator in {constants.ASSERT, constants.ASSERT_NOT}:
                self.walk(argument[1], before if argument[0] == 1 else [])
            elif operator is constants.GROUPREF:
                before = [repeat.passed(self.every) for repeat in before]
            elif operator is not constants.AT:
                branches = _inner(operator, argument)
                before = [repeat for branch in branches for repeat in self.walk(branch, before)]
            before = list(dict.fromkeys(before))
        return before

    def _walk_repeat(self, argument: Tuple[int, int, Any], before: List[Open]) -> List[Open]:
        least, most, body = argument
        after = list(before) if least == 0 else []
        if most < MANY:
            once = self.walk(body, before)
            return after + once + (self.walk(body, once) if most > 1 else [])
        self._check_turns(body)
        takes, asked = self.all_of(body), self._asked_of(body)
        if len(body) == 1 and self.one(*body[0]) is not None:
            self._tell_met([repeat for repeat in before if repeat.meets(takes)], takes)
            return [*after, *self._passing(before, body), self._opened(takes)]
        for opened in (before, self.walk(body, before)):
            self._tell_met(self._passing(opened, body), takes)
        return [*after, *self.walk(body, self.walk(body, before)), self._opened(takes, asked)]

    def _opened(self, takes: Chars, since: Tuple[Chars, ...] = ()) -> Open:
        self.opened += 1
        return Open(self.opened, takes, since)

    def _passing(self, before: List[Open], body: Sequence[Tuple[Any, Any]]) -> List[Open]:
        """Those that could have taken a whole turn themselves."""
        numbers = {repeat.number for repeat in before}
        return [repeat for repeat in self.walk(body, before) if repeat.number in numbers]

    def _asked_of(self, body: Sequence[Tuple[Any, Any]]) -> Tuple[Chars, ...]:
        """What each turn takes whatever else it does."""
        asked: Tuple[Chars, ...] = ()
        for operator, argument in body:
            one = self.one(operator, argument)
            if one is not None:
                asked = (*asked, one)
            elif operator is constants.SUBPATTERN:
                asked = (*asked, *self._asked_of(argument[-1]))
        return asked

    def _tell_met(self, met: List[Open], takes: Chars) -> None:
        self.found.extend(f"two repeats can take {sorted(repeat.takes & takes)[:5]}" for repeat in met)

    def _check_turns(self, body: Sequence[Tuple[Any, Any]]) -> None:
        if _may_be_empty(body):
            self.found.append("a turn of a repeat can be empty")
        for operator, argument in body:
            branches = _inner(operator, argument) if operator is constants.BRANCH else []
            for number, branch in enumerate(branches):
                for other in branches[:number]:
                    both = self.first_of(branch) & self.first_of(other)
                    if both or (_may_be_empty(branch) and _may_be_empty(other)):
                        self.found.append(f"alternatives in a repeat can begin with {sorted(both)[:5]}")
            if operator is constants.SUBPATTERN:
                self._check_turns(_inner(operator, argument)[0])

    # --------------------------------------------------------------------------------------------------- what is sought

    def search(self, items: Sequence[Tuple[Any, Any]], led: Tuple[Chars, ...] = (), *, tail: bool = False) -> None:
        """Look for a repeat that takes all that leads to it, with something behind it that can fail."""
        for number, (operator, argument) in enumerate(items):
            fails = tail or not _may_be_empty(items[number + 1 :], lookahead=True)
            if operator is constants.AT and argument is constants.AT_BEGINNING and self.flags & re.MULTILINE:
                led = (*led, frozenset("\n"))
            elif operator is constants.AT and argument in {constants.AT_BEGINNING, constants.AT_BEGINNING_STRING}:
                return
            if operator is constants.ASSERT_NOT and argument[0] == -1:
                led = led or (self.every - self.all_of(argument[1]),)
                continue
            one = self.one(operator, argument)
            if operator in REPEATS and argument[1] >= MANY:
                takes = self.all_of(argument[2])
                if fails and all(chars & takes for chars in led):
                    self.found.append(f"a search can begin anywhere in a run of {sorted(takes)[:5]}")
            elif one is None and operator not in ATOMIC:
                for inner in _inner(operator, argument):
                    self.search(inner, led, tail=fails)
            if not _may_be_empty([(operator, argument)]):
                led = (*led, one if one is not None else self.all_of([(operator, argument)]))


def _inner(operator: Any, argument: Any) -> List[Any]:
    """The sequences in a part of a pattern."""
    if operator is constants.BRANCH:
        return list(argument[1])
    if operator in REPEATS or str(operator) == "POSSESSIVE_REPEAT":
        return [argument[2]]
    if operator in {constants.SUBPATTERN, constants.ASSERT, constants.ASSERT_NOT}:
        return [argument[-1]]
    if operator is constants.GROUPREF_EXISTS:
        return [branch for branch in argument[1:] if branch is not None]
    return [argument] if str(operator) == "ATOMIC_GROUP" else []


def _may_be_empty(items: Iterable[Tuple[Any, Any]], *, lookahead: bool = False) -> bool:
    """Whether a sequence matches without a character; with `lookahead`, without asking for one either."""
    for operator, argument in items:
        if operator in REPEATS or str(operator) == "POSSESSIVE_REPEAT":
            if argument[0] and not _may_be_empty(argument[2], lookahead=lookahead):
                return False
        elif operator in {constants.ASSERT, constants.ASSERT_NOT}:
            if lookahead and argument[0] == 1:
                return False
        elif operator is constants.AT:
            if lookahead:
                return False
        elif operator is constants.BRANCH and any(_is_end(inner) for inner in argument[1]):
            continue
        elif not any(_may_be_empty(inner, lookahead=lookahead) for inner in _inner(operator, argument)):
            return False
    return True


def _is_end(items: Sequence[Tuple[Any, Any]]) -> bool:
    """Whether it is the end of the text, or of a line: what else a repeat of all others can come to."""
    return len(items) == 1 and items[0][0] is constants.AT and "END" in str(items[0][1])


def faults_of(text: str, flags: int = 0, *, is_searched: bool) -> List[str]:
    checker = Checker(text, flags)
    checker.walk(checker.tree, [])
    if is_searched:
        checker.search(list(checker.tree))
    return checker.found


# ------------------------------------------------------------------------------------------------- those of the package


class Pattern(NamedTuple):
    where: str
    text: str
    flags: int
    is_searched: bool


def _is_re(node: ast.AST) -> bool:
    return isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "re"


def _uses_of(tree: ast.Module) -> Iterator[Tuple[ast.Call, str]]:
    """Each call of `re`, and what is done with its pattern: a method's name, or anything."""
    named = {
        id(node.value): target.id
        for node in ast.walk(tree)
        if isinstance(node, (ast.Assign, ast.AnnAssign)) and isinstance(node.value, ast.Call)
        for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
        if isinstance(target, ast.Name)
    }
    attributes = [node for node in ast.walk(tree) if isinstance(node, ast.Attribute)]
    at_attributes = {id(node.value) for node in attributes}
    loose = {
        node.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and id(node) not in at_attributes
    }
    for call in ast.walk(tree):
        if not (isinstance(call, ast.Call) and _is_re(call.func)):
            continue
        method = call.func.attr  # type: ignore[attr-defined]
        if method != "compile":
            yield call, method
            continue
        name = named.get(id(call))
        used = {a.attr for a in attributes if isinstance(a.value, ast.Name) and a.value.id == name}
        used |= {a.attr for a in attributes if a.value is call}
        yield call, "search" if name in loose or used - OTHERS or not used else "match"


class _AnyWord(Dict[str, Any]):
    """What is put into a pattern when it is used, which has to be escaped: a word."""

    def __missing__(self, name: str) -> str:
        if hasattr(builtins, name):
            raise KeyError(name)
        return "word"


def _value_of(node: ast.expr, known: Dict[str, Any]) -> Any:
    return eval(compile(ast.Expression(node), "pattern", "eval"), {}, _AnyWord(known))


def patterns() -> List[Pattern]:
    found: List[Pattern] = []
    for path in sorted(SOURCES.rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        calls = [(call, use) for call, use in _uses_of(tree) if use not in {"escape", "purge"}]
        if not calls:
            continue
        module = ".".join(path.relative_to(SOURCES).with_suffix("").parts)
        known = vars(importlib.import_module(module.replace(".__init__", "")))
        for call, use in calls:
            arguments = [_value_of(node, known) for node in call.args]
            flags = next((value for value in arguments[1:] if isinstance(value, re.RegexFlag)), re.RegexFlag(0))
            for keyword in call.keywords:
                if keyword.arg == "flags":
                    flags = _value_of(keyword.value, known)
            found.append(Pattern(f"{module}:{call.lineno}", arguments[0], int(flags), use in SEARCHES))
    return found


PATTERNS = patterns()


def test_there_are_patterns() -> None:
    assert PATTERNS


@pytest.mark.parametrize("pattern", [pytest.param(one, id=one.where) for one in PATTERNS])
def test_a_pattern_takes_time_in_proportion(pattern: Pattern) -> None:
    assert not faults_of(pattern.text, pattern.flags, is_searched=pattern.is_searched), pattern.text


# ---------------------------------------------------------------------------------------------------- the check itself

SLOW = (
    r"(a+)+",
    r"(?:a*)*",
    r"\w+\d\w+",
    r"\s*\s*x",
    r"a+b*a+c",
    r'"(?:\\.|[^"])*"',
    r"(?:a|ab?)*c",
    r"\d+\.?\d+",
    r"(?:x\s*)*\s*y",
    r"(?:\s|,\s*)+",
    r".*=.*",
)
SLOW_TO_SEARCH = (
    r"\w+=",
    r"\s+$",
    r"<[^>]*>",
    r"/\*(?:[^*]|\*(?!/))*\*/",
    r"(\w+)\s*->",
    r'"(?:[^"\\]|\\.)*"',
    r"\s*,",
    r"a?b*c",
    r"(?m)^\W*\w",
)
QUICK = (
    r"\s*,\s*",
    r'[^"\\]+',
    r"a+b",
    r"\w+(?:-\w+)*",
    r'(?:[^"\\]|\\.)*"',
    r"(?:\w+, )*\w",
    r"\d{1,3}\d{1,3}x",
    r"[a-z]+\d+",
)
QUICK_TO_SEARCH = (
    r"\s+",
    r"^\s*x",
    r"(?<!\w)\w+=",
    r"//[^\n]*",
    r"\A\s*\{",
    r"<[^<>]*>",
    r"-+",
    r",\s*\}",
    r"(?m)^#+ ",
)


@pytest.mark.parametrize("text", SLOW)
def test_slow_patterns_are_found(text: str) -> None:
    assert faults_of(text, is_searched=False)


@pytest.mark.parametrize("text", SLOW_TO_SEARCH)
def test_patterns_that_are_slow_to_search_are_found(text: str) -> None:
    assert faults_of(text, is_searched=True)
    assert text == r"(\w+)\s*->" or not faults_of(text, is_searched=False)


@pytest.mark.parametrize("text", QUICK)
def test_quick_patterns_are_none_of_them(text: str) -> None:
    assert not faults_of(text, is_searched=False)


@pytest.mark.parametrize("text", QUICK_TO_SEARCH)
def test_patterns_that_are_quick_to_search_are_none_of_them(text: str) -> None:
    assert not faults_of(text, is_searched=True)
