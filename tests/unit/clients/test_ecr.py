"""The edge to ECR: digests, children of an index, and tags that are set once."""

import pytest

from ferryman.clients import ecr
from ferryman.clients.image_index import FARGATE, RunsOn
from ferryman.errors import Conflict, DigestMismatch, NotFound, TagImmutable, Throttled, Unavailable
from unit.fakes.ecr import FakeEcr

REPOSITORY = "scr-api"
ARM = RunsOn("linux", "arm64")


@pytest.fixture
def fake() -> FakeEcr:
    return FakeEcr(REPOSITORY, page=2)


def test_a_tag_resolves_to_its_digest_now(fake: FakeEcr) -> None:
    first = fake.push(REPOSITORY, "abc", "one")
    assert ecr.resolve(fake, REPOSITORY, "abc") == first
    second = fake.push(REPOSITORY, "abc", "two")
    assert ecr.resolve(fake, REPOSITORY, "abc") == second


@pytest.mark.parametrize(("repository", "tag"), [(REPOSITORY, "gone"), ("unknown", "abc")])
def test_what_does_not_exist_resolves_to_nothing(fake: FakeEcr, repository: str, tag: str) -> None:
    assert ecr.resolve(fake, repository, tag) is None


def test_a_tagged_image_comes_with_all_its_tags(fake: FakeEcr) -> None:
    digest = fake.push(REPOSITORY, "abc", "one")
    fake.push(REPOSITORY, "v1.0.0", "one")
    found = ecr.tagged_image(fake, REPOSITORY, "v1.0.0")
    assert found is not None
    assert (found.digest, set(found.tags)) == (digest, {"abc", "v1.0.0"})
    assert ecr.tagged_image(fake, REPOSITORY, "gone") is None
    assert ecr.tagged_image(fake, "unknown", "abc") is None


def test_an_image_exists_tagged_or_not(fake: FakeEcr) -> None:
    digest = fake.push(REPOSITORY, None, "one")
    assert ecr.exists(fake, REPOSITORY, digest)
    assert not ecr.exists(fake, REPOSITORY, "sha256:gone")
    assert not ecr.exists(fake, "unknown", digest)


def test_throttling_is_worth_another_try(fake: FakeEcr) -> None:
    fake.trouble.throttle("DescribeImages")
    with pytest.raises(Throttled):
        ecr.resolve(fake, REPOSITORY, "abc")


def test_a_repository_has_an_address(fake: FakeEcr) -> None:
    assert ecr.address(fake, REPOSITORY) == "registry.example/scr-api"
    with pytest.raises(NotFound, match="create it"):
        ecr.address(fake, "unknown")


@pytest.mark.parametrize(("on", "child"), [(FARGATE, "sha256:amd"), (ARM, "sha256:arm")])
def test_an_index_is_resolved_to_the_child_of_the_platform(fake: FakeEcr, on: RunsOn, child: str) -> None:
    index = fake.push_index(
        REPOSITORY,
        "abc",
        [
            ("sha256:attestation", "unknown", "unknown"),
            ("sha256:windows", "windows", "amd64"),
            ("sha256:amd", "linux", "amd64"),
            ("sha256:arm", "linux", "arm64"),
        ],
    )
    assert ecr.platform_digest(fake, REPOSITORY, index, on) == child


def test_a_single_image_is_its_own_child(fake: FakeEcr) -> None:
    digest = fake.push(REPOSITORY, "abc", "one")
    assert ecr.platform_digest(fake, REPOSITORY, digest, ARM) == digest


def test_an_index_without_the_platform_says_what_it_has(fake: FakeEcr) -> None:
    index = fake.push_index(REPOSITORY, "abc", [("sha256:amd", "linux", "amd64"), ("sha256:a", "unknown", "unknown")])
    with pytest.raises(NotFound, match=r"linux/arm64, only for linux/amd64; build"):
        ecr.platform_digest(fake, REPOSITORY, index, ARM)


def test_an_image_that_is_gone_is_not_found(fake: FakeEcr) -> None:
    with pytest.raises(NotFound, match="lifecycle"):
        ecr.platform_digest(fake, REPOSITORY, "sha256:gone")


def test_all_tagged_images_come_page_by_page(fake: FakeEcr) -> None:
    for number in range(5):
        fake.push(REPOSITORY, f"tag{number}", f"content {number % 4}")
    fake.push(REPOSITORY, None, "untagged")
    found = {image.digest: image.tags for image in ecr.tagged_images(fake, REPOSITORY)}
    assert sorted(found.values()) == [("tag0", "tag4"), ("tag1",), ("tag2",), ("tag3",)]
    assert list(ecr.tagged_images(fake, "unknown")) == []


class TestEnsureTag:
    def test_sets_the_tag_once(self, fake: FakeEcr) -> None:
        digest = fake.push(REPOSITORY, "abc", "one")
        fake.push(REPOSITORY, "staging-latest", "other")
        assert ecr.ensure_tag(fake, REPOSITORY, digest, "staging-latest") is True
        assert ecr.resolve(fake, REPOSITORY, "staging-latest") == digest
        assert ecr.ensure_tag(fake, REPOSITORY, digest, "staging-latest") is False
        assert fake.calls.count("PutImage") == 1

    def test_a_lost_answer_is_found_done_the_next_time(self, fake: FakeEcr) -> None:
        digest = fake.push(REPOSITORY, "abc", "one")
        fake.trouble.lose_answer("PutImage")
        with pytest.raises(Unavailable):
            ecr.ensure_tag(fake, REPOSITORY, digest, "current")
        assert ecr.ensure_tag(fake, REPOSITORY, digest, "current") is False

    def test_already_there_is_done(self, fake: FakeEcr, monkeypatch: pytest.MonkeyPatch) -> None:
        digest = fake.push(REPOSITORY, "abc", "one")
        answers = iter([None, digest])  # a stale read first
        monkeypatch.setattr(ecr, "resolve", lambda *_: next(answers))
        fake.tags[REPOSITORY]["current"] = digest
        assert ecr.ensure_tag(fake, REPOSITORY, digest, "current") is True

    def test_an_immutable_tag_that_is_taken_says_what_to_do(self, fake: FakeEcr) -> None:
        digest = fake.push(REPOSITORY, "abc", "one")
        fake.push(REPOSITORY, "current", "other")
        fake.immutable.add(REPOSITORY)
        with pytest.raises(TagImmutable, match="IMMUTABLE_WITH_EXCLUSION"):
            ecr.ensure_tag(fake, REPOSITORY, digest, "current")

    def test_changed_bytes_stop(self, fake: FakeEcr) -> None:
        digest = fake.push(REPOSITORY, "abc", "one")
        fake.images[REPOSITORY][digest]["manifest"] += " "
        with pytest.raises(DigestMismatch):
            ecr.ensure_tag(fake, REPOSITORY, digest, "current")

    def test_a_tag_that_somebody_moves_meanwhile_is_a_conflict(self, fake: FakeEcr) -> None:
        digest = fake.push(REPOSITORY, "abc", "one")
        theirs = fake.push(REPOSITORY, "def", "two")
        fake.meanwhile = lambda: fake.tags[REPOSITORY].update(current=theirs)
        with pytest.raises(Conflict):
            ecr.ensure_tag(fake, REPOSITORY, digest, "current")

    def test_an_image_that_is_gone_is_not_found(self, fake: FakeEcr) -> None:
        with pytest.raises(NotFound):
            ecr.ensure_tag(fake, REPOSITORY, "sha256:gone", "current")
