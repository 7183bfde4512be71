"""Route that takes one environment out of a platform's document: an apply of that document without it."""

from dataclasses import replace
from typing import Any

from ferryman.api import apply
from ferryman.api.authorize import no_environment
from ferryman.api.context import Context
from ferryman.api.control import ReasonBody
from ferryman.api.http import Request
from ferryman.errors import Refused
from ferryman.platform import parse
from ferryman.text import listed


def environment(operator: Context, request: Request) -> dict[str, Any]:
    """Take an environment out of Ferryman; nothing changes in ECS, and its records stay.

    As with any apply, a protected environment's approvers are asked first, and `?override=REASON` of an admin and
    `?dryRun=true` count. Raise Refused for the last environment, for one that another promotes from, and while a
    deployment is in progress.
    """
    applied, body = operator.store.platform(request.params["platform"]), request.read(ReasonBody)
    name = request.params["environment"]
    stored = parse(applied.document)
    if name not in stored.spec.environments:
        raise no_environment(applied, name)
    if len(stored.spec.environments) == 1:
        raise Refused(
            f"{name} is the only environment of {applied.name}, and a platform has at least one; an admin can delete "
            "the platform"
        )
    promoted = [other for other, it in stored.spec.environments.items() if it.promote_from == name]
    if promoted:
        raise Refused(
            f"{listed(promoted)} of {applied.name} {'promotes' if len(promoted) == 1 else 'promote'} from {name}; "
            "first apply a document in which that is not so"
        )
    data = applied.document
    left = {other: it for other, it in data["spec"]["environments"].items() if other != name}
    document = parse({**data, "spec": {**data["spec"], "environments": left}})
    request = replace(request, query={**request.query, "prune": "true"})
    answer = apply.replace_document(operator, request, document, applied, [], why=body.reason)
    return {**answer, "environment": name, "changed": answer["result"] == "configured" and not answer["dryRun"]}
