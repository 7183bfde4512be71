"""`ferryman watch`: follow a deployment to its end."""

from typing import Annotated

import typer

from ferryman_cli import choices, following, options
from ferryman_cli.connection import connect
from ferryman_cli.output import Format


def watch(
    environment: options.Env,
    deployment: Annotated[
        str,
        typer.Option("--deployment", "-d", help="Deployment id, or `latest`: the running one, otherwise the last one."),
    ] = "latest",
    version: Annotated[
        str | None,
        typer.Option(
            "--release",
            metavar="RELEASE",
            autocompletion=choices.releases,
            help="Wait for a deployment of this version, semver tag or image tag to start, then follow it. Ends at "
            "once with exit code 2 if the tag can never be a release.",
            show_default=False,
        ),
    ] = None,
    old_version: options.OldVersion = None,
    timeout: following.Timeout = None,
    interval: following.Interval = 2,
    platform: options.Platform = None,
    form: options.Output = Format.TABLE,
    api_url: options.ApiUrl = None,
) -> None:
    """Follow a deployment live until it ends.

    Shows the steps, the running and desired tasks of each service, and times. While the deployment waits for approval,
    shows who can approve it and how. Exits with 0 if the deployment is Succeeded, and with 1 if it ended differently or
    the timeout passed. Without a terminal, prints one line per change; with -o json, one JSON object per change.
    Interrupting the command does not affect the deployment.

    \b
    Examples:
      ferryman watch staging
      docker push …/scr-web:3f9c2ab && ferryman watch staging --release 3f9c2ab --timeout 30m
    """
    limit = following.seconds(timeout)
    api = connect(api_url)
    place = options.place(api, platform, environment)
    api.get(place)  # a missing platform or environment would look like a deployment that has not started
    version = options.release_of(version, old_version, "--version")
    wanted = None if version is None else following.meant(api, platform, version)
    looks = following.follow(api, place, deployment, wanted, interval, limit)
    following.judge(following.to_the_end(looks, form, platform, environment))
