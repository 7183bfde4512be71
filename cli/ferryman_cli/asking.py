"""Post a request about one environment to the API, and print the answer."""

from typing import Any

from ferryman_cli import options, output
from ferryman_cli.connection import connect
from ferryman_cli.output import Format


def ask(
    api_url: str | None,
    platform: str | None,
    environment: str,
    what: str,
    body: dict[str, Any],
    form: Format,
    *,
    repeatable: bool,
) -> None:
    """Post to an environment and print the answer's message."""
    api = connect(api_url)
    answer = api.post(f"{options.place(api, platform, environment)}/{what}", body, repeatable=repeatable)
    tell(form, answer)


def tell(form: Format, answer: dict[str, Any]) -> None:
    """Print the API's answer to a request."""
    output.emit(form, answer, lambda: output.out().print(output.clean(answer["message"])))
