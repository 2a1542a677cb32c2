"""The face of the library."""

from __future__ import annotations

import pkgutil
import subprocess
import sys
from importlib import import_module, metadata

import pytest

import wfplan

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
