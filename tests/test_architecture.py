"""Who may import whom: the arrows between the modules go one way."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

import wfplan

ROOT = Path(wfplan.__file__).parent

CORE = [
    "names",
    "locations",
    "collector",
    "bits",
    "json_values",
    "values",
    "problems",
    "field_errors",
    "models",
    "graph",
    "parallelism",
    "ordering",
    "validation",
    "parameter_models",
    "parameter_places",
    "action_parameters",
    "catalog",
    "catalog_lookup",
    "conflicts",
    "recommendations",
    "plans",
    "reading",
    "sources",
    "planner",
    "diff",
    "outcomes",
]
"""Each imports only from those before it."""

LAYERS = {
    "intake": {"core"},
    "policy": {"core"},
    "execution": {"core"},
    "analysis": {"core", "execution"},
    "render": {"core", "execution", "analysis"},
    "interop": {"core", "execution"},
    "testing": {"core", "execution"},
    "cli": {"core", "intake", "execution", "policy", "analysis", "render", "interop"},
}
"""What stands above the core, and what each may import besides itself."""

DISPLAY = {
    ("plans", "render.text"),
    ("plans", "render"),
    ("execution.report", "render.report"),
    ("execution.report", "render"),
    ("analysis.comparison", "render.table"),
    ("reading", "render"),
    ("problems", "render"),
}
"""Display methods of values import what renders them, when they are called."""

EXECUTION_ONLY = {"asyncio", "threading", "concurrent"}


def modules() -> dict[str, Path]:
    paths = sorted(ROOT.rglob("*.py"))
    names = {".".join(path.relative_to(ROOT).with_suffix("").parts): path for path in paths}
    return {name.replace(".__init__", ""): path for name, path in names.items()}


def imports(path: Path) -> set[str]:
    """The dotted names that a module imports anywhere in it."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import"
            found.add(str(node.module))
    return found


def own(names: set[str]) -> set[str]:
    return {name[len("wfplan.") :] for name in names if name.startswith("wfplan.")}


def layer(module: str) -> str:
    return "core" if module in CORE else module.split(".", maxsplit=1)[0]


def test_every_module_has_its_place() -> None:
    known = {*CORE, *LAYERS, "__init__", "__main__"}
    assert {module for module in modules() if module not in known and layer(module) not in LAYERS} == set()
    assert {module for module in CORE if module not in modules()} == set()


@pytest.mark.parametrize("module", CORE)
def test_a_core_module_imports_only_what_stands_above_it(module: str) -> None:
    above = set(CORE[: CORE.index(module)])
    allowed = {other for source, other in DISPLAY if source == module}
    assert own(imports(modules()[module])) - above - allowed == set()


@pytest.mark.parametrize("module", [name for name in modules() if layer(name) in LAYERS])
def test_what_stands_on_the_core_imports_no_neighbour(module: str) -> None:
    allowed = {layer(module), *LAYERS[layer(module)]}
    displayed = {other for source, other in DISPLAY if source == module}
    assert {layer(other) for other in own(imports(modules()[module])) - displayed} - allowed == set()


@pytest.mark.parametrize(("module", "other"), sorted(DISPLAY))
def test_a_display_method_imports_when_it_is_called(module: str, other: str) -> None:
    tree = ast.parse(modules()[module].read_text(encoding="utf-8"))
    at_import = [node for node in tree.body if isinstance(node, ast.ImportFrom)]
    assert f"wfplan.{other}" not in {node.module for node in at_import}


@pytest.mark.parametrize("module", [name for name in modules() if layer(name) not in ("execution", "testing")])
def test_only_execution_and_its_fake_know_of_threads_and_event_loops(module: str) -> None:
    assert {name.split(".")[0] for name in imports(modules()[module])} & EXECUTION_ONLY == set()


@pytest.mark.parametrize("module", list(modules()))
def test_only_the_graph_uses_graphlib(module: str) -> None:
    assert ("graphlib" in imports(modules()[module])) == (module == "graph")


@pytest.mark.parametrize("module", CORE)
def test_the_core_needs_nothing_that_is_not_a_dependency(module: str) -> None:
    roots = {name.split(".")[0] for name in imports(modules()[module])}
    standard = getattr(sys, "stdlib_module_names", None)
    if standard is not None:
        assert roots - standard <= {"wfplan", "pydantic", "pydantic_core", "typing_extensions"}
