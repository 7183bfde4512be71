"""The API behind the `ferryman` command. Who calls is proved in each call, whatever the event says."""

import functools
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from ferryman import ids, proofs
from ferryman.api.aws import Aws
from ferryman.api.callers import Callers
from ferryman.api.context import Context
from ferryman.api.serve_api import serve
from ferryman.api.unproved import Unproved
from ferryman.clients import sts
from ferryman.clients.access_parameters import access
from ferryman.platform.hosts import Hosts
from ferryman.runtime import client, count_now, endpoint, logger, patient, services_on_loopback, setting, store


@functools.cache
def callers(function_arn: str) -> Callers:
    """Return what proves this function's callers. The ARN comes from Lambda itself, never from an event."""
    ask = functools.partial(sts.caller, connect=endpoint())
    return Callers(audience=proofs.audience(function_arn), store=store(), clock=ids.now, ask=ask)


@functools.cache
def operator(partition: str, region: str, account: str) -> Context:
    """Return what the routes work with; it remembers roles and refusals for a while."""
    aws = Aws(
        store=store(), client=client, clock=ids.now, new_id=ids.new_id, account=account, region=region,
        partition=partition, nudges_url=setting("NUDGES_URL"), relay_function=setting("RELAY_FUNCTION"),
        update_service_role=setting("UPDATE_SERVICE_ROLE"), run_migration_role=setting("RUN_MIGRATION_ROLE"),
        notify_function=setting("NOTIFY_FUNCTION"), patient=patient,
    )  # fmt: skip
    hosts = Hosts(setting("ALLOWED_SLACK_HOSTS"), setting("ALLOWED_GITHUB_HOSTS"), services_on_loopback())
    roles = access(client, ids.now, account, setting("ADMIN_ARNS"))
    return Context(store=store(), outside=aws, clock=ids.now, new_id=ids.new_id, access=roles, hosts=hosts)


@functools.cache
def unproved() -> Unproved:
    """Return what keeps account of calls whose sender is not proved."""
    return Unproved(store(), ids.now, ids.new_id, count_now)


def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer one request."""
    _, partition, _, region, account, *_ = (arn := context.invoked_function_arn).split(":")
    return serve(event, operator(partition, region, account), logger(), callers(arn).prove, unproved())
