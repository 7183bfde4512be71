"""The API behind the `ferryman` command. Who calls is proved in each call, whatever the event says."""

import functools
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from ferryman import ids, proofs
from ferryman.access import Access
from ferryman.api.aws import Aws
from ferryman.api.callers import Callers
from ferryman.api.context import Context
from ferryman.api.refusals import Refusals
from ferryman.api.serve_api import serve
from ferryman.clients import sts
from ferryman.clients.access_parameters import AccessParameters
from ferryman.clients.permission_sets import PermissionSets
from ferryman.platform.hosts import Hosts
from ferryman.runtime import client, endpoint, logger, services_on_loopback, setting, store


@functools.cache
def callers(function_arn: str) -> Callers:
    """Return what proves this function's callers. The ARN comes from Lambda itself, never from an event."""
    ask = functools.partial(sts.caller, connect=endpoint())
    return Callers(audience=proofs.audience(function_arn), store=store(), clock=ids.now, ask=ask)


@functools.cache
def access(account: str) -> Access:
    """Return who may do what: the admins are those of the stack, whatever else can be read."""
    return Access(
        admins=tuple(setting("ADMIN_ARNS").split(",")),
        grants_of=AccessParameters(client, ids.now).of,
        account=account,
        is_permission_set=PermissionSets(client, ids.now).made,
    )


refusals = functools.cache(Refusals)
"""The refusals that this sandbox has recorded lately."""


def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer one request."""
    arn = context.invoked_function_arn.split(":")
    aws = Aws(
        store=store(),
        client=client,
        clock=ids.now,
        new_id=ids.new_id,
        account=arn[4],
        region=arn[3],
        nudges_url=setting("NUDGES_URL"),
        relay_function=setting("RELAY_FUNCTION"),
    )
    operator = Context(
        store=store(),
        outside=aws,
        clock=ids.now,
        new_id=ids.new_id,
        access=access(arn[4]),
        refusals=refusals(),
        hosts=Hosts(setting("ALLOWED_SLACK_HOSTS"), setting("ALLOWED_GITHUB_HOSTS"), services_on_loopback()),
    )
    return serve(event, operator, logger(), callers(context.invoked_function_arn).prove)
