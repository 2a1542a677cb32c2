"""Who may import whom: the arrows between the modules go one way."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

from graphlib import TopologicalSorter

import wfplan

ROOT = Path(wfplan.__file__).parent

CORE = [
    "_internal",
    "_internal.extras",
    "_internal.submodules",
    "_internal.display",
    "_internal.messages",
    "_internal.suggestions",
    "_internal.identifiers",
    "errors",
    "_internal.locations",
    "_internal.bitset",
    "_internal.json",
    "_internal.field_docstrings",
    "_internal.by_name",
    "_internal.model",
    "problems",
    "_internal.validation_errors",
    "models",
    "graph",
    "batching",
    "relations",
    "catalog.parameter_models",
    "catalog.parameter_places",
    "catalog.parameters",
    "catalog.actions",
    "catalog",
    "catalog.lookup",
    "conflicts",
    "recommendations",
    "plans",
    "_internal.plan_index",
    "_internal.step_identity",
    "reading",
    "plan_sources",
    "planner",
    "diff",
    "outcomes",
]
"""Each imports only from those before it."""

LAYERS = {
    "intake": {"core"},
    "prompting": {"core", "intake"},
    "policy": {"core"},
    "execution": {"core"},
    "analysis": {"core", "execution"},
    "render": {"core", "execution", "analysis"},
    "interop": {"core", "execution"},
    "testing": {"core", "execution"},
    "cli": {"core", "intake", "prompting", "execution", "policy", "analysis", "render", "interop"},
}
"""What stands above the core, and what each may import besides itself."""

DISPLAY = "_internal.display"
"""The one module below that imports what renders values, when it is asked for."""

EXECUTION_ONLY = {"asyncio", "threading", "concurrent"}


def imports(path: Path) -> set[str]:
    """The dotted names that a module imports anywhere in it."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import"
            found.update((str(node.module), *(f"{node.module}.{alias.name}" for alias in node.names)))
    return found


def named(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).replace(".__init__", "")


MODULES = {named(path): path for path in sorted(ROOT.rglob("*.py"))}
IMPORTS = {module: imports(path) for module, path in MODULES.items()}


def imports_of(module: str) -> set[str]:
    """What a module imports of the package."""
    return ({name[len("wfplan.") :] for name in IMPORTS[module] if name.startswith("wfplan.")} & MODULES.keys()) - {
        module
    }


def roots(module: str) -> set[str]:
    return {name.split(".")[0] for name in IMPORTS[module]}


def layer(module: str) -> str:
    return "core" if module in CORE else module.split(".", maxsplit=1)[0]


def test_every_module_has_its_place() -> None:
    known = {*CORE, *LAYERS, "__init__", "__main__"}
    assert {module for module in MODULES if module not in known and layer(module) not in LAYERS} == set()
    assert {module for module in CORE if module not in MODULES} == set()


def test_a_core_module_imports_only_what_stands_above_it() -> None:
    found = {(module, other) for module in CORE if module != DISPLAY for other in imports_of(module)}
    assert {(module, other) for module, other in found if other not in CORE[: CORE.index(module)]} == set()


def test_what_stands_on_the_core_imports_no_neighbour() -> None:
    found = {(module, other) for module in MODULES if layer(module) in LAYERS for other in imports_of(module)}
    assert {
        (module, other) for module, other in found if layer(other) not in {layer(module), *LAYERS[layer(module)]}
    } == set()


def test_displays_are_imported_when_they_are_asked_for() -> None:
    assert {other.split(".")[0] for other in imports_of(DISPLAY)} == {"render"}
    body = ast.parse(MODULES[DISPLAY].read_text(encoding="utf-8")).body
    at_import = [node.module for node in body if isinstance(node, ast.ImportFrom)]
    assert [module for module in at_import if str(module).startswith("wfplan")] == []


def test_no_module_imports_itself_on_a_way_around() -> None:
    """But for what is imported when it is asked for; imports for type checkers alone count, too."""
    graph = {module: imports_of(module) for module in MODULES if module not in ("__init__", DISPLAY)}
    graph["execution.report"] -= {"execution.journal.reader"}  # ExecutionReport.from_journal
    assert list(TopologicalSorter(graph).static_order())


def test_only_execution_and_its_fake_know_of_threads_and_event_loops() -> None:
    elsewhere = [module for module in MODULES if layer(module) not in ("execution", "testing")]
    assert {(module, name) for module in elsewhere for name in roots(module) & EXECUTION_ONLY} == set()


def test_only_the_graph_uses_graphlib() -> None:
    assert {module for module in MODULES if "graphlib" in IMPORTS[module]} == {"graph"}


def test_the_core_needs_nothing_that_is_not_a_dependency() -> None:
    standard = getattr(sys, "stdlib_module_names", None)
    if standard is not None:
        allowed = {*standard, "wfplan", "pydantic", "pydantic_core", "typing_extensions"}
        assert {(module, name) for module in CORE for name in roots(module) - allowed} == set()


def test_nothing_of_the_whole_process_is_changed() -> None:
    """No collector is paused, no signal is handled, no warning or log is configured: the process is the caller's."""
    assert {
        (module, name) for module in MODULES for name in roots(module) & {"gc", "signal", "warnings", "faulthandler"}
    } == set()
    changed = ("basicConfig(", "setrecursionlimit(", "setswitchinterval(", "excepthook =", "environ[")
    sources = {module: path.read_text(encoding="utf-8") for module, path in MODULES.items()}
    assert {(module, name) for module, text in sources.items() for name in changed if name in text} == set()


def test_the_page_names_every_room() -> None:
    page = (Path(__file__).resolve().parents[1] / "docs" / "architecture.md").read_text(encoding="utf-8")
    rooms = {f"{path.name}/" if path.is_dir() else path.name for path in ROOT.iterdir() if path.name != "__pycache__"}
    assert {room for room in rooms if room not in page} == set()
