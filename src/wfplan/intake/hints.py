"""The likely cause of a dependency that does not exist: what a problem that is told anyway can say more."""

from __future__ import annotations

from typing import Any, Dict, List, Sequence, Set

from wfplan.intake.aliases import TITLES
from wfplan.json_values import is_list, is_object
from wfplan.names import quote
from wfplan.problems import Problem

__all__ = ["Hints"]


class Hints:
    """What is known of the items of a document that may explain an unknown dependency."""

    def __init__(self, items: Sequence[Any], key: str) -> None:
        self._items = items
        self._key = key
        self._titles: Dict[str, str] | None = None
        self._shift: str | None = None

    def improve(self, problem: Problem) -> Problem:
        """The same problem, with the likely cause in its suggestion, if there is one."""
        if problem.code != "unknown-dependency":
            return problem
        if self._titles is None:
            self._titles = self._find_titles()
            self._shift = self._find_shift()
        cause = self._shift or self._by_title(problem)
        if cause is None:
            return problem
        advice = f"{cause}; {problem.suggestion}" if problem.suggestion else cause
        return problem.model_copy(update={"suggestion": advice})

    def _by_title(self, problem: Problem) -> str | None:
        """The id of the item that has the missing name for a title or action, if only one has."""
        need = self._need_of(problem)
        owner = (self._titles or {}).get(need)
        return f"{quote(owner)} has this for a title: name its id" if need and owner else None

    def _need_of(self, problem: Problem) -> str:
        """The dependency that is unknown, which is at the place that the problem tells."""
        *_, item, _, place = problem.location.split("/")
        need = self._items[int(item)]["dependencies"][int(place)]
        return need if isinstance(need, str) else ""

    def _find_titles(self) -> Dict[str, str]:
        """Which item has a text for its title, description or action; not, if several have it."""
        owners: Dict[str, str] = {}
        taken: Set[str] = set()
        for item in self._items:
            owner = item.get(self._key) if is_object(item) else None
            for key in (*TITLES, "action") if isinstance(owner, str) else ():
                text = item.get(key)
                if isinstance(text, str) and owners.setdefault(text, str(owner)) != owner:
                    taken.add(text)
        return {text: owner for text, owner in owners.items() if text not in taken}

    def _find_shift(self) -> str | None:
        """Whether every reference fits when counted from another number."""
        ids = {item[self._key] for item in self._items if is_object(item) and isinstance(item.get(self._key), str)}
        needs: List[str] = []
        for item in self._items:
            dependencies = item.get("dependencies") if is_object(item) else None
            needs.extend(need for need in (dependencies if is_list(dependencies) else ()) if isinstance(need, str))
        numbers = sorted(int(id_) for id_ in ids if _is_number(id_))
        if len(numbers) < len(ids) or not numbers or not all(map(_is_number, needs)):
            return None
        for shift in (1, -1):
            if all(str(int(need) + shift) in ids for need in needs):
                counted = (
                    f"every reference fits when counted from {numbers[0] - shift}, but the ids begin at {numbers[0]}"
                )
                return f"{counted}: write ids"
        return None


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) < 16 and str(int(text)) == text
