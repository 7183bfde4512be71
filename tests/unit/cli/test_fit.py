"""Tables on terminals from 60 to 200 columns."""

import pytest
from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from ferryman_cli import fit, output

HEADERS = ["DEPLOYMENT", "VERSION", "PHASE", "AGE", "BY", "MESSAGE"]
LONG = (
    "The smoke test of api failed: expected 200, got 503 from https://staging.example.com/health, so every service "
    "went back to 1b2c3d4"
)
ROWS = [
    ["01K00000000000000000000DEP", "3f9c2ab", "RolledBack", "3d", "user/jo", LONG],
    ["01K00000000000000000001DEP", "1b2c3d4", "Succeeded", "10d", "assumed-role/Developers/a-long-name", "ok 日本語"],
]


def shown(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, width: int, *, terminal: bool) -> str:
    import sys

    def out() -> Console:
        return Console(
            file=sys.stdout, width=width, force_terminal=terminal, color_system=None, highlight=False, markup=False,
            emoji=False, soft_wrap=True,
        )  # fmt: skip

    monkeypatch.setattr(output, "out", out)
    output.table(HEADERS, ROWS, drop=("BY", "AGE"))
    return capsys.readouterr().out


@pytest.mark.parametrize("width", range(60, 201, 7))
def test_no_line_is_wider_and_no_word_of_a_column_that_stays_is_lost(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    text = shown(capsys, monkeypatch, width, terminal=True)
    assert max(cell_len(line) for line in text.splitlines()) <= width
    assert all(word in text.split() for row in ROWS for word in f"{row[0]} {row[1]} {row[2]}".split())
    message = fit.folded(Text(LONG), 30)
    assert " ".join(line.plain for line in message).replace(" ", "") == LONG.replace(" ", "")


def test_a_narrow_terminal_loses_the_columns_that_matter_least_first(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    heads = [shown(capsys, monkeypatch, width, terminal=True).splitlines()[0].split() for width in (200, 120, 80)]
    assert heads == [
        HEADERS,
        [name for name in HEADERS if name != "BY"],
        [name for name in HEADERS if name not in ("BY", "AGE")],
    ]


def test_what_is_piped_is_never_folded_or_cut(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = shown(capsys, monkeypatch, 60, terminal=False).splitlines()
    assert len(lines) == 3
    assert lines[1].endswith(LONG)


@pytest.mark.parametrize("width", [1, 2, 7, 40])
def test_a_word_that_is_longer_than_a_line_is_folded_too(width: int) -> None:
    lines = fit.folded(Text("日本語 abcdefghijklmnopqrstuvwxyz end"), max(width, 2))
    assert max(cell_len(line.plain) for line in lines) <= max(width, 2)
    assert "".join(line.plain for line in lines).replace(" ", "") == "日本語abcdefghijklmnopqrstuvwxyzend"


def test_lines_end_between_words() -> None:
    assert [line.plain for line in fit.folded(Text("runs no release; nothing newer"), 14)] == [
        "runs no", "release;", "nothing newer",
    ]  # fmt: skip


def test_an_address_is_left_whole_where_it_must_be_opened() -> None:
    lines = fit.folded(Text("see https://example.com/a/long/path now"), 10, whole=True)
    assert [line.plain for line in lines] == ["see", "https://example.com/a/long/path", "now"]


def test_a_header_stays_whole_while_a_text_can_give() -> None:
    line = [Text("PLATFORM"), Text("ENVIRONMENT"), Text("STATUS")]
    widths = fit.columns([line, [Text("bookshop"), Text("dev"), Text("word " * 20)]], 3, 40, [])
    assert widths[1] == len("ENVIRONMENT")
