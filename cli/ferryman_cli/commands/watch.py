"""`ferryman watch`: follow a deployment to its end."""

from typing import Annotated

import typer

from ferryman_cli import following, options
from ferryman_cli.connection import connect
from ferryman_cli.output import Format


def watch(
    environment: options.Env,
    deployment: Annotated[
        str, typer.Option("--deployment", "-d", help="An id, or `latest`: the one under way, else the last one.")
    ] = "latest",
    version: Annotated[
        str | None,
        typer.Option(
            "--version", help="Wait for a deployment of this version to begin, and follow it.", show_default=False
        ),
    ] = None,
    timeout: following.Timeout = None,
    interval: following.Interval = 2,
    platform: options.Platform = None,
    form: options.Output = Format.TABLE,
    api_url: options.ApiUrl = None,
) -> None:
    """Follow a deployment live, to its end.

    Shows steps, services with running and desired tasks, and times; while it waits for approval, who may give it and
    how. Exit 0 when the deployment Succeeded, 1 when it ended otherwise or the time-out passed. Without a terminal it
    prints a line for each change; with -o json a JSON object per line. Interrupting it does not touch the deployment.

    \b
    Examples:
      ferryman watch staging
      docker push …/scr-web:3f9c2ab && ferryman watch staging --version 3f9c2ab --timeout 30m
    """
    limit = following.seconds(timeout)
    api = connect(api_url)
    place = options.place(api, platform, environment)
    api.get(place)  # a platform or environment that doesn't exist would look like a deployment that hasn't begun
    looks = following.follow(api, place, deployment, version, interval, limit)
    following.judge(following.to_the_end(looks, form, environment))
