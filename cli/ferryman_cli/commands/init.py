"""`ferryman init`: write a first platform document from what ECS and ECR have, or from answers."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ferryman.errors import InvalidDocument
from ferryman.suggestions import suggest
from ferryman_cli import output, source
from ferryman_cli.exits import Exit, Stop

if TYPE_CHECKING:
    from ferryman_cli.init.answers import Answers
    from ferryman_cli.init.draft import Draft
    from ferryman_cli.init.look import Look
    from ferryman_cli.init.seen import Registry


def init(
    platform: Annotated[
        str | None, typer.Option("--platform", "-p", help="Name of the platform.", show_default=False)
    ] = None,
    environment: Annotated[
        list[str] | None,
        typer.Option(
            "--environment", "-e", metavar="NAME=CLUSTER", show_default=False,
            help="An environment and its ECS cluster. Can be repeated, in the order of promotion.",
        ),
    ] = None,
    approver: Annotated[
        list[str] | None,
        typer.Option(
            "--approver", metavar="NAME=WHO", show_default=False,
            help="Who approves deployments to the last environment: a mail address, the ARN of a caller, or a Slack "
            "user id. Can be repeated.",
        ),
    ] = None,
    sender: Annotated[
        str | None,
        typer.Option("--from", metavar="ADDRESS", help="Sender of the approvers' mails.", show_default=False),
    ] = None,
    channel: Annotated[
        str | None,
        typer.Option(
            "--channel", metavar="ARN", show_default=False,
            help="Where messages go: ARN of an SNS topic, or of a secret that holds the URL of a Slack webhook.",
        ),
    ] = None,
    answers: Annotated[
        str | None,
        typer.Option(
            "--answers", metavar="FILE", show_default=False,
            help="All answers in a YAML or JSON file, instead of the options above; `-` reads standard input.",
        ),
    ] = None,
    file: Annotated[
        str, typer.Option("--output", "-o", metavar="FILE", help="Where to write the document; `-`: standard output.")
    ] = "platform.yaml",
    force: Annotated[bool, typer.Option("--force", help="Overwrite the file if it exists.")] = False,
) -> None:  # fmt: skip
    """Write a first platform document, by asking ECS and ECR what is there, or from answers.

    Needs no operator. Reads with your own AWS credentials, and changes nothing in AWS. On a terminal, what is missing
    is asked. What you may not read is told and left out, and what cannot be known stays a comment in the document.

    \b
    Exit codes:
      0  the document was written, and is valid
      2  an answer is missing or wrong, or the file exists

    \b
    Examples:
      ferryman init
      ferryman init -p shop -e staging=shop-staging -e production=shop-production
      ferryman init -p shop -e production=shop --approver "Ada Lovelace=ada@example.com" --from ferryman@example.com
      ferryman init --answers answers.yaml -o shop.yaml
    """
    from ferryman_cli.init import answers as reading
    from ferryman_cli.init.look import Look, eyes

    _check_free(file, force=force)
    try:
        options = reading.given(platform, environment or [], approver or [], sender, channel)
    except ValueError as error:
        raise Stop(Exit.BAD_INPUT, str(error)) from None
    if answers is not None and options:
        raise Stop(Exit.BAD_INPUT, "--answers holds all answers; leave out the other options, or --answers")
    asks = answers is None and sys.stdin.isatty()
    if answers is None and not asks:
        _check_complete(options)
    answered = source.read(answers) if answers is not None else None
    # Before AWS is asked: a mistake is told at once.
    given = _parsed(answered.data if answered else options, answered) if not asks else None
    look = Look(eyes(), lambda told: output.warn(f"warning: {output.flat(told)}"))
    registry = look.registry()
    if given is None:
        from ferryman_cli.init.questions import complete, prompt

        given = _parsed(complete(options, look, registry, prompt), None)
    from ferryman_cli.init.render import render

    found = _draft(given, look, registry)
    text = render(found, look.region)
    _write(file, text, force=force)
    _tell(found, file)


def _check_free(file: str, *, force: bool) -> None:
    if file != "-" and not force and Path(file).exists():
        raise Stop(Exit.BAD_INPUT, _exists(file))


def _exists(file: str) -> str:
    return f"{file} exists; nothing was written. Add --force to overwrite it, or -o for another file"


def _check_complete(options: dict[str, Any]) -> None:
    needed = {"platform": "the platform's name (--platform)", "environments": "an environment (-e NAME=CLUSTER)"}
    missing = [words for name, words in needed.items() if name not in options]
    if missing:
        raise Stop(
            Exit.BAD_INPUT,
            f"{' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} missing, and this is no terminal to ask; "
            "add the options, or --answers FILE",
        )


def _parsed(data: Any, file: source.Source | None) -> "Answers":
    from ferryman_cli.init.answers import parse

    try:
        return parse(data)
    except InvalidDocument as error:
        plain = "\n".join(f"{path}: {message}" for path, message in error.problems)
        raise Stop(Exit.BAD_INPUT, file.tell(error.problems) if file else plain) from None


def _draft(answers: "Answers", look: "Look", registry: "Registry") -> "Draft":
    """Look at each cluster of the answers, and decide what the document says."""
    from ferryman_cli.init.draft import draft
    from ferryman_cli.init.seen import Seen, SeenService

    clusters: dict[str, dict[str, SeenService]] = {}
    for environment in answers.environments.values():
        named = None if environment.services is None else [item.name for item in environment.services]
        found = look.services(environment.cluster, named)
        if found is not None:
            clusters[environment.cluster] = clusters.get(environment.cluster, {}) | found
    return draft(answers, Seen(clusters, registry))


def _write(file: str, text: str, *, force: bool) -> None:
    if file == "-":
        sys.stdout.write(text)
        return
    try:
        # "x": not even a file that was written meanwhile is overwritten.
        with Path(file).open("w" if force else "x", encoding="utf-8") as target:
            target.write(text)
    except FileExistsError:
        raise Stop(Exit.BAD_INPUT, _exists(file)) from None
    except OSError as error:
        raise Stop(Exit.BAD_INPUT, f"{file}: cannot write the file: {error.strerror}") from None


def _tell(draft: "Draft", file: str) -> None:
    """Say what was written, what is left out, and what to do next; on standard error beside a document on output."""
    left_out = [(name, one) for name, env in draft.environments.items() for one in env.left_out]
    for name, one in left_out:
        output.warn(output.flat(f"left out of {name}: {one.name}: {one.why}"))
    if draft.other_tags:
        tags = ", ".join(draft.other_tags[:3])
        output.warn(output.flat(f"images that run now have tags such as {tags}, which the default tagPattern ignores"))
    if file == "-":
        return
    services = sum(len(env.services) for env in draft.environments.values())
    output.out().print(
        f"{output.clean(file)} is written: platform {draft.platform}, {_many(len(draft.environments), 'environment')}, "
        f"{_many(services, 'service')}, {_many(len(draft.components), 'component')}"
    )
    output.out().print(
        f"Next: read it, check it with {suggest('validate', f=file)}, see what it would do with "
        f"{suggest('apply', f=file, dry_run=True)}, and apply it without --dry-run"
    )


def _many(count: int, word: str) -> str:
    return f"{count} {word}" if count == 1 else f"{count} {word}s"
