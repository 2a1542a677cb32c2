"""The face of the library."""

from __future__ import annotations

import json
import os
import pkgutil
import re
import subprocess
import sys
from importlib import import_module, metadata
from pathlib import Path
from typing import Any, Callable, Dict

import pytest
from pydantic import ValidationError

import wfplan
from wfplan._internal.model import Model

ROOT = Path(__file__).resolve().parents[1]

MODULES = ["wfplan"] + [
    module.name for module in pkgutil.walk_packages(wfplan.__path__, "wfplan.") if not module.name.endswith("__main__")
]


@pytest.mark.parametrize("name", wfplan.__all__)
def test_every_public_name_is_there_with_a_docstring(name: str) -> None:
    assert getattr(wfplan, name).__doc__


def test_public_names_are_sorted_and_shown() -> None:
    assert wfplan.__all__ == sorted(wfplan.__all__)
    assert set(wfplan.__all__) <= set(dir(wfplan))


def test_another_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'pland'"):
        wfplan.pland  # type: ignore[attr-defined]  # noqa: B018


@pytest.mark.parametrize("module", MODULES)
def test_every_module_has_a_docstring_and_says_what_it_offers(module: str) -> None:
    loaded = import_module(module)
    assert loaded.__doc__
    if not hasattr(loaded, "__path__") or hasattr(loaded, "__all__"):
        assert loaded.__all__ == sorted(
            loaded.__all__, key=lambda name: (not name.isupper(), not name[0].isupper(), name)
        )
        assert [name for name in loaded.__all__ if not hasattr(loaded, name)] == []


def test_the_version_is_that_of_the_distribution() -> None:
    assert wfplan.__version__ == metadata.version("wfplan")


def test_importing_the_package_imports_nothing_else() -> None:
    code = "import sys, wfplan; print([name for name in sys.modules if name.startswith(('wfplan.', 'pydantic'))])"
    shown = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert shown.stdout.strip() == "[]"


def test_planning_a_mapping_imports_no_reader_and_no_shell() -> None:
    code = "import sys, wfplan; wfplan.plan({'a': []}); print([m for m in sys.modules if m.startswith('wfplan.')])"
    shown = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert not {"wfplan.intake", "wfplan.cli", "wfplan.render", "wfplan.interop"} & set(eval(shown.stdout))


# What is reachable after `import wfplan`, and what it says of itself

DOCUMENTED = sorted(
    {
        path
        for page in [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]
        for path in re.findall(r"\bwfplan(?:\.[a-z_]+)+(?:\.[A-Z]\w+)?", page.read_text(encoding="utf-8"))
        if not path.startswith("wfplan.dev") and path.split(".")[1] not in ("json", "html", "svg")
    }
)


def fresh(code: str) -> str:
    """What a new process prints."""
    environment = {**os.environ, "PYTHONPATH": str(Path(wfplan.__file__).parents[1])}
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, check=True, capture_output=True, text=True, env=environment, timeout=120)
    return done.stdout.strip()


def test_each_documented_path_is_reachable_after_one_import() -> None:
    code = f"""
import functools, json, wfplan
missing = []
for path in {DOCUMENTED!r}:
    try:
        functools.reduce(getattr, path.split(".")[1:], wfplan)
    except AttributeError:
        missing.append(path)
    except ImportError:
        pass  # an extra that is not installed
print(json.dumps(missing))
"""
    assert len(DOCUMENTED) > 35
    assert json.loads(fresh(code)) == []


PACKAGES = ["analysis", "execution", "execution.observers", "interop", "policy", "prompting", "render", "testing"]


@pytest.mark.parametrize("package", ["wfplan", *(f"wfplan.{name}" for name in PACKAGES)])
def test_a_package_lists_its_submodules(package: str) -> None:
    module = import_module(package)
    submodules = {found.name for found in pkgutil.iter_modules(module.__path__) if not found.name.startswith("_")}
    assert submodules <= set(dir(module))
    assert all(isinstance(getattr(module, name), object) for name in submodules)
    with pytest.raises(AttributeError, match="no_such_module"):
        module.no_such_module  # noqa: B018 - the attribute is what is asked for


def test_models_are_complete_when_they_are_imported() -> None:
    code = """
import inspect, json, wfplan
from pydantic import BaseModel
found = []
for name in wfplan.__all__:
    kind = getattr(wfplan, name)
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        found.append([name, kind.__pydantic_complete__, list(inspect.signature(kind).parameters)])
print(json.dumps(found))
"""
    found = json.loads(fresh(code))
    assert len(found) > 10
    for name, complete, parameters in found:
        assert (name, complete) == (name, True)
        assert set(getattr(wfplan, name).model_fields) <= set(parameters)


def test_a_field_that_does_not_exist_is_refused_with_the_one_that_is_meant() -> None:
    with pytest.raises(ValidationError, match=r'Step has no such field: did you mean "dependencies"\?'):
        wfplan.Step(name="b", depends_on=["a"])  # type: ignore[call-arg]
    with pytest.raises(ValidationError, match=r"RetryPolicy has no such field: its fields are"):
        wfplan.RetryPolicy(zzz=1)  # type: ignore[call-arg]
    with pytest.raises(ValidationError, match="no such field") as caught:
        wfplan.Step(name="", depends_on=["a"])  # type: ignore[call-arg]
    assert [error["loc"] for error in caught.value.errors()] == [("name",), ("depends_on",)]


def test_a_name_that_does_not_exist_is_a_key_error_with_the_nearest() -> None:
    plan = wfplan.plan({"verify": [], "scale": []})
    report = wfplan.run(plan, {"verify": int, "scale": int})
    for mapping in (plan.steps, report.steps):
        with pytest.raises(
            wfplan.UnknownNameError, match=r'no step is named "verfy": did you mean "verify"\?'
        ) as caught:
            mapping["verfy"]
        assert isinstance(caught.value, (KeyError, ValueError))
        assert (caught.value.names, caught.value.nearest) == (("verfy",), ("verify",))
        assert mapping.get("verfy") is None
        assert "verfy" not in mapping


@pytest.mark.parametrize("broken", ["plan_sources.check_relations", "planner.make_plan"])
def test_a_bug_of_ours_comes_through_as_itself(broken: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def bug(*_: object, **__: object) -> None:
        raise ZeroDivisionError("a bug")

    import_module("wfplan.planner")
    monkeypatch.setattr(f"wfplan.{broken}", bug)
    with pytest.raises(ZeroDivisionError, match="a bug"):
        wfplan.plan([wfplan.Step(name="a")])


def test_what_stands_below_a_field_and_is_not_a_docstring_describes_nothing() -> None:
    class Odd(Model):
        one: int = 1
        print  # noqa: B018 - an expression where a docstring could be
        other: int = 2
        """The other."""

    properties = Odd.model_json_schema()["properties"]
    assert "description" not in properties["one"]
    assert properties["other"]["description"] == "The other."


PLAN = wfplan.plan({"a": [], "b": ["a"]})
TAKES_A_PLAN: Dict[str, Callable[[Any], object]] = {
    "critical_path": wfplan.analysis.critical_path,
    "slack": wfplan.analysis.slack,
    "lower_bound": wfplan.analysis.lower_bound,
    "compare": wfplan.analysis.compare,
    "explain": lambda value: wfplan.analysis.explain(value, "a"),
    "lint": wfplan.analysis.lint,
    "simulate": wfplan.analysis.simulate,
    "why_not_parallel": lambda value: wfplan.analysis.why_not_parallel(value, "a", "b"),
    "width_bounds": wfplan.analysis.width_bounds,
    "diff before": lambda value: wfplan.diff.diff(value, PLAN),
    "diff after": lambda value: wfplan.diff.diff(PLAN, value),
    "to_graphlib": wfplan.interop.graphlib.to_graphlib,
    "to_networkx": wfplan.interop.networkx.to_networkx,
    "to_execution_plan": wfplan.interop.kubernaut.to_execution_plan,
    "rollback_plan": lambda value: wfplan.execution.rollback.rollback_plan(value, ["a"]),
    "rollback_preview": wfplan.execution.rollback.rollback_preview,
    "review": lambda value: wfplan.policy.review(value, wfplan.policy.Policy()),
    "run": lambda value: wfplan.run(value, {}),
    "text": wfplan.render.text,
    "svg": wfplan.render.svg,
    "dot": wfplan.render.dot,
    "mermaid": wfplan.render.mermaid,
    "gantt": lambda value: wfplan.render.mermaid(value, "gantt"),
    "html": wfplan.render.html,
    "mimebundle": wfplan.render.mimebundle,
}


@pytest.mark.parametrize("value", [3, None, "plan", {"a": []}, PLAN.workflow], ids=lambda value: type(value).__name__)
@pytest.mark.parametrize("call", TAKES_A_PLAN.values(), ids=TAKES_A_PLAN)
def test_what_is_not_a_plan_is_refused_in_the_same_way_everywhere(call: Callable[[Any], object], value: Any) -> None:
    with pytest.raises(wfplan.RefusedError, match=type(value).__name__) as refused:
        call(value)
    assert [problem.code for problem in refused.value.problems] == ["invalid-setting"]
    assert isinstance(refused.value, ValueError)
