"""The search for what belongs to an environment, in whatever shape an image has."""

import gzip
import io
import json
import tarfile
from pathlib import Path

import check_addresses
import pytest

SAYS = b'url = "https://api.staging.scr-platform.example/v1"'


def archive(files: dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return stream.getvalue()


def look(path: Path) -> list[str]:
    search = check_addresses.Search()
    if path.is_dir():
        return list(search.folder(path))
    with path.open("rb") as stream:
        return list(search.stream(path.name, stream))


@pytest.mark.parametrize("value", check_addresses.POISON.values(), ids=check_addresses.POISON)
def test_what_a_build_was_told_is_found(tmp_path: Path, value: str) -> None:
    (tmp_path / "chunk.js").write_text(f'fetch("{value}/x")')
    assert look(tmp_path)[0].startswith("chunk.js: ")


@pytest.mark.parametrize(
    "text",
    ["api.staging.scr-platform.com", "SCR-Platform.example", "https://scr-platform.example:8000/"],
)
def test_hosts_of_the_platform_are_found(tmp_path: Path, text: str) -> None:
    (tmp_path / "a").write_bytes(b"\0\1" + text.encode() + b"\0")
    assert len(look(tmp_path)) == 1


@pytest.mark.parametrize("text", ["scr-platform", "scr-platform.examples", "http://127.0.0.1:8000", ""])
def test_what_is_no_address_of_it_is_not_found(tmp_path: Path, text: str) -> None:
    (tmp_path / "a").write_text(text)
    assert look(tmp_path) == []


def test_a_layer_of_a_saved_image_is_looked_into(tmp_path: Path) -> None:
    layers = {"a/layer.tar": archive({"app/a.js": SAYS}), "blobs/b": gzip.compress(archive({"app/b.js": SAYS}))}
    (tmp_path / "image.tar").write_bytes(archive({**layers, "config.json": b"{}"}))
    assert look(tmp_path / "image.tar") == [
        "image.tar: a/layer.tar: app/a.js: api.staging.scr-platform.example",
        "image.tar: blobs/b: app/b.js: api.staging.scr-platform.example",
    ]


def test_the_environment_of_a_saved_image_is_looked_at(tmp_path: Path) -> None:
    config = json.dumps({"config": {"Env": [f"API_URL={check_addresses.POISON['API_URL']}"]}})
    (tmp_path / "image.tar").write_bytes(archive({"0a1b.json": config.encode()}))
    assert len(look(tmp_path / "image.tar")) == 1


def test_names_of_files_count(tmp_path: Path) -> None:
    (tmp_path / "scr-platform.example.pem").write_text("")
    assert look(tmp_path) == ["scr-platform.example.pem (its name): scr-platform.example.pem"]


def test_what_lies_across_two_chunks_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(check_addresses, "CHUNK", 300)
    for shift in range(len(SAYS)):
        (tmp_path / "big").write_bytes(b" " * (check_addresses.CHUNK - shift) + SAYS + b" " * 1000)
        assert "api.staging.scr-platform.example" in " ".join(look(tmp_path)), shift


def test_its_words_and_its_exit_status(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "good").mkdir()
    (tmp_path / "good/a").write_text("nothing")
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad/a").write_bytes(SAYS)
    (tmp_path / "empty").mkdir()

    assert check_addresses.main([str(tmp_path / "good")]) == 0
    assert check_addresses.main([str(tmp_path / "bad"), str(tmp_path / "good")]) == 1
    assert check_addresses.main([str(tmp_path / "empty")]) == 2
    assert check_addresses.main([]) == 2
    out, err = capsys.readouterr()
    assert "good: 1 files, no data of an environment in them" in out
    assert "check_addresses: a: api.staging.scr-platform.example\n" in err
    assert "empty contains no files, so there is nothing to search" in err


def test_no_image_and_no_docker(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    assert check_addresses.main(["scr-web:none"]) == 2
    assert "is neither a folder nor a file, and docker is not installed" in capsys.readouterr().err
