"""Which parameters of the public names their docstrings do not describe; `python tests/docstrings.py` lists them."""

from __future__ import annotations

import inspect
import re
from typing import Any, Dict, Iterator, List, Set, Tuple

from test_golden import face, is_ours, look_up

SECTION = re.compile(r"^(Args|Attributes|Returns|Yields|Raises|Example|Examples|Note|Source):$")
ARGUMENT = re.compile(r"^\*{0,2}([A-Za-z_][A-Za-z0-9_]*)(?: \([^)]*\))?:")


def public_callables() -> Iterator[Tuple[str, Any]]:
    """Yield every function, class with arguments of its own, and method that a documented path reaches."""
    seen: Set[int] = set()
    for path in face():
        value = look_up(path)
        if id(value) not in seen and takes_arguments(value):
            seen.add(id(value))
            yield path, value


def takes_arguments(value: Any) -> bool:
    """Whether this is ours and written as a function; models and data classes take fields, which have docstrings."""
    function = vars(value).get("__init__") if inspect.isclass(value) else getattr(value, "__func__", value)
    return inspect.isfunction(function) and is_ours(function) and function.__code__.co_filename != "<string>"


def parameters(value: Any) -> List[str]:
    """Return the names that a caller passes."""
    function = value.__init__ if inspect.isclass(value) else value
    names = inspect.signature(function).parameters
    return [name for name in names if name not in {"self", "cls"} and not name.startswith("_")]


def described(docstring: str) -> Dict[str, List[str]]:
    """Return, for each section of a Google docstring, the names that it describes."""
    found: Dict[str, List[str]] = {}
    section, indent = "", -1
    for line in inspect.cleandoc(docstring).splitlines():
        if SECTION.match(line):
            section, indent = line[:-1], -1
            found[section] = []
        elif section and line.startswith(" "):
            width = len(line) - len(line.lstrip())
            indent = width if indent < 0 else indent
            match = ARGUMENT.match(line.strip())
            if width == indent and match:
                found[section].append(match[1])
        elif line.strip():
            section = ""
    return found


def undescribed(value: Any) -> List[str]:
    """Return the parameters without a description, and the described names that are no parameters."""
    expected = parameters(value)
    docstring = inspect.getdoc(value) or ""
    found = described(docstring).get("Args", [])
    return [name for name in expected if name not in found] + [f"{name}?" for name in found if name not in expected]


if __name__ == "__main__":
    missing = {path: names for path, value in public_callables() if (names := undescribed(value))}
    for path, names in sorted(missing.items()):
        print(path, ", ".join(names))
    print(sum(map(len, missing.values())), "of", sum(len(parameters(value)) for _, value in public_callables()))
