"""Addresses of images as task definitions write them, and whether two name the same repository. Pure.

Called by `clients.task_containers`, `decisions.task_verdict` and `releases.adoption`.
"""

import re

_ECR = re.compile(r"([0-9]{12})\.dkr[.-]ecr(?:-fips)?\.([a-z0-9-]+)\..+")
"""Host names of one private registry: plain, FIPS, dual-stack and both; also in China and the isolated regions.

https://docs.aws.amazon.com/AmazonECR/latest/userguide/ecr-requests.html
"""
_DOCKER_HUB = frozenset({"docker.io", "index.docker.io", "registry-1.docker.io", "registry.hub.docker.com"})


def repository_of(image: str) -> str:
    """Return an image's address without tag and digest."""
    name = image.strip().partition("@")[0]
    return name if ":" not in name.rpartition("/")[2] else name.rpartition(":")[0]


def tag_of(image: str) -> str:
    """Return the tag that an image without a digest is pulled by."""
    name = image.strip().partition("@")[0]
    return name[len(repository_of(image)) + 1 :] or "latest"


def digest_of(image: str) -> str:
    """Return an image's digest; empty where only a tag names it."""
    return image.strip().partition("@")[2]


def same_repository(one: str, other: str) -> bool:
    """Whether two images are of the same repository of the same registry, whatever their tags and digests.

    An ECR registry is its account and region: it has several host names. A pull-through cache and a replica in another
    region or account are repositories of their own.
    """
    return bool(one and other) and _canonical(one) == _canonical(other)


def same_name_elsewhere(one: str, other: str) -> bool:
    """Whether two images have the same repository name in different registries."""
    return name_of(one) == name_of(other) and not same_repository(one, other)


def name_of(image: str) -> str:
    """Return the name of an image's repository, without the registry."""
    return _split(image)[1]


def _canonical(image: str) -> tuple[str, ...]:
    """Return registry and repository, the same for each way of writing them."""
    host, name = _split(image)
    host = host.lower().removesuffix(":443")
    ecr = _ECR.fullmatch(host)
    if ecr is not None:
        return (*ecr.groups(), name)
    if not host or host in _DOCKER_HUB:
        return "docker.io", name if "/" in name else f"library/{name}"
    return host, name


def _split(image: str) -> tuple[str, str]:
    """Return registry and repository; without a registry, which means Docker Hub, the first is empty."""
    host, slash, name = repository_of(image).partition("/")
    is_host = slash and ("." in host or ":" in host or host == "localhost")
    return (host, name) if is_host else ("", repository_of(image))
