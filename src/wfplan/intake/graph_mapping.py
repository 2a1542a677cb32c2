"""Files that hold only a mapping from names to what they need."""

from __future__ import annotations

from typing import Dict, List

from wfplan._internal.json import is_list, is_object
from wfplan.intake.field_names import FIELDS, LISTS, plain
from wfplan.intake.syntax import Json, JsonError, Limits, decode, parse
from wfplan.intake.yaml_syntax import YamlError, parse_yaml
from wfplan.problems import ProblemCollector

__all__ = ["read_mapping"]


def read_mapping(document: bytes, limits: Limits) -> Dict[str, List[str]] | None:
    """Return the mapping that a document holds, such as `{"shirt": [], "tie": ["shirt"]}`; None if it is not one.

    At least one name needs another, no key is there twice, and no key names a list of steps or a field of a step: what
    such a key holds is not what it needs.
    """
    text = decode(document, limits, ProblemCollector())
    found = None if text is None else _parse(text, limits)
    return found.value if found is not None and not found.repeated and _is_mapping(found.value) else None


def _parse(text: str, limits: Limits) -> Json | None:
    try:
        return parse(text)
    except JsonError:
        pass
    try:
        return parse_yaml(text, limits).json
    except YamlError:
        return None


def _is_mapping(value: object) -> bool:
    if not is_object(value) or not any(value.values()):
        return False
    taken = LISTS.union(*FIELDS.values())
    return all(
        is_list(needed) and all(isinstance(name, str) for name in needed) and plain(key) not in taken
        for key, needed in value.items()
    )
