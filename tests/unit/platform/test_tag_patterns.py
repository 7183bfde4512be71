"""A document's pattern is matched in time proportional to the tag, with the result that `re` would have."""

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as some

from ferryman.platform import apply_refusals, parse, tag_patterns
from unit import operating

HOSTILE = [
    r"(?P<version>(a|a)*b)",
    r"(?P<version>(a+)+b)",
    r"(?P<version>(?:a|aa)+b)",
    r"(?P<version>([a-z]+)*[0-9])",
    r"(?P<version>a*a*a*a*a*a*b)",
    r"(?P<version>(?:a{1,9}){1,30}b)",
    r"(?P<version>(?:(?:a|b)|(?:a|c)){1,100}z)",
]
NOT_REGULAR = [
    (r"(?P<version>(a+)+)(?=b)", "looks around or back"),
    (r"(?P<version>(a+)+)(?<!b)", "looks around or back"),
    (r"(?P<version>(?P<x>a+)+(?P=x)b)", "looks around or back"),
    (r"(?P<version>(?>a+|b)+(c|c)*)", "looks around or back"),
    (r"(?P<version>(a|a)*+b)", "looks around or back"),
    (r"(?P<version>(?:|){30}x)", "may be empty"),
    (r"(?P<version>(a*)*b)", "may be empty"),
    (r"(?P<version>(?:(?:a{1,100}){1,100}){1,100})", "smaller numbers"),
]
QUICK = [
    r"(?P<version>[0-9a-f]{7,40})",
    r"(?P<seq>[0-9]+)-(?P<version>[0-9a-f]{7,40})",
    r"(?P<version>(?!latest)[a-z0-9]+)",
    r"v(?P<version>[0-9]{4}\.[0-9]{1,2}\.[0-9]+)",
]


@pytest.mark.parametrize("pattern", HOSTILE)
def test_no_way_through_a_pattern_is_gone_twice(pattern: str) -> None:
    before = time.process_time()
    assert tag_patterns.problem(pattern) is None
    assert tag_patterns.full_match(pattern, "a" * 127 + "-") is None
    assert time.process_time() - before < 5  # `re` takes longer than the universe for most of them.


@pytest.mark.parametrize("pattern", [*HOSTILE, *QUICK])
@pytest.mark.parametrize("tag", ["", "b", "ab", "aaab", "aaa9", "abc1234", "12-abc1234", "v2024.1.2", "latest", "aabz"])
def test_the_result_is_that_of_re(pattern: str, tag: str) -> None:
    found = re.fullmatch(pattern, tag)
    assert tag_patterns.full_match(pattern, tag) == (found.groupdict() if found else None)


def _repeated(inner: some.SearchStrategy[str]) -> some.SearchStrategy[str]:
    return some.one_of(
        some.tuples(inner, inner).map("".join),
        some.tuples(inner, inner).map(lambda both: f"(?:{both[0]}|{both[1]})"),
        some.tuples(inner, some.sampled_from(["*", "+", "?", "{1,3}", "{2}", "*?", "+?", "??"])).map(
            lambda both: f"(?:{both[0]}){both[1]}"
        ),
        inner.map(lambda one: f"(?i:{one})"),
        inner.map(lambda one: f"({one})"),
    )


PARTS = some.recursive(
    some.sampled_from(["a", "b", "[ab]", "[^a]", ".", r"\d", r"\w", "-", r"\.", "1", r"\b", "^", "$"]),
    _repeated,
    max_leaves=7,
)


@given(PARTS, PARTS, some.text(alphabet="abA1-._", max_size=8))
def test_ways_side_by_side_end_where_re_ends(version: str, seq: str, tag: str) -> None:
    """The preference of each repetition and alternative is that of `re`, too: it decides what a group captures."""
    pattern = f"(?P<version>{version})(?P<seq>{seq})?"
    found = re.fullmatch(pattern, tag)
    # Many rounds, so that it is not left to `re`, and none of them taken.
    many = rf"(?:(?:[xy]|[yz])+!)?{pattern}"
    if tag_patterns.problem(many) is None:
        assert tag_patterns.full_match(many, tag) == (found.groupdict() if found else None)


@pytest.mark.parametrize(("pattern", "why"), NOT_REGULAR)
def test_what_can_not_be_made_quick_is_told(pattern: str, why: str) -> None:
    assert why in (tag_patterns.problem(pattern) or "")


@pytest.mark.parametrize("pattern", QUICK)
def test_patterns_that_people_write_are_left_to_re(pattern: str) -> None:
    assert tag_patterns.problem(pattern) is None


def test_a_pattern_that_was_stored_keeps_its_meaning() -> None:
    """`apply` refuses it; whoever has it already is not left without releases."""
    pattern = r"(?P<version>([0-9a-f]+-?)+)(?<!-)"
    assert tag_patterns.problem(pattern) is not None
    assert tag_patterns.full_match(pattern, "abc-123") == {"version": "abc-123"}
    assert tag_patterns.full_match(pattern, "abc-") is None


def test_apply_refuses_it_and_the_parser_of_stored_documents_takes_it() -> None:
    stored = operating.document().dump()
    stored["spec"]["tagPattern"] = r"(?P<version>(a+)+)(?=b)"
    stored["spec"]["environments"]["staging"]["movingTags"] = ["a" * 60]
    before = time.process_time()
    document = parse(stored)
    ((path, why),) = apply_refusals.problems_of(document)
    assert path == "spec.tagPattern"
    assert "may take very long" in why
    assert time.process_time() - before < 5
