"""Read a platform document from YAML, and report problems with file and line."""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ferryman_cli.exits import Exit, Stop

Problem = tuple[str, str]


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

    def tell(self, problems: list[Problem]) -> str:
        """Return one line per problem, in the order of the document: `file:line: path: message`."""
        lines = sorted((self.line(path), path, message) for path, message in problems)
        return "\n".join(f"{self.name}:{line}: {f'{path}: ' if path else ''}{message}" for line, path, message in lines)


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
    from ruamel.yaml import YAML
    from ruamel.yaml.error import MarkedYAMLError, YAMLError

    name = "<stdin>" if file == "-" else file
    text = _text(file)
    try:
        root = YAML(typ="safe", pure=True).compose(text)
        if root is None:
            raise Stop(Exit.BAD_INPUT, f"{name}: the document is empty; it needs apiVersion, kind, metadata and spec")
        data = YAML(typ="safe", pure=True).load(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        at = f"{name}:{mark.line + 1}:{mark.column + 1}" if mark else name
        raise Stop(Exit.BAD_INPUT, f"{at}: {_said(error)}") from None
    except (YAMLError, ValueError, RecursionError) as error:
        raise Stop(Exit.BAD_INPUT, f"{name}: invalid YAML: {error}") from None
    return Source(name, data, root)


def _said(error: Any) -> str:
    """Return the YAML parser's message on one line, or a clearer message where we have one."""
    problem = (error.problem or "invalid YAML").strip().splitlines()[0]
    if type(error).__name__ == "DuplicateKeyError":
        return f"{problem}: a key can appear only once; remove or rename one"
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
