"""Keys to GitHub, as people store them in a secret."""

import pytest

from ferryman.clients.github.app_token import KeyUnusable
from ferryman.clients.github.auth import private_key_in, token_in


@pytest.mark.parametrize(
    ("secret", "token"), [("ghp_x\n", "ghp_x"), ('{"token": "ghp_x"}', "ghp_x")], ids=["plain", "json"]
)
def test_token_in(secret: str, token: str) -> None:
    assert token_in(secret) == token


@pytest.mark.parametrize("secret", ["", "{}", "{hunter2", "hunter2 x", "hünter2", "a\nhunter2", '{"token": ""}'])
def test_no_token_in(secret: str) -> None:
    with pytest.raises(KeyUnusable) as caught:
        token_in(secret)
    assert "hunter2" not in str(caught.value)


def test_private_key_in_json_with_written_out_line_ends() -> None:
    assert private_key_in('{"privateKey": "-----BEGIN\\\\nx"}') == "-----BEGIN\nx"
