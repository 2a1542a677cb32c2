"""Submodules as attributes of their package, imported when they are first asked for (PEP 562)."""

from __future__ import annotations

import pkgutil
from importlib import import_module
from types import ModuleType
from typing import Iterable

__all__ = ["import_submodule", "list_submodules"]


def import_submodule(package: ModuleType, name: str) -> ModuleType:
    """Return the public submodule of this name.

    Raises:
        AttributeError: There is no such submodule.
    """
    if name in list_submodules(package.__path__):
        return import_module(f"{package.__name__}.{name}")
    raise AttributeError(f"module {package.__name__!r} has no attribute {name!r}")


def list_submodules(path: Iterable[str]) -> list[str]:
    """Return the names of the public submodules of the package with this `__path__`."""
    return [module.name for module in pkgutil.iter_modules(path) if not module.name.startswith("_")]
