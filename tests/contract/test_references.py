"""What code and documents name is in the repository: pages, their sections, files, and modules of the core package."""

import importlib
import re
import subprocess
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from contract.machine import ROOT

IGNORED = {
    ".git",
    ".venv",
    ".venv-checkov",
    ".cache",
    "node_modules",
    "__pycache__",
    ".aws-sam",
    "build",
    "dist",
    ".local",
}
"""Folders that are not the repository's, where no git can say so (an unpacked archive)."""

DATA = {
    "tests/contract/test_channels.py": {"tests/unit/notify/test_errors.py"},
    "tests/contract/test_archive.py": {"../../notes.md", "docs/a.md", "tests/unit/test_a.py"},
    "tests/contract/test_documented_events.py": {"invoke.md"},
}
"""File → names in it that a test compares with others, or makes up. They refer to nothing."""

OWN = str(Path(__file__).relative_to(ROOT))
"""This file, whose patterns and exceptions are no references."""

URL = re.compile(r"[a-z]+://[^\s)\"'<>]+")
PAGE = re.compile(r"(?<![\w/.*}>-])((?:[\w.-]+/)*[\w-][\w.-]*\.md)(?:#([\w-]+))?(?![\w-])")
LINK = re.compile(r"(?<!!)\[(?:[^\[\]]|\[[^\]]*\])*\]\(([^()\s]+)\)|!\[[^\]]*\]\(([^()\s]+)\)")
FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
HEADING = re.compile(r"^#{1,6} +(.+?) *#* *$", re.MULTILINE)
FOLDERS = {
    **{name: name for name in ("cli", "docs", "events", "examples", "functions", "layers", "local", "scripts")},
    **{name: name for name in ("statemachines", "terraform", "tests")},
    "ferryman": "layers/core/ferryman",
    "ferryman_cli": "cli/ferryman_cli",
    "ferryman_local": "local/ferryman_local",
}
"""How a path in a text may begin, and the folder that this is."""
FILE = re.compile(
    rf"(?<![\w./*$}}>-])({'|'.join(FOLDERS)})/([\w./*<>{{}}-]+\.(?:css|hcl|html|json|mjs|png|py|sh|tf|toml|txt|ya?ml))\b"
)
PLACEHOLDER = re.compile(r"[*<{]|\b[A-Z]{2,}\b")
"""In a path: any name, `<name>`, `{name}` or `NAME`."""
MODULE = re.compile(
    r"`(?:ferryman\.)?((?:api|approvals|clients|controller|decisions|messages|notify|platform|records|releases|steps|store)"
    r"(?:\.[A-Za-z_]\w*)+)`"
)


@cache
def files() -> tuple[str, ...]:
    """Return every file of the repository, relative to its root: also new ones, never ignored ones."""
    if (ROOT / ".git").exists():
        command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
        listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\0")
        return tuple(sorted(name for name in listed if name and (ROOT / name).is_file()))
    found = (path.relative_to(ROOT) for path in ROOT.rglob("*") if path.is_file())
    return tuple(sorted(str(path) for path in found if IGNORED.isdisjoint(path.parts)))


@cache
def texts() -> dict[str, str]:
    """Return the text of every file that is one; locks are lists of other people's files."""
    found = {}
    for name in files():
        content = (ROOT / name).read_bytes()
        if name != OWN and b"\0" not in content and not name.endswith(("-lock.json", "-lock.yaml", ".lock.hcl")):
            found[name] = content.decode("utf-8", "replace")
    return found


def resolved(file: str, target: str) -> Path | None:
    """Return what a name stands for: beside the file that names it, or from the root."""
    places = ((ROOT / file).parent / target, ROOT / target)
    return next((place.resolve() for place in places if place.exists()), None)


@cache
def anchors(page: Path) -> frozenset[str]:
    """Return the anchors that GitHub makes of a page's headings."""
    seen: Counter[str] = Counter()
    found = set()
    for heading in HEADING.findall(FENCE.sub("", page.read_text(encoding="utf-8"))):
        slug = slug_of(heading)
        found.add(f"{slug}-{seen[slug]}" if seen[slug] else slug)
        seen[slug] += 1
    return frozenset(found)


def slug_of(heading: str) -> str:
    """Return a heading's anchor: lower case, without punctuation, with hyphens for blanks."""
    shown = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading)
    return re.sub(r"[^\w\- ]", "", shown.lower().strip()).replace(" ", "-")


def test_the_files_are_found() -> None:
    assert {"README.md", "Makefile", "template.yaml", "layers/core/ferryman/errors.py"} <= set(texts())
    assert not [name for name in files() if name.startswith((".venv", "node_modules", ".cache"))]


@pytest.mark.parametrize(
    ("heading", "slug"),
    [
        pytest.param("ECR re-tag", "ecr-re-tag", id="hyphen-stays"),
        pytest.param("Rule 2: a claim is never stolen", "rule-2-a-claim-is-never-stolen", id="punctuation-goes"),
        pytest.param("`ferryman` & the rest", "ferryman--the-rest", id="blanks-are-not-merged"),
        pytest.param("See [the page](x)", "see-the-page", id="a-link-is-its-text"),
    ],
)
def test_an_anchor_is_made_as_github_makes_it(heading: str, slug: str) -> None:
    assert slug_of(heading) == slug


def mentions() -> Iterator[tuple[str, str, str]]:
    """Yield file, page and anchor of every page that some text names."""
    for file, text in texts().items():
        for name, anchor in PAGE.findall(URL.sub("", text)):
            if name not in DATA.get(file, ()):
                yield file, name, anchor


def links() -> Iterator[tuple[str, str, str]]:
    """Yield file, target and anchor of every link in a page that leads to this repository."""
    for file, text in texts().items():
        if not file.endswith(".md"):
            continue
        for found in LINK.findall(FENCE.sub("", text)):
            target, _, anchor = (found[0] or found[1]).partition("#")
            if not URL.match(target) and not target.startswith("mailto:"):
                yield file, target or Path(file).name, anchor


def test_every_page_that_is_named_exists() -> None:
    named = list(mentions())
    assert len(named) > 20, "nothing much was found: do the patterns still fit?"

    assert sorted({(file, name) for file, name, _ in named if resolved(file, name) is None}) == []


def test_every_link_leads_somewhere() -> None:
    assert sorted({(file, name) for file, name, _ in links() if resolved(file, name) is None}) == []


def test_every_section_that_is_named_exists() -> None:
    wanted = {(file, name, anchor) for file, name, anchor in (*mentions(), *links()) if anchor}
    assert len(wanted) > 10, "nothing much was found: do the patterns still fit?"
    pages = {(file, name, anchor): resolved(file, name) for file, name, anchor in wanted}

    assert sorted(key for key, page in pages.items() if page is not None and key[2] not in anchors(page)) == []


def test_every_name_that_is_data_still_stands_there() -> None:
    found = {file: {name for name in names if name in texts()[file]} for file, names in DATA.items() if file in texts()}

    assert found == {file: names for file, names in DATA.items() if file in texts()}


def test_every_file_that_is_named_exists() -> None:
    named = {
        (file, f"{FOLDERS[top]}/{rest}")
        for file, text in texts().items()
        for top, rest in FILE.findall(URL.sub("", text))
        if not PLACEHOLDER.search(rest) and f"{top}/{rest}" not in DATA.get(file, ())
    }
    assert len(named) > 20, "nothing much was found: does the pattern still fit?"

    assert sorted((file, path) for file, path in named if resolved(file, path) is None) == []


def test_every_module_that_is_named_exists() -> None:
    named = {
        (file, name)
        for file, text in texts().items()
        if file.endswith((".py", ".yaml", ".toml"))
        for name in MODULE.findall(text)
    }
    assert len(named) > 20, "nothing much was found: does the pattern still fit?"

    assert sorted((file, name) for file, name in named if not _is_there(name)) == []


def _is_there(name: str) -> bool:
    """Tell whether a dotted name is a module of the core package, or something in one."""
    parts = name.split(".")
    for count in range(len(parts), 0, -1):
        try:
            found: object = importlib.import_module(".".join(["ferryman", *parts[:count]]))
        except ModuleNotFoundError:
            continue
        for part in parts[count:]:
            if not hasattr(found, part):
                return False
            found = getattr(found, part)
        return True
    return False
