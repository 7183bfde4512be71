"""The answer of `apply` as a comment on a pull request."""

from typing import Any

from ferryman_cli.markdown import of_apply
from ferryman_cli.source import Source


class _Mark:
    line = 4


class _Root:
    start_mark = _Mark()


DOCUMENT = Source("platform.yaml", {}, _Root())
PLAIN: dict[str, Any] = {
    "platform": "scr", "result": "configured", "dryRun": True, "fields": [], "starts": [], "waitsFor": [],
    "warnings": [], "notes": [],
}  # fmt: skip


def test_everything_that_an_answer_tells() -> None:
    answer = PLAIN | {
        "fields": [
            {"path": "spec.environments.production.soak", "before": "1h", "after": "10m", "loosens": True},
            {"path": "spec.environments.preview", "before": None, "after": "cluster: x", "loosens": False},
        ],
        "starts": [{"environment": "staging", "version": "3f9c2ab"}],
        "waitsFor": [{"environment": "production", "approvers": ["Ada", "Grace"], "required": 2}],
        "warnings": [{"path": "spec.tagPattern", "message": "matches <b>*"}],
    }

    assert of_apply(answer, DOCUMENT).splitlines() == [
        "### Ferryman: platform `scr` configured (dry run)",
        "",
        "| field | before | after | |",
        "|---|---|---|---|",
        "| `spec.environments.production.soak` | `1h` | `10m` | **loosens a gate** |",
        "| `spec.environments.preview` |  | `cluster: x` |  |",
        "",
        "- **Starts a deployment** of `3f9c2ab` in `staging`.",
        "- **Waits for approval**: 2 of Ada, Grace (`production`).",
        "- Warning: platform.yaml:5: spec.tagPattern: matches &#60;b&#62;&#42;",
    ]


def test_nothing_in_a_document_becomes_markdown() -> None:
    hostile = "x` | <img src=x> @everyone\n\n# now"
    answer = PLAIN | {"fields": [{"path": hostile, "before": hostile, "after": hostile, "loosens": False}]}

    rows = [line for line in of_apply(answer, DOCUMENT).splitlines() if line.startswith("| `")]

    assert rows == [f"| {' | '.join(["`x' \\| <img src=x> @everyone # now`"] * 3)} |  |"]


def test_unchanged_and_an_older_operator() -> None:
    older = {key: value for key, value in PLAIN.items() if key not in ("fields", "starts")}

    assert of_apply(older | {"result": "unchanged"}, DOCUMENT) == (
        "### Ferryman: platform `scr` unchanged (dry run)\n\nThe document is the same as the one that is applied.\n"
    )
    assert of_apply(older, DOCUMENT) == "### Ferryman: platform `scr` configured (dry run)\n"


def test_a_comment_stays_short_enough() -> None:
    fields = [{"path": f"a{i}", "before": "1", "after": "2", "loosens": False} for i in range(150)]

    assert "| and 50 more | | | |" in of_apply(PLAIN | {"fields": fields}, DOCUMENT)
