"""Write a draft down as a commented YAML document. Pure."""

import json
import re
from itertools import batched
from textwrap import indent
from typing import Any

from ferryman.errors import InvalidDocument
from ferryman.platform import apply_refusals, parse
from ferryman_cli import output, source
from ferryman_cli.exits import Exit, Stop
from ferryman_cli.init.draft import Draft, DraftEnvironment, DraftService

_IN_A_WAVE = 40
_SHOWN = 3
"""Tags that are given as examples."""


def render(draft: Draft, region: str) -> str:
    """Return the document's text; raise Stop if it would not be valid. `region`: empty if AWS was not asked."""
    seen = f" and from what ECS and ECR have in {region}" if region else ""
    lines = [
        f"# A first document, from answers{seen}. Check it, and keep it beside your code.",
        "# Comments name what is not known, or has a default. docs/platform.md describes every field.",
        "apiVersion: ferryman/v1",
        "kind: Platform",
        _yaml({"metadata": {"name": draft.platform}}),
        "spec:",
        *_tag_pattern(draft),
        "  # A release is complete when each of these repositories has an image with its version. Remove a component",
        "  # whose image is not pushed together with the others.",
        _yaml({"components": {name: {"repository": value} for name, value in draft.components.items()}}, 2),
        *_channels(draft),
        "  environments:",
    ]
    for name, environment in draft.environments.items():
        lines += [f"    {_word(name)}:", *_environment(environment, list(draft.channels))]
    text = "\n".join(lines) + "\n"
    check(text)
    return text


def check(text: str) -> None:
    """Raise Stop unless `apply` would take this document, as far as the document alone tells."""
    document = source.of_text("the document", text)
    try:
        problems = apply_refusals.problems_of(parse(document.data))
    except InvalidDocument as error:
        problems = error.problems
    if problems:
        told = "\n".join(f"  {f'{path}: ' if path else ''}{message}" for path, message in problems)
        raise Stop(Exit.BAD_INPUT, f"with these answers, the document would not be valid; nothing was written:\n{told}")


def _tag_pattern(draft: Draft) -> list[str]:
    if draft.tag_pattern is not None:
        return [_yaml({"tagPattern": draft.tag_pattern}, 2)]
    lines = ["  # tagPattern: which image tags name a release. Default: commits, (?P<version>[0-9a-f]{7,40})."]
    if draft.other_tags:
        listed = output.flat(", ".join(draft.other_tags[:_SHOWN]))
        lines.append(f"  # Images that run now have tags that this does not match: {listed}.")
    return lines


def _channels(draft: Draft) -> list[str]:
    if draft.channels:
        return [_yaml({"channels": draft.channels}, 2)]
    return [
        "  # channels: where messages go, by Slack, SNS or mail; `notify` of an environment names them. Default: none."
    ]


def _environment(environment: DraftEnvironment, channels: list[str]) -> list[str]:
    lines = [_yaml({"cluster": environment.cluster}, 6)]
    if environment.triggers == ["push"]:
        lines.append("      # A complete release starts a deployment here. Other triggers: tag, promotion, manual.")
    elif "promotion" not in environment.triggers:
        lines.append("      # The trigger promotion starts a deployment as soon as promoteFrom has verified a release.")
    lines.append(f"      triggers: [{', '.join(environment.triggers)}]")
    if environment.promote_from is not None:
        lines.append(f"      promoteFrom: {_word(environment.promote_from)}")
    if environment.approval is not None:
        lines.append(_yaml({"approval": environment.approval}, 6))
    elif environment.promote_from is not None:
        lines.append("      # approval: who must approve a deployment here. Default: nobody is asked.")
    notify = (
        f"notify: [{', '.join(map(_word, channels))}]" if channels else "# notify: names of channels. Default: none."
    )
    lines += [
        "      # migration: the task that migrates the database before any service changes. Default: none.",
        "      # smokeTests: HTTP checks after the last wave. Default: none, so a release that runs is verified.",
        f"      {notify}",
        "      # Waves are rolled out one after the other, the services of one wave together. Give them an order.",
        "      # baseTaskDefinition: what Terraform publishes, as ARN or ssm:/path. Default: what the service runs.",
        "      waves:",
    ]
    for number, services in enumerate(batched(environment.services, _IN_A_WAVE, strict=False), start=1):
        lines += [f"        - name: services{f'-{number}' if number > 1 else ''}", "          services:"]
        lines += [line for service in services for line in _service(service)]
    if environment.left_out:
        lines.append("      # Left out:")
        lines += [f"      #   {output.flat(one.name)}: {output.flat(one.why)}" for one in environment.left_out]
    return lines


def _service(service: DraftService) -> list[str]:
    lines = [_yaml([service.fields], 12)]
    if service.family:
        lines.append(f"              # baseTaskDefinition: …  # it runs the family {output.flat(service.family)}")
    return lines


_BREAKS = re.compile("[\x85\u2028\u2029]")
"""Line breaks of YAML 1.1 that no name has: a reader of YAML would make spaces of them."""


def _yaml(data: Any, by: int = 0) -> str:
    if _BREAKS.search(json.dumps(data, ensure_ascii=False)):
        raise Stop(Exit.BAD_INPUT, f"an answer has a line break in it, nothing was written: {json.dumps(data)}")
    return indent(output.as_yaml(data).rstrip("\n"), " " * by)


def _word(name: str) -> str:
    """Return a name, quoted where YAML would read something else: `null`."""
    return output.as_yaml([name]).removeprefix("- ").rstrip("\n")
