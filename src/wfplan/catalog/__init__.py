"""The catalog of actions: parameters, effect, locks, rollback, times."""

from __future__ import annotations

from wfplan.catalog.actions import Action, Catalog, ResolvedAction

__all__ = ["Action", "Catalog", "ResolvedAction"]
