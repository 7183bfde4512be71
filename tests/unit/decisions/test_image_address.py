"""Two images are of the same repository only if a task pulls both from the same place."""

import pytest

from ferryman.decisions.image_address import (
    digest_of,
    name_of,
    repository_of,
    same_name_elsewhere,
    same_repository,
    tag_of,
)

OURS = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/team/scr-api"


@pytest.mark.parametrize(
    ("image", "tag", "digest"),
    [
        ("r.example:5000/a/b", "latest", ""),
        ("r.example:5000/a/b:1", "1", ""),
        ("r.example:5000/a/b@sha256:1", "latest", "sha256:1"),
        ("r.example:5000/a/b:1@sha256:1", "1", "sha256:1"),
        (" r.example:5000/a/b:1 ", "1", ""),
    ],
)
def test_a_repository_has_neither_tag_nor_digest(image: str, tag: str, digest: str) -> None:
    assert repository_of(image) == "r.example:5000/a/b"
    assert name_of(image) == "a/b"
    assert (tag_of(image), digest_of(image)) == (tag, digest)


@pytest.mark.parametrize(
    "image",
    [
        f"{OURS}:1",
        f"{OURS}@sha256:1",
        f"{OURS}:1@sha256:1",
        "123456789012.dkr.ecr.eu-west-1.amazonaws.com:443/team/scr-api:1",
        "123456789012.DKR.ECR.eu-west-1.amazonaws.com/team/scr-api:1",
        "123456789012.dkr.ecr-fips.eu-west-1.amazonaws.com/team/scr-api:1",
        "123456789012.dkr-ecr.eu-west-1.on.aws/team/scr-api:1",
        "123456789012.dkr-ecr-fips.eu-west-1.on.aws/team/scr-api:1",
    ],
)
def test_one_ecr_registry_has_several_host_names(image: str) -> None:
    assert same_repository(image, OURS)
    assert same_repository(OURS, image)


@pytest.mark.parametrize(
    "image",
    [
        "210987654321.dkr.ecr.eu-west-1.amazonaws.com/team/scr-api:1",  # another account's
        "123456789012.dkr.ecr.us-east-1.amazonaws.com/team/scr-api:1",  # a replica
        "123456789012.dkr.ecr.eu-west-1.amazonaws.com/ghcr/team/scr-api:1",  # a pull-through cache
        "123456789012.dkr.ecr.eu-west-1.amazonaws.com/scr-api:1",
        "123456789012.dkr.ecr.eu-west-1.amazonaws.com/team/scr-api-worker:1",
        "public.ecr.aws/team/scr-api:1",
        "ghcr.io/team/scr-api:1",
        "team/scr-api:1",
        "",
    ],
)
def test_another_registry_or_path_is_another_repository(image: str) -> None:
    assert not same_repository(image, OURS)


def test_china_has_its_own_host_names() -> None:
    one, other = "123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn/a", "123456789012.dkr-ecr.cn-north-1.on.amazonwebservices.com.cn/a:1"  # fmt: skip  # noqa: E501
    assert same_repository(one, other)


@pytest.mark.parametrize("image", ["nginx", "library/nginx:1", "docker.io/nginx", "index.docker.io/library/nginx:2"])
def test_docker_hub_is_where_no_registry_is_named(image: str) -> None:
    assert same_repository(image, "docker.io/library/nginx")


def test_a_registry_on_this_machine_is_told_by_its_port() -> None:
    assert same_repository("localhost/scr-api:1", "localhost/scr-api")
    assert same_repository("127.0.0.1:4566/scr-api:1", "127.0.0.1:4566/scr-api@sha256:1")
    assert not same_repository("127.0.0.1:4566/scr-api:1", "127.0.0.1:4567/scr-api")


def test_the_same_name_in_another_registry_is_told_apart() -> None:
    assert same_name_elsewhere("210987654321.dkr.ecr.eu-west-1.amazonaws.com/team/scr-api:1", OURS)
    assert not same_name_elsewhere(f"{OURS}:1", OURS)
    assert not same_name_elsewhere("nginx:1", OURS)
