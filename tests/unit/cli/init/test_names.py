"""Names of components, made from repositories."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as some

from ferryman.platform.values import NAME
from ferryman_cli.init.names import component_names


@pytest.mark.parametrize(
    ("repositories", "names"),
    [
        (["shop-api", "shop/web", "team/shop-worker"], ["api", "web", "worker"]),
        (["shop"], ["shop"]),
        (["other-api"], ["other-api"]),
        (["a/api", "b/api", "shop-api"], ["api", "b-api", "shop-api"]),
        (["my.app_v2"], ["my-app-v2"]),
        (["2fa", "42"], ["fa", "component"]),
        (["a" * 40, "b/" + "a" * 40], ["a" * 24, "b-" + "a" * 22]),
        (["shop-api", "shop-api"], ["api"]),
    ],
)  # fmt: skip
def test_names(repositories: list[str], names: list[str]) -> None:
    assert list(component_names("shop", repositories, {}).values()) == names


def test_an_answered_name_stays_and_is_not_given_twice() -> None:
    assert component_names("shop", ["shop-api", "shop-core"], {"shop-core": "api"}) == {
        "shop-core": "api",
        "shop-api": "shop-api",
    }


WORDS = some.text("ab1", min_size=1, max_size=30)
REPOSITORIES = some.lists(WORDS, min_size=1, max_size=3).map("/".join) | some.tuples(WORDS, WORDS).map("-".join)


@given(some.lists(REPOSITORIES, max_size=8))
def test_each_repository_has_a_valid_name_of_its_own(repositories: list[str]) -> None:
    names = list(component_names("shop", repositories, {}).values())
    assert len(names) == len(set(names)) == len(set(repositories))
    assert all(re.fullmatch(NAME, name) for name in names)
