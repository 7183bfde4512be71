"""Text of others, made fit to be shown: what must not get through does not."""

import pytest
from hypothesis import given
from hypothesis import strategies as some

from ferryman.text import bounded, byte_length, clean, listed, one_line, redacted, redacted_data, sentence, tail

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


KEY = ["-----BEGIN RSA PRIVATE KEY-----", *("Ab3" * 21 + letter for letter in "xyz"), "-----END RSA PRIVATE KEY-----"]


@pytest.mark.parametrize("limit", range(20, 400, 7))
def test_a_secret_is_masked_before_the_text_is_cut(limit: int) -> None:
    """Whatever the width: the half of a secret that is left would not look like one."""
    text = "connecting to postgres://scr:hunter2hunter2@db.internal:5432/scr with ghp_" + "a1B2" * 9 + " as its key\n"
    text += "\n".join(KEY)
    for shown in (clean(text, limit=limit), one_line(text, limit=limit), *tail([text], width=limit)):
        assert "hunter" not in shown
        assert "a1B2" not in shown
        assert "Ab3" not in shown


def test_one_line_sees_the_lines_before_it_joins_them() -> None:
    assert one_line("password:\n  hunter2\nport: 80") == "password: [hidden] port: 80"
    assert (
        one_line("user | password\n-----+---------\nscr  | letmein") == "user | password -----+--------- scr | [hidden]"
    )
    assert one_line("\n".join(["failed", *KEY])) == f"failed {KEY[0]} [hidden] {KEY[-1]}"


def test_the_lines_of_a_log_are_seen_together() -> None:
    assert tail([*KEY, "password:", "hunter2", "started"]) == [
        KEY[0], "[hidden]", KEY[-1], "password:", "[hidden]", "started"
    ]  # fmt: skip


def test_colours_do_not_hide_a_secret() -> None:
    assert clean("\x1b[1mpassword\x1b[0m=\x1b[31mhun\x1b[0mter2") == "password=[hidden]"


def test_half_a_secret_at_the_end_of_what_is_looked_at_is_left_out() -> None:
    """Masking makes texts shorter, so that what was behind the last visible character moves up."""
    text = f"token={'x1' * 40} and then scr:hunter2hunter2hunter2@tcp(db:3306)/scr"
    assert clean(text) == "token=[hidden] and then scr:[hidden]@tcp(db:3306)/scr"
    for limit in range(45, len(text)):
        assert "hunter" not in clean(text, limit=limit)
        assert "hunter" not in one_line(text, limit=limit)
        assert "hunter" not in "".join(tail([text], width=limit))


@pytest.mark.parametrize(
    "text", ["started", "Failed to start: 3 of 4", "rolled back to abc1234 (scr-api, scr-web)", ""]
)
def test_words_of_our_own_stay(text: str) -> None:
    assert redacted(text) == text
    assert redacted_data({"why": text, "count": 3}) == {"why": text, "count": 3}


@pytest.mark.parametrize("name", ["password", "apiKey", "token"])
def test_short_data_beside_a_telling_name_is_masked(name: str) -> None:
    assert redacted_data({name: "abc"}) == {name: "[hidden]"}
