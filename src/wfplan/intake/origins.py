"""Where in the original document something is that was moved on the way to the canonical one."""

from __future__ import annotations

from typing import Any, List, NamedTuple, Optional, Sequence

from wfplan.intake.tidying import Spelling
from wfplan.json_values import is_list, is_object
from wfplan.locations import pointer

__all__ = ["Origin"]

_LIST = "/recommendations"


class Origin(NamedTuple):
    """What the parts of a canonical document are called in the original."""

    document: Any
    """The original."""
    base: str = ""
    """JSON pointer of the object that holds the list."""
    list_key: Optional[str] = None
    """The key of the list, if it is not `recommendations`; "" if the object itself was the list."""
    keys: Optional[Sequence[str]] = None
    """The keys of the items, if they were in a mapping."""
    list_pointer: str = ""
    """JSON pointer of the list in the canonical document."""
    spelling: Spelling = Spelling({}, {})

    def of(self, location: str) -> str:
        """The JSON pointer in the original of one in the canonical document; of what is around it, if it is not there.

        What is not there is what came from a text, or from the lack of something.
        """
        found = self._find(location)
        return found if found == location else self._cut(found)

    def _find(self, location: str) -> str:
        inside = location[len(self.list_pointer) :]
        if not location.startswith(self.list_pointer) or (inside and inside[0] != "/"):
            return self.base + location
        within = [f"/{part}" for part in self._in_list(inside[1:].split("/"))] if inside else []
        return self.base + self._list() + "".join(within)

    def _cut(self, location: str) -> str:
        """As much of a pointer as leads somewhere; the last key may be one that an object should have.

        Not in a mapping, where the id is no key of the object.
        """
        value, kept = self.document, ""
        parts = location.split("/")[1:]
        for number, part in enumerate(parts, start=1):
            key = part.replace("~1", "/").replace("~0", "~")
            if is_object(value) and (key in value or (number == len(parts) and self.keys is None)):
                value = value.get(key)
            elif is_list(value) and key.isdecimal() and int(key) < len(value):
                value = value[int(key)]
            else:
                break
            kept += f"/{part}"
        return kept

    def _list(self) -> str:
        if self.list_key is None:
            return self.list_pointer
        return pointer((self.list_key,)) if self.list_key else ""

    def _in_list(self, parts: List[str]) -> List[str]:
        if not parts[0].isdecimal():
            return parts
        number = int(parts[0])
        if len(parts) > 2 and parts[1] == "dependencies" and number in self.spelling.places and parts[2].isdecimal():
            parts[2] = str(self.spelling.places[number][int(parts[2])])
        if len(parts) > 1:
            spelled = self.spelling.fields.get(number, {}).get(parts[1])
            parts[1] = parts[1] if spelled is None else pointer(spelled)[1:]
        if self.keys is not None:
            parts[0] = pointer((self.keys[number],))[1:]
        return parts
