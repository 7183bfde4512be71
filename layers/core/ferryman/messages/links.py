"""The links of a message: what a person opens next, by its label. Pure.

They are kept apart from the text: a text quotes logs and reasons of strangers, so no channel makes links of what is in
it. `links_of` accepts only what this module has made or could have made.
"""

import re
from urllib.parse import quote

from ferryman.arns import console_host
from ferryman.decisions import approval_in_words, deployment_report
from ferryman.platform import GitHub
from ferryman.records import Deployment, OutboxMessage

FIELD = "links"
"""The field of `OutboxMessage.detail`: label → address."""
_EXECUTION = re.compile(
    r"arn:(?P<partition>aws[a-z-]{0,20}):states:(?P<region>[a-z0-9-]{1,30}):\d{12}:execution:[!-~]+"
)
_LOG = re.compile(
    r"https://(?:[a-z0-9-]{1,30}\.console\.aws\.amazon\.com|console\.amazonaws\.cn|console\.amazonaws-us-gov\.com)"
    r"/cloudwatch/home\?region=[a-z0-9-]{1,30}#logsV2:log-groups/log-group/[A-Za-z0-9$/_.#-]+"
)
"""What `clients.container_logs.Place.url` makes."""
_SAFE = re.compile(r"https://[!#-;=?-Z_a-z~\[\]]{1,1000}")
_MOST = 5


def of_deployment(deployment: Deployment, github: GitHub | None) -> dict[str, str]:
    """Return where a person sees the execution, the log that decided, and the commits of a deployment."""
    found: dict[str, str] = {}
    match = _EXECUTION.fullmatch(deployment.execution_arn or "")
    if match is not None:
        host, region = console_host(match["partition"], match["region"]), match["region"]
        address = f"https://{host}/states/home?region={region}#/v2/executions/details/{deployment.execution_arn}"
        found["Deployment in AWS"] = address
    cause = deployment_report.cause_of(deployment)
    log = _LOG.search(cause.step.message) if cause is not None else None
    if log is not None:
        found["Log"] = log[0].rstrip(".")
    before, version = deployment.from_version, deployment.version
    if github is not None and approval_in_words.names_commit(version):
        page = f"{github.web_url}/{github.repository}"
        found["Commit"] = f"{page}/commit/{quote(version)}"
        if before is not None and before != version and approval_in_words.names_commit(before):
            found["Changes"] = f"{page}/compare/{quote(before)}...{quote(version)}"
    return found


def links_of(message: OutboxMessage) -> list[tuple[str, str]]:
    """Return the links of a stored message, as label and address."""
    found = message.detail.get(FIELD)
    items = list(found.items())[:_MOST] if isinstance(found, dict) else []
    return [(str(label)[:40], url) for label, url in items if isinstance(url, str) and _SAFE.fullmatch(url)]


def with_links(message: OutboxMessage, text: str) -> str:
    """Return a plain text with the message's links below it."""
    lines = [f"{label}: {url}" for label, url in links_of(message)]
    return "\n\n".join([text, "\n".join(lines)]) if lines else text
