"""The docstrings below the fields of a class, which Python itself does not keep."""

from __future__ import annotations

import ast
import inspect
import textwrap
from functools import lru_cache
from typing import Dict, Iterator, Tuple

__all__ = ["field_docstrings"]


@lru_cache(maxsize=None)
def field_docstrings(kind: type) -> Dict[str, str]:
    """Return the docstring of each field of `kind` and its bases, on one line, by the name of the field.

    They are read from the source, so this takes a while; a class without a source has none.
    """
    found: Dict[str, str] = {}
    for base in reversed(kind.__mro__):
        found.update(_read(base))
    return found


def _read(kind: type) -> Iterator[Tuple[str, str]]:
    try:
        source = textwrap.dedent(inspect.getsource(kind))
    except (OSError, TypeError):  # made by a shell, or written in C
        return
    (definition,) = ast.parse(source).body
    body = getattr(definition, "body", [])
    for field, text in zip(body, body[1:]):
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name) and isinstance(text, ast.Expr):
            try:
                yield field.target.id, " ".join(str(ast.literal_eval(text.value)).split())
            except ValueError:  # an expression that is not a docstring
                continue
