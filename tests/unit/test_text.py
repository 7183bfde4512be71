"""Text of others, made fit to be shown: what must not get through does not."""

import pytest
from hypothesis import given
from hypothesis import strategies as some

from ferryman.text import bounded, byte_length, clean, listed, one_line, sentence, tail

SECRETS = [
    pytest.param("postgresql://scr:hunter2@db:5432/scr", "hunter2", id="url-password"),
    pytest.param("DATABASE_PASSWORD=hunter2 set", "hunter2", id="assignment"),
    pytest.param('{"api_key": "hunter2", "x": 1}', "hunter2", id="json"),
    pytest.param("Authorization: Bearer abcdefgh12345678", "abcdefgh12345678", id="bearer"),
    pytest.param("using AKIAIOSFODNN7EXAMPLE now", "AKIAIOSFODNN7EXAMPLE", id="access-key-id"),
    pytest.param("got ghp_abcdefghijklmnopqrstuvwxyz0123", "ghp_abc", id="github"),
    pytest.param("https://hooks.slack.com/services/T000/B000/XXXX failed", "B000", id="webhook"),
    pytest.param("jwt eyJhbGciOiJIUzI1.eyJzdWIiOiIxMjM0NTY3.sig", "eyJzdWIi", id="jwt"),
]


@pytest.mark.parametrize(("text", "secret"), SECRETS)
def test_hides_secrets(text: str, secret: str) -> None:
    assert secret not in clean(text)
    assert "[hidden]" in clean(text)


def test_leaves_what_a_person_needs() -> None:
    line = "sqlalchemy.exc.OperationalError: (psycopg.OperationalError) connection to db:5432 refused at 10:31:02"
    assert clean(line) == line


def test_takes_out_terminal_codes_and_invisible_characters() -> None:
    assert (
        clean("\x1b[31mERROR\x1b[0m \x1b]0;title\x07x\u202e\u200b\x00\ud800y\r\nnext\tcolumn")
        == "ERROR xy\nnext    column"
    )


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ("it failed", "it failed."),
        (" it failed. ", "it failed."),
        ("why?", "why?"),
        ("stop!", "stop!"),
        ("run `ferryman explain`", "run `ferryman explain`"),
    ],
)
def test_a_sentence_has_one_end(text: str, whole: str) -> None:
    assert sentence(text) == whole


def test_a_sentence_may_begin_with_a_capital() -> None:
    assert sentence("nobody decided in time", capital=True) == "Nobody decided in time."


def test_bounds() -> None:
    assert clean("x" * 100, limit=10) == "x" * 9 + "…"
    assert one_line("a\n  b\tc") == "a b c"


def test_tail_keeps_the_last_lines_that_say_something() -> None:
    assert tail(["one", "", "  ", "two\nthree", "four  "], count=3) == ["two", "three", "four"]


def test_bounded_counts_bytes_and_cuts_at_a_line() -> None:
    text = "\n".join(["ä" * 50] * 100)
    cut = bounded(text, 1_000)
    assert len(cut.encode()) <= 1_000
    assert cut.split("\n")[0] == "ä" * 50
    assert "truncated" in cut
    assert bounded("short", 1_000) == "short"


@given(some.text(max_size=300), some.integers(60, 400))
def test_anything_ends_clean_and_within_bounds(text: str, size: int) -> None:
    shown = clean(text, limit=size)
    assert len(shown) <= size
    assert all(char == "\n" or char.isprintable() or char.isspace() for char in shown)
    assert len(bounded(shown, size).encode("utf-8")) <= size


@given(some.lists(some.text(alphabet="ab é日𝄞", max_size=400), max_size=60), some.integers(150, 3_000))
def test_what_is_bounded_keeps_its_first_and_its_last_line(lines: list[str], size: int) -> None:
    text = "\n".join(["first", *lines, "last"])
    found = bounded(text, size)
    assert byte_length(found) <= size
    assert found.split("\n")[0] == "first"
    assert found.split("\n")[-1] == "last"
    assert found == text or byte_length(text) > size


@pytest.mark.parametrize(
    ("items", "told"), [([], ""), (["a"], "a"), (["a", "b"], "a and b"), (["a", "b", "c"], "a, b and c")]
)
def test_a_list_in_words(items: list[str], told: str) -> None:
    assert listed(items) == told
