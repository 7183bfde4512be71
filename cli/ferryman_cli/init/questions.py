"""Ask at a terminal what was not answered yet. Each answer is checked at once, and asked again if it is not right."""

import re
from collections.abc import Callable
from typing import Any

import typer

from ferryman.platform.problem import closest
from ferryman.platform.values import IN_WORDS, NAME, REPOSITORY
from ferryman_cli import output
from ferryman_cli.exits import Exit, Stop
from ferryman_cli.init import answers as reading
from ferryman_cli.init.draft import cluster_name, repositories, why_not
from ferryman_cli.init.look import Look
from ferryman_cli.init.seen import Registry, Seen, SeenService

Ask = Callable[[str, str], str]
"""Asks a question with a default (empty: none needed), and returns the answer."""
_SHOWN = 12
"""Names that a question lists."""


def prompt(question: str, default: str) -> str:
    """Ask on standard error, so that the document can go to standard output."""
    try:
        return str(typer.prompt(question, default=default, show_default=bool(default), err=True)).strip()
    except typer.Abort:
        raise Stop(Exit.BAD_INPUT, "not answered; nothing was written") from None


def complete(data: dict[str, Any], look: Look, registry: Registry, ask: Ask) -> dict[str, Any]:
    """Return the answers with what was missing in them."""
    data = dict(data)
    asked_environments = "environments" not in data
    if "platform" not in data:
        data["platform"] = _until(ask, "Name of the platform", "", _name)
    if asked_environments:
        question = "Environments in the order of promotion, as in: staging production"
        names = _until(ask, question, "", _names)
        data["environments"] = {}
        there = look.clusters()
        for name in names:
            data["environments"][name] = _environment(name, list(data["environments"]), there, ask)
    for name, given in data["environments"].items():
        given |= _services(name, given["cluster"], data, look, registry, ask)
    if asked_environments:
        _guards(data, ask)
    if "channels" not in data:
        question = "Where messages go: ARN of an SNS topic, or of a secret with a Slack webhook's URL (empty: nowhere)"
        found = _until(ask, question, "", lambda text: dict([reading.channel(text)]) if text else {})
        if found:
            data["channels"] = found
    return data


def _environment(name: str, before: list[str], there: list[str], ask: Ask) -> dict[str, Any]:
    fitting = [cluster for cluster in there if name in cluster]
    question = f"Cluster of {name}{_listed(there)}"
    cluster = _until(ask, question, fitting[0] if len(fitting) == 1 else "", lambda text: _known(text, there))
    given: dict[str, Any] = {"cluster": cluster}
    if before:
        question = f"Environment that must verify a release before {name} (-: none)"
        source = _until(ask, question, before[-1], lambda text: _known(text, ["-", *before]))
        given["promoteFrom"] = None if source == "-" else source
    return given


def _services(
    name: str, cluster: str, data: dict[str, Any], look: Look, registry: Registry, ask: Ask
) -> dict[str, Any]:
    """Ask which services to operate, and which components those run that could not be read."""
    there = look.services(cluster, None)
    seen = Seen(registry=registry)
    same = [one for one in data["environments"].values() if cluster_name(one["cluster"]) == cluster_name(cluster)]
    taken = {service["name"] for one in same for service in one.get("services", [])}
    if there is None:
        question = f"Services of {name}, which could not be read"
        chosen = _until(ask, question, "", _words)
        found = {service: SeenService(service) for service in chosen}
    else:
        known = {service: item for service, item in there.items() if not item.unfit and service not in taken}
        fit = [service for service, item in known.items() if item.containers is None or why_not(item, seen) is None]
        if not fit:
            return {}
        question = f"Services of {name} to operate{_listed(fit)}"
        chosen = _until(ask, question, "all", lambda text: fit if text == "all" else _each(text, fit))
        # Not named, so that those which are left out are told.
        if len(same) == 1 and chosen == fit and all(there[service].containers is not None for service in fit):
            return {}
        found = {service: there[service] for service in chosen}
    answered = [_service(item, data, seen, ask) for item in found.values()]
    return {"services": [one for one in answered if one is not None]}


def _service(item: SeenService, data: dict[str, Any], seen: Seen, ask: Ask) -> dict[str, str] | None:
    if repositories(item, seen):
        return {"name": item.name}
    component = _until(
        ask, f"Component whose image {item.name} runs, which could not be read (empty: leave it out)", "",
        lambda text: _name(text) if text else "",
    )  # fmt: skip
    if not component:
        return None
    components = data.setdefault("components", {})
    if component not in components:
        question = f"ECR repository of component {component}, without registry and tag"
        components[component] = {"repository": _until(ask, question, "", _repository)}
    return {"name": item.name, "component": component}


def _guards(data: dict[str, Any], ask: Ask) -> None:
    last = list(data["environments"])[-1]
    question = f"Who approves deployments to {last}, as NAME=MAIL, NAME=ARN or NAME=SLACK-ID (empty: nobody)"
    approvers: list[dict[str, str]] = []
    while person := _until(ask, question, "", lambda text: reading.approver(text) if text else {}):
        approvers.append(person)
        question = "Another approver (empty: no more)"
    if approvers:
        mails = any("email" in person for person in approvers)
        sender = _until(ask, "Sender of their mails, an identity verified in SES", "", _mail) if mails else None
        reading.guard(data, approvers, sender)


# ── answers and how they are checked ──


def _until[Found](ask: Ask, question: str, default: str, read: Callable[[str], Found]) -> Found:
    """Ask until the answer can be read."""
    while True:
        try:
            return read(ask(question, default).strip())
        except ValueError as error:
            output.warn(str(error))


def _name(text: str) -> str:
    return _matching(text, NAME)


def _repository(text: str) -> str:
    return _matching(text, REPOSITORY)


def _matching(text: str, pattern: str) -> str:
    if not re.fullmatch(pattern, text):
        raise ValueError(f"{text!r} is not valid: {IN_WORDS[pattern]}")
    return text


def _words(text: str) -> list[str]:
    found = list(dict.fromkeys(text.replace(",", " ").split()))
    if not found:
        raise ValueError("name at least one")
    return found


def _names(text: str) -> list[str]:
    return [_name(word) for word in _words(text)]


def _each(text: str, there: list[str]) -> list[str]:
    return [_known(word, there) for word in _words(text)]


def _known(text: str, there: list[str]) -> str:
    # An ARN is taken as it is; nothing is known if nothing could be read.
    if not text or (there and text not in there and not text.startswith("arn:")):
        raise ValueError(f"there is no {text!r}{closest(text, there)}" if text else "an answer is needed")
    return text


def _mail(text: str) -> str:
    if "@" not in text.strip("@"):
        raise ValueError(f"{text!r} is not a mail address")
    return text


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return f" ({', '.join(names[:_SHOWN])}{more})" if names else ""
