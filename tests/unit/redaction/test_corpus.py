"""The recognition of secrets, measured: what is secret is masked, all else stays, and no text takes long."""

import time

import pytest

from ferryman.redaction import redacted, redacted_data
from unit import redaction_corpus as corpus

SECRETS = corpus.secrets()
ORDINARY = corpus.ordinary()


@pytest.mark.parametrize("case", SECRETS, ids=lambda case: case.name)
def test_masks_the_secret_and_nothing_else(case: corpus.Case) -> None:
    shown = redacted(case.text)
    assert [secret for secret in case.secrets if secret in shown] == []
    assert shown == case.shown


def test_the_corpus_is_of_a_size_that_tells_something() -> None:
    assert len(SECRETS) >= 120
    assert all(case.secrets for case in SECRETS)
    assert len({*ORDINARY}) >= 2_000


def test_changes_at_most_one_ordinary_line_of_a_hundred() -> None:
    changed = [line for line in ORDINARY if redacted(line) != line]
    assert len(changed) <= len(ORDINARY) / 100, changed


def test_ordinary_lines_change_no_more_when_they_are_one_text() -> None:
    together = redacted("\n".join(ORDINARY)).split("\n")
    assert len(together) == len(ORDINARY)
    assert sum(one != other for one, other in zip(ORDINARY, together, strict=True)) <= len(ORDINARY) / 100


@pytest.mark.parametrize("case", SECRETS, ids=lambda case: case.name)
def test_what_is_masked_stays_as_it_is(case: corpus.Case) -> None:
    once = redacted(case.text)
    assert redacted(once) == once


@pytest.mark.parametrize(
    "unit",
    [
        "a", "a-", "password='x\"", "https://a:b/", "a:b@", "-----BEGIN PRIVATE KEY-----", "-----END PRIVATE KEY-----",
        "\\", "mysql -p", "Authorization: x", "password:\n", "key=[", "token={", "key=),", "-u a:", ",a=", " ",
        "<password>", "secret_", "| token ",
    ],
)  # fmt: skip
def test_takes_time_in_proportion_to_the_length(unit: str) -> None:
    def seconds(size: int) -> float:
        text = (unit * size)[:size]
        before = time.process_time()
        redacted(text)
        return time.process_time() - before

    seconds(1_000)
    short = max(0.002, min(seconds(2_000), seconds(2_000)))
    # Eight times as long: quadratic time would be 64 times as much.
    assert seconds(16_000) < 30 * short


def test_data_is_masked_in_its_texts_and_beside_its_names() -> None:
    data = {
        "password": "hunter2",
        "url": "redis://:hunter2@cache:6379",
        "steps": [{"apiKey": "hunter2"}, "token=hunter2"],
        "tokenCount": 3,
        "token": None,
        "phase": "Failed",
    }
    assert redacted_data(data) == {
        "password": "[hidden]",
        "url": "redis://:[hidden]@cache:6379",
        "steps": [{"apiKey": "[hidden]"}, "token=[hidden]"],
        "tokenCount": 3,
        "token": None,
        "phase": "Failed",
    }


@pytest.mark.parametrize(
    "text",
    [
        "\x1b[31mDB_PASSWORD\x1b[0m=\x1b[1;32mhunter2x9\x1b[0m",
        r'{"log":"\u001b[31mDB_PASSWORD\u001b[0m=\u001b[32mhunter2x9\u001b[0m"}',
        r"\033[1mDB_PASSWORD=\033[0mhunter2x9",
        r"\x1b[1mDB_PASSWORD\x1b[0m: hunter2x9",
        "DB_PASS\u200bWORD=hunter2x9",
        "DB_PASSWORD\u2060=hunter2x9",
    ],
)
def test_what_nobody_sees_hides_no_name(text: str) -> None:
    shown = redacted(text)
    assert "hunter2x9" not in shown
    assert "DB_PASSWORD" in shown
    assert redacted(shown) == shown


def test_characters_without_width_stay_where_scripts_need_them() -> None:
    assert redacted("می\u200cخواهم 👩\u200d💻") == "می\u200cخواهم 👩\u200d💻"
