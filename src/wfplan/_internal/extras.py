"""What optional features need, and how to install it."""

from __future__ import annotations

__all__ = ["PACKAGES", "how_to_install"]

PACKAGES = {
    "yaml": "PyYAML",
    "llm": "json-repair",
    "rich": "rich",
    "networkx": "networkx",
    "otel": "opentelemetry-api",
    "service": "fastapi uvicorn",
}
"""By extra, the packages that it stands for."""


def how_to_install(extra: str) -> str:
    """Return the command that installs what an extra needs, for messages.

    The packages are named, not the extra: as long as wfplan is not released, its name on the index may be anybody's.

    >>> how_to_install("yaml")
    'pip install PyYAML'
    """
    return f"pip install {PACKAGES[extra]}"
