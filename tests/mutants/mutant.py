"""What a mutant is, and where they are made from."""

import hashlib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGE = "layers/core/ferryman/"


@dataclass(frozen=True)
class Mutant:
    """One defect: a part of one file is replaced by another text."""

    kind: str
    file: str
    """Relative to the repository."""
    function: str
    """Where it is, as `Store._get`; a state's name in a machine; empty at module level."""
    start: int
    end: int
    """Bytes of the file."""
    text: str
    """What stands there instead."""
    what: str
    """The same in words."""
    id: str = ""
    """Names the place and the text that is replaced, not its line: it changes only with that text."""

    def applied(self, source: bytes) -> bytes:
        """Return the file with the defect."""
        return source[: self.start] + self.text.encode() + source[self.end :]


def identified(mutants: Iterable[Mutant]) -> list[Mutant]:
    """Give each its id. Two of one kind that replace the same text in one function are numbered."""
    found, seen = [], Counter[str]()
    sources: dict[str, bytes] = {}
    for mutant in mutants:
        source = sources.setdefault(mutant.file, (ROOT / mutant.file).read_bytes())
        replaced = (
            source[mutant.start : mutant.end].decode() if mutant.end - mutant.start < len(source) else mutant.what
        )
        digest = hashlib.sha256(f"{replaced}→{mutant.text if len(mutant.text) < 2000 else ''}".encode()).hexdigest()[:8]
        name = f"{mutant.file.removeprefix(PACKAGE)}:{mutant.function or '-'}:{mutant.kind}:{digest}"
        seen[name] += 1
        found.append(replace(mutant, id=name if seen[name] == 1 else f"{name}-{seen[name]}"))
    return found
