"""The face of the library and 200 of its texts, frozen.

A change of either shows here first. `python tests/test_golden.py` writes both anew; the diff then belongs to the commit
that means it.
"""

from __future__ import annotations

import hashlib
import inspect
import json
import re
from pathlib import Path
from typing import Any, Callable, Dict, List, Tuple

import wfplan
from wfplan import analysis, outcomes, render
from wfplan._internal.model import Model

ROOT = Path(__file__).resolve().parents[1]
GOLDEN = Path(__file__).parent / "golden"

Texts = Dict[str, Any]


def documented_paths() -> List[str]:
    """Every dotted path that README and docs name, and the names of `wfplan.__all__`."""
    pages = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
    named = {
        path for page in pages for path in re.findall(r"\bwfplan(?:\.[A-Za-z_]+)+", page.read_text(encoding="utf-8"))
    }
    own = {path for path in named if not path.split(".")[-1].startswith("model_")}  # pydantic's differ by version
    return sorted(own | {f"wfplan.{name}" for name in wfplan.__all__})


def look_up(path: str) -> Any:
    """Return what a path names; None where it names nothing that Python finds."""
    found: Any = wfplan
    for part in path.split(".")[1:]:
        if not hasattr(found, part):
            return None
        found = getattr(found, part)
    return found


def signature(value: Any) -> str:
    """Return what can be passed, the same on every Python: names, kinds and whether there is a default."""
    if isinstance(value, type) and issubclass(value, Model):
        return ", ".join(f"{name}{'' if field.is_required() else '='}" for name, field in value.model_fields.items())
    if getattr(value, "_is_protocol", False):
        return ""  # what a protocol is called with differs by Python
    try:
        parameters = inspect.signature(value).parameters.values()
    except ValueError:
        return ""
    shown: List[str] = []
    keyword_only = False
    for each in parameters:
        if each.kind is each.KEYWORD_ONLY and not keyword_only:
            keyword_only = True
            shown.append("*")
        star = {"VAR_POSITIONAL": "*", "VAR_KEYWORD": "**"}.get(each.kind.name, "")
        keyword_only = keyword_only or star == "*"
        shown.append(f"{star}{each.name}{'' if each.default is each.empty else '='}")
    return ", ".join(shown)


def face() -> Dict[str, str]:
    """Return the signature of every name that is reached by a documented path."""
    found: Dict[str, str] = {}
    for path in documented_paths():
        value = look_up(path)
        if inspect.ismodule(value):
            for name in getattr(value, "__all__", ()):
                found[f"{path}.{name}"] = described(getattr(value, name))
        elif value is not None:
            found[path] = described(value)
            if isinstance(value, type) and value.__module__.startswith("wfplan"):
                for name, member in inspect.getmembers(value):
                    if not name.startswith(("_", "model_")) and is_ours(member):
                        found[f"{path}.{name}"] = described(member)
    return found


def is_ours(member: Any) -> bool:
    of = member.fget if isinstance(member, property) else member
    return str(getattr(of, "__module__", "")).startswith("wfplan")


def described(value: Any) -> str:
    if isinstance(value, property):
        return "property"
    if not isinstance(value, type) and not inspect.isroutine(value):
        return "value"
    if isinstance(value, type) and issubclass(value, BaseException):
        return "error"
    return f"({signature(value)})"


def documents() -> List[Tuple[str, Any]]:
    """Return the cases, real graphs up to 40 steps, and answers that are refused."""
    found: List[Tuple[str, Any]] = [
        (f"case {path.stem}", json.loads(path.read_text(encoding="utf-8"))["input"])
        for path in sorted((ROOT / "tests" / "cases").glob("*.json"))
    ]
    for path in sorted((ROOT / "tests" / "corpora").glob("*.jsonl")):
        rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        small = [row for row in rows if len(row["steps"]) <= 40]
        found += [(row["name"], {"recommendations": row["steps"]}) for row in small[:22]]
    with (ROOT / "tests" / "intake" / "reading_cases.jsonl").open(encoding="utf-8") as file:
        for case in map(json.loads, file):
            if is_json(case["raw"]):
                found.append((f"reading {case['name']}", case["raw"]))
    return found


def is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def texts() -> Dict[str, Texts]:
    """Return what is printed of each document: its problems, its plan, a run with failures, and its pictures."""
    return {name: texts_of(document) for name, document in documents()}


def texts_of(document: Any) -> Texts:
    reading = wfplan.read(document)
    problems = [str(problem) for problem in reading.problems]
    try:
        plan = wfplan.plan(reading)
    except wfplan.InvalidWorkflowError as error:
        return {"problems": [str(problem) for problem in error.problems]}
    names = list(plan.steps)
    report = analysis.simulate(
        plan,
        on_failure="skip-dependents",
        outcomes={name: outcomes.fails("it is broken") for name in names[2::5]},
    )
    pictures: Dict[str, Callable[..., str]] = {
        "svg": render.svg,
        "html": render.html,
        "mermaid": render.mermaid,
        "dot": render.dot,
    }
    return {
        "problems": problems,
        "plan": str(plan).splitlines(),
        "report": str(report).splitlines(),
        "fingerprint": plan.fingerprint[:16],
        "json": digest(plan.model_dump_json()),
        "report json": digest(report.model_dump_json()),
        **{name: digest(draw(plan)) for name, draw in pictures.items()},
    }


def dump(value: Any) -> str:
    return json.dumps(value, indent=1, ensure_ascii=True, sort_keys=True) + "\n"


def load(name: str) -> Any:
    return json.loads((GOLDEN / name).read_text(encoding="utf-8"))


def test_every_documented_name_takes_what_it_took() -> None:
    assert face() == load("face.json")


def test_two_hundred_documents_are_reported_planned_and_drawn_as_before() -> None:
    now, before = texts(), load("texts.json")
    assert len(before) >= 200
    assert {name for name in now.keys() | before.keys() if now.get(name) != before.get(name)} == set()


if __name__ == "__main__":
    GOLDEN.mkdir(exist_ok=True)
    (GOLDEN / "face.json").write_text(dump(face()), encoding="utf-8")
    (GOLDEN / "texts.json").write_text(dump(texts()), encoding="utf-8")
