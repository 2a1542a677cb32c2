"""Running a plan: the executor interface, the progress of a run, two drivers, and the report."""

from __future__ import annotations

import sys
from types import ModuleType

from wfplan._internal.submodules import import_submodule, list_submodules


def __getattr__(name: str) -> ModuleType:
    return import_submodule(sys.modules[__name__], name)


def __dir__() -> list[str]:
    return sorted({*globals(), *list_submodules(__path__)})
