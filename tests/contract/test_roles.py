"""Every route of the API says what it does, one table says which role that needs, and docs/security.md shows it."""

import re
from collections import Counter
from collections.abc import Iterator

import pytest

from contract.machine import ROOT
from ferryman.access.roles import NEEDS, Role, Verb, Where
from ferryman.api.serve_api import ROUTES

PAGE = (ROOT / "docs/security.md").read_text(encoding="utf-8")
READS = {Verb.ASK, Verb.VIEW, Verb.VIEW_PLATFORM, Verb.VIEW_DOCUMENT}


def short(pattern: str) -> str:
    """Return a path with the page's short names: P of a platform, E of an environment."""
    platform = "v1/platforms/{platform}"
    text = pattern.replace(f"{platform}/environments/{{environment}}", "E").replace(platform, "P")
    return text if text[0] in "PE" else f"/{text}"


def rows() -> Iterator[str]:
    """Yield the lines that the table has to have."""
    for verb, (role, where) in NEEDS.items():
        calls = [f"`{method} {short(pattern)}`" for method, pattern, does, _ in ROUTES if does is verb]
        if verb is Verb.CREATE:
            calls = ["`PUT P` of a platform that does not exist yet"]
        yield f"| `{verb}` | {role or 'none'} | {where} | {', '.join(calls)} |"


@pytest.mark.parametrize("row", list(rows()))
def test_the_page_shows_what_each_verb_needs(row: str) -> None:
    assert row in PAGE.splitlines()


def test_the_page_shows_no_other_verb() -> None:
    table = PAGE.partition("| verb | role |")[2].partition("\n\n")[0]
    assert re.findall(r"^\| `([a-z-]+)` \|", table, re.MULTILINE) == [str(verb) for verb in Verb]


def test_every_verb_has_a_route_and_no_write_is_taken_for_a_read() -> None:
    used = Counter(verb for _, _, verb, _ in ROUTES)
    assert set(used) == set(Verb) - {Verb.CREATE}
    for method, pattern, verb, _ in ROUTES:
        assert (method == "GET") == (verb in READS), pattern
        needs, where = NEEDS[verb]
        # Deleting an environment is an apply of the whole document.
        assert (where is Where.HERE or verb is Verb.DELETE) == ("{environment}" in pattern), pattern
        assert (needs is None) == ("{platform}" not in pattern), pattern


def test_reading_an_environment_is_the_least_that_a_role_allows() -> None:
    assert {NEEDS[verb][0] for verb in READS - {Verb.ASK}} == {Role.VIEWER}
