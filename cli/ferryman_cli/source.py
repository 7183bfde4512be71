"""Read a platform document from YAML, and report problems with file and line."""

import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ferryman_cli.exits import Exit, Stop

Problem = tuple[str, str]

_MOST_CHARACTERS = 1_000_000
"""With aliases expanded. The operator takes 200,000 bytes."""
_TAB = r"found character '\t' that cannot start any token"
"""How the parser puts it."""


@dataclass(frozen=True)
class Source:
    """A document, and the line of each of its parts."""

    name: str
    data: Any
    root: Any
    """The composed YAML node."""

    def line(self, path: str) -> int:
        """Return the line (from 1) of a dotted path, or of the innermost part of it that exists."""
        node, line = self.root, self.root.start_mark.line
        parts = path.split(".") if path else []
        while parts:
            found = _child(node, parts)
            if found is None:
                break
            node, line, used = found
            parts = parts[used:]
        return int(line) + 1

    def located(self, problems: list[Problem]) -> list[tuple[int, str, str]]:
        """Return line, path and message of each problem, in the order of the document."""
        return sorted((self.line(path), path, message) for path, message in problems)

    def tell(self, problems: list[Problem]) -> str:
        """Return one line per problem, in the order of the document: `file:line: path: message`."""
        return "\n".join(told(self.name, *found) for found in self.located(problems))


def grouped(notes: list[Problem]) -> list[Problem]:
    """Return the first of the notes that differ only in names and numbers, with how many more there are like it."""
    alike: dict[tuple[str, str], list[Problem]] = {}
    for path, message in notes:
        words = re.sub(r"\S*[-\d]\S*", "", message)
        alike.setdefault((path.rpartition(".")[2], words), []).append((path, message))
    return [
        (path, f"{message} ({len(more)} more like it; `-o json` lists all)" if more else message)
        for (path, message), *more in alike.values()
    ]


def told(name: str, line: int, path: str, message: str) -> str:
    """Return how a problem of a document is told: `file:line: path: message`."""
    return f"{name}:{line}: {f'{path}: ' if path else ''}{message}"


def _child(node: Any, parts: list[str]) -> tuple[Any, int, int] | None:
    """Return a child node, its line, and how many parts it used; a key can contain dots, so the longest match wins."""
    from ruamel.yaml.nodes import MappingNode, SequenceNode

    if isinstance(node, SequenceNode):
        if parts[0].isdigit() and int(parts[0]) < len(node.value):
            item = node.value[int(parts[0])]
            return item, item.start_mark.line, 1
        return None
    if isinstance(node, MappingNode):
        for used in range(len(parts), 0, -1):
            wanted = ".".join(parts[:used])
            for key, value in node.value:
                if str(key.value) == wanted:
                    return value, key.start_mark.line, used
    return None


def read(file: str) -> Source:
    """Read a document from a file, or from standard input for `-`; if it is not valid YAML, end the command."""
    return of_text("<stdin>" if file == "-" else file, _text(file))


def of_text(name: str, text: str) -> Source:
    """Parse the text of a document that errors call `name`; if it is not valid YAML, end the command."""
    from ruamel.yaml.error import MarkedYAMLError, YAMLError

    try:
        root = _yaml().compose(text)
        if root is None:
            raise Stop(Exit.BAD_INPUT, f"{name}: the document is empty; it needs apiVersion, kind, metadata and spec")
        if _expanded(root) > _MOST_CHARACTERS:
            raise Stop(
                Exit.BAD_INPUT,
                f"{name}: the document is too large: with its aliases (`*name`) expanded it has more than "
                f"{_MOST_CHARACTERS:,} characters",
            )
        data = _yaml().load(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        at = f"{name}:{mark.line + 1}:{mark.column + 1}" if mark else name
        raise Stop(Exit.BAD_INPUT, f"{at}: {_said(error)}") from None
    except (YAMLError, ValueError, RecursionError) as error:
        raise Stop(Exit.BAD_INPUT, f"{name}: invalid YAML: {error}") from None
    return Source(name, data, root)


def _yaml() -> Any:
    """Return a parser that takes a tab after a colon or a value, as YAML 1.2 and other parsers do."""
    from ruamel.yaml import YAML
    from ruamel.yaml.scanner import Scanner

    class Tabs(Scanner):  # type: ignore[misc, unused-ignore]
        def scan_to_next_token(self) -> None:
            super().scan_to_next_token()
            while _separates(self.reader.buffer, self.reader.pointer):
                self.reader.forward()
                super().scan_to_next_token()

    yaml = YAML(typ="safe", pure=True)
    yaml.Scanner = Tabs
    return yaml


def _separates(text: str, at: int) -> bool:
    """Tell whether a tab stands between two parts of a line, or at its end; not in a value, and not as indentation."""
    if text[at] != "\t":
        return False
    before = text[text.rfind("\n", 0, at) + 1 : at].strip()
    after = text[at:].lstrip(" \t")[:1]
    return before[-1:] in (":", "-", "?") or after in "#\r\n\0"


def _expanded(root: Any) -> int:
    """Return how many characters a node's scalars have, plus one for each node, where each alias counts as its copy.

    What it costs does not depend on the result, which grows exponentially with nested aliases. Raise ValueError where
    an alias is part of what it stands for.
    """
    from ruamel.yaml.nodes import ScalarNode

    sizes: dict[int, int] = {}
    open_: set[int] = set()

    def size(node: Any) -> int:
        if isinstance(node, ScalarNode):
            return 1 + len(node.value)
        if id(node) not in sizes:
            if id(node) in open_:
                raise ValueError(f"line {node.start_mark.line + 1}: an alias stands for something that it is part of")
            open_.add(id(node))
            # The items of a mapping are pairs of nodes.
            parts = (part for item in node.value for part in (item if isinstance(item, tuple) else (item,)))
            sizes[id(node)] = 1 + sum(size(part) for part in parts)
        return sizes[id(node)]

    return size(root)


def _said(error: Any) -> str:
    """Return the YAML parser's message on one line, or a clearer message where we have one."""
    problem = (error.problem or "invalid YAML").strip().splitlines()[0]
    if type(error).__name__ == "DuplicateKeyError":
        # The parser's own message also shows values, and those of mappings as {}.
        key = re.match(r'found duplicate key "(.*?)" with value', problem)
        return f"{f'the key {key[1]}' if key else 'a key'} appears twice; remove or rename one"
    if problem == _TAB:
        return "a tab stands where YAML allows only spaces; replace it with spaces"
    if "expected a single document" in (error.context or ""):
        return "another document starts here; a file can contain only one platform"
    context = (error.context or "").strip()
    return f"{context}, {problem}" if context else problem


def _text(file: str) -> str:
    if file == "-":
        return sys.stdin.read()
    try:
        return Path(file).read_text("utf-8")
    except FileNotFoundError:
        raise Stop(Exit.BAD_INPUT, f"{file}: no such file") from None
    except UnicodeDecodeError as error:
        raise Stop(Exit.BAD_INPUT, f"{file}: not UTF-8 text (byte {error.start})") from None
    except OSError as error:
        raise Stop(Exit.BAD_INPUT, f"{file}: cannot read the file: {error.strerror}") from None
