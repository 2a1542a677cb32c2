"""The catalog: what is known of actions, whoever proposes them."""

from __future__ import annotations

from wfplan.catalog.actions import Action, Catalog, ResolvedAction

__all__ = ["Action", "Catalog", "ResolvedAction"]
