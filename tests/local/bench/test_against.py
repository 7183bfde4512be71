"""The benchmark's comparison with another commit: what needs no build."""

import subprocess
import sys
from pathlib import Path

import pytest

from ferryman_local.bench.against import NoSuchCommit, Row, as_json, check_out, commit_of, rows
from needed import missing

AUTHOR = ("-c", "user.name=Ferryman", "-c", "user.email=tests@example.com", "-c", "commit.gpgsign=false")


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with two commits; the first one has the tag `before`."""
    folder = tmp_path / "repository"
    folder.mkdir()
    git(folder, "init", "--quiet")
    for text, tag in (("before", "before"), ("after", "now")):
        (folder / "file").write_text(text)
        git(folder, "add", "file")
        git(folder, *AUTHOR, "commit", "--quiet", "--message", text)
        git(folder, "tag", tag)
    return folder


def git(folder: Path, *arguments: str) -> str:
    try:
        done = subprocess.run(["git", "-C", str(folder), *arguments], capture_output=True, text=True, check=True)
    except FileNotFoundError:
        missing("git is not installed")
    return done.stdout.strip()


def test_a_commit_is_checked_out_beside_the_work_tree(repository: Path, tmp_path: Path) -> None:
    commit = commit_of(repository, "before")
    assert commit == git(repository, "rev-list", "--max-parents=0", "HEAD")
    assert (check_out(repository, commit, tmp_path / "elsewhere" / "tree") / "file").read_text() == "before"
    assert (repository / "file").read_text() == "after"
    assert git(repository, "worktree", "list").count("\n") == 0


@pytest.mark.parametrize("name", ["nonsense", "", "-x", "--all", "HEAD~7", "HEAD now", "HEAD:file"])
def test_what_is_no_commit_is_refused(repository: Path, name: str) -> None:
    with pytest.raises(NoSuchCommit, match="is not a commit of the repository in"):
        commit_of(repository, name)


def test_without_a_repository_there_is_no_commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    with pytest.raises(NoSuchCommit):
        commit_of(tmp_path, "HEAD")


def test_a_wrong_commit_ends_the_benchmark_with_one_line() -> None:
    command = [sys.executable, "-m", "ferryman_local.bench", "--against=no-such-commit"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("bench: 'no-such-commit' is not a commit of the repository in ")
    assert done.stderr.count("\n") == 1


def test_each_handler_has_a_row_also_one_that_only_one_build_has() -> None:
    found = rows({"both": 50, "ours": 3}, {"both": 100, "theirs": 4})
    assert found == [Row("both", 50, 100), Row("ours", 3, None), Row("theirs", None, 4)]
    assert as_json(found) == {
        "both": {"ours": 50, "theirs": 100, "ratio": 0.5},
        "ours": {"ours": 3, "theirs": None, "ratio": None},
        "theirs": {"ours": None, "theirs": 4, "ratio": None},
    }


def test_nothing_is_divided_by_nothing() -> None:
    assert Row("empty", 0, 0).ratio is None
    assert Row("empty", 0, 5).ratio == 0
