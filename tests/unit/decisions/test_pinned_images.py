"""Images by digest in the place of tags."""

from ferryman.decisions.pinned_images import pinned, read, with_room, written
from ferryman.records.limits import TOTALS

ONE, TWO = f"sha256:{'1' * 64}", f"sha256:{'2' * 64}"


def test_what_is_written_is_read() -> None:
    digests = {"api": ONE, "proxy": TWO}
    assert read(written(digests)) == digests
    assert read(None) == read("") == {}


def test_only_tags_are_replaced() -> None:
    images = {"api": "r.example/api:latest", "proxy": f"r.example/proxy@{ONE}", "agent": "agent:1"}
    assert pinned(images, {"api": TWO, "proxy": TWO, "gone": TWO}) == {"api": f"r.example/api@{TWO}"}
    assert pinned({"api": "localhost:5000/api"}, {"api": ONE}) == {"api": f"localhost:5000/api@{ONE}"}


def test_as_many_as_there_is_room_for() -> None:
    entry = written({"api": ONE})
    kept = with_room({f"service-{number:04d}": entry for number in range(5000)})
    assert 2000 < len(kept) < 5000
    assert sum(len(name) + len(text) for name, text in kept.items()) <= TOTALS["AdoptedImages.images"]
