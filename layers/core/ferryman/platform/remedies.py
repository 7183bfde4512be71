"""What to write instead of frequent mistakes, where the rule alone would not tell. Pure.

Called by `platform.error_messages` and `platform.apply_refusals`.
"""

import json
import re
import shlex
from collections.abc import Iterator

from ferryman.platform.values import PROJECT, REPOSITORY

_REGISTRY = re.compile(r"(?:[0-9]+\.dkr[.-]ecr(?:-fips)?\.[^/]*|public\.ecr\.aws)(?:/(.*))?")
"""https://docs.aws.amazon.com/AmazonECR/latest/userguide/Registries.html: also dual-stack, FIPS and China."""
_ARN = re.compile(r"arn:[^:]*:ecr:[^:]*:[0-9]*:repository/")
_STORE = "store it in Secrets Manager, and write the ARN of that secret as"

_MEANT = {
    ("ChatChannel", "url"): f"the URL of a webhook is a secret: {_STORE} webhookSecretArn",
    ("ChatChannel", "webhook"): f"the URL of a webhook is a secret: {_STORE} webhookSecretArn",
    ("ChatChannel", "webhookurl"): f"the URL of a webhook is a secret: {_STORE} webhookSecretArn",
    ("ChatChannel", "webhooksecret"): f"{_STORE} webhookSecretArn",
    ("ChatChannel", "token"): f"a bot's token is a secret: {_STORE} botTokenSecretArn, with channel",
    ("ChatChannel", "bottoken"): f"a bot's token is a secret: {_STORE} botTokenSecretArn, with channel",
    ("ChatChannel", "signingsecret"): f"{_STORE} signingSecretArn",
    ("TopicChannel", "arn"): "write topicArn",
    ("TopicChannel", "topic"): "write the ARN of the topic as topicArn",
    ("MailChannel", "sender"): "write from",
    ("MailChannel", "recipients"): "write to",
    ("MailChannel", "address"): "write from for the sender, and to for the recipients",
    ("Component", "image"): "write the name of its ECR repository as repository; pushed tags say which image",
    ("Component", "tag"): "spec.tagPattern says which tags are releases",
    ("Service", "image"): "write the component whose image it runs as component",
    ("Service", "taskdefinition"): "write baseTaskDefinition",
    ("Service", "service"): "write name",
    ("Environment", "services"): "services belong to a wave: waves: [{name: all, services: [...]}]",
    ("Environment", "approvers"): "approvers belong to approval: approval: {approvers: [...]}",
    ("Environment", "channels"): "channels are declared in spec.channels; name them in notify",
}
"""Model and field, in lower case, that people write → what they mean."""


def meant(model: str, field: str) -> str | None:
    """Return what to write instead of a field that a model does not have; None when nothing special is known."""
    return _MEANT.get((model, field.lower().replace("_", "")))


def without_registry(repository: str) -> str | None:
    """Return the name that follows a registry of ECR, "" where nothing follows; None when there is no registry."""
    match = _REGISTRY.fullmatch(repository)
    return None if match is None else match.group(1) or ""


def repository_name(value: str) -> str | None:
    """Return the name of the repository that a URL, an ARN or an image means; None when none can be told."""
    plain = _ARN.sub("", value.strip().removeprefix("https://").removeprefix("http://"))
    name = without_registry(plain)
    name = re.sub(r"(?::[^/]*|@.*)$", "", plain if name is None else name).strip("/")
    return name if name and name != value and re.fullmatch(REPOSITORY, name) else None


def project_name(value: str) -> str | None:
    """Return the `owner/name` that an address of a project on GitHub means; None when none can be told."""
    path = re.sub(r"^(?:[a-z+]+://)?(?:[^/@]*@)?[\w.-]+\.[a-z]+[:/]", "", value.strip()).strip("/")
    name = "/".join(path.split("/")[:2]).removesuffix(".git")
    return name if name != value and re.fullmatch(PROJECT, name) else None


_SHELL = re.compile(r"[|&;<>$`]")
_PLAIN = re.compile(r"(?!(?i:true|false|null|yes|no|on|off)$)(?:[A-Za-z/]|-{1,2}[A-Za-z])[A-Za-z0-9_./@=+-]*")
"""What YAML takes as text without quotes."""
_LONGEST = 200


def as_list(value: str | int) -> str:
    """Return how a list of YAML is written whose items somebody wrote as one text: a command line, or `push, tag`."""
    if isinstance(value, int):
        return f"[{value}]"
    try:
        items = ["sh", "-c", value] if _SHELL.search(value) else shlex.split(value.strip("[]").replace(",", " "))
    except ValueError:  # a quote that nothing closes
        items = value.split()
    told = f"[{', '.join(item if _PLAIN.fullmatch(item) else json.dumps(item, ensure_ascii=False) for item in items)}]"
    return told if len(told) <= _LONGEST else "[…, …]"


def list_in_text(value: str) -> str | None:
    """Return how a list that was written as text is written: `[subnet-1]` in quotes, or `subnet-1,subnet-2`."""
    items = [part.strip().strip("\"'") for part in value.strip().strip("[]").split(",")]
    items = [item for item in items if item]
    return f"[{', '.join(items)}]" if items and not value.startswith("ssm:") else None


_PLACEHOLDER = re.compile(
    r"\$?\{\{?\s*(?:\w+\.)?(version|sha|commit|tag|git_?sha|release|image)\s*\}?\}", re.IGNORECASE
)


def placeholders(value: object) -> Iterator[str]:
    """Yield what looks like a placeholder and is none, in a text or in the values of a list or mapping."""
    if isinstance(value, str):
        yield from (found[0] for found in _PLACEHOLDER.finditer(value) if found[0] != "{release}")
    elif isinstance(value, dict):
        for item in value.values():
            yield from placeholders(item)
    elif isinstance(value, list):
        for item in value:
            yield from placeholders(item)
