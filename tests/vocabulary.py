"""The words that are not used here, and what to write instead; `python tests/vocabulary.py` lists where they are.

Read are comments and strings of code, and all of the pages. Code in backquotes is left out: names are what they are.
"""

from __future__ import annotations

import io
import re
import sys
import tokenize
from pathlib import Path
from typing import Iterator, List, Tuple

ROOT = Path(__file__).resolve().parents[1]

PLACES = ("src/wfplan/**/*.py", "examples/**/*.py", "benchmarks/*.py", "docs/*.md", "README.md", "CHANGELOG.md")

INSTEAD = {
    r"(?<!there )\b(?:is|are) no (?!longer\b|more than\b)": "is not a",
    r"\ba text\b": "a string",
    r"\b(?:tells|telling|told)\b": "says, reports, describes",
    r"\bmend(?:s|ed|ing)?\b": "fix",
    r"\b(?:some|any)body else's\b": "another's, third-party",
    r"\bas far as\b.*\bgo(?:es)?\b": "considering only",
    r"\bnobody knows\b": "it is unknown",
    r"\bin (?:his |their )?hands\b": "has",
    r"\blets? go\b": "releases",
    r"(?<!there )\bis (?-i:none)\b": "is not one",
    r"\bat the latest there\b": "no later than",
    r"\b(?:behaviour|colour|neighbour|judgement|licence|labelled|modelled|favour|honour|centre)\w*\b": (
        "the American spelling"
    ),
    r"\bleft ?over\b": "abandoned",
    r"\bby (?:sheer )?chance\b": "at random",
}
"""What is not written, as a regular expression, and what is."""

BANNED = [(re.compile(pattern, re.IGNORECASE), instead) for pattern, instead in INSTEAD.items()]
CODE = re.compile(r"``?[^`]*``?|https?://\S+|\{[^{}]*\}|__all__.*|^>>> .*|^    >>> .*")


def findings(paths: Iterator[Path]) -> List[str]:
    """Return a line for each place where a banned word stands."""
    return [
        f"{path}:{number}: {match[0]!r}: write {instead!r}"
        for path in paths
        for number, line in prose(path)
        for pattern, instead in BANNED
        for match in [pattern.search(CODE.sub("``", line))]
        if match
    ]


def prose(path: Path) -> Iterator[Tuple[int, str]]:
    """Yield the lines that a person reads, with their numbers: strings and comments of code, all of a page."""
    text = path.read_text(encoding="utf-8")
    if path.suffix != ".py":
        yield from enumerate(text.splitlines(), 1)
        return
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type in {tokenize.STRING, tokenize.COMMENT} or tokenize.tok_name[token.type] == "FSTRING_MIDDLE":
            for offset, line in enumerate(token.string.splitlines()):
                yield token.start[0] + offset, line


def sources() -> Iterator[Path]:
    """Yield every file that is read."""
    for pattern in PLACES:
        yield from sorted(ROOT.glob(pattern))


if __name__ == "__main__":
    found = findings(sources())
    print(*found, sep="\n")
    sys.exit(bool(found))
