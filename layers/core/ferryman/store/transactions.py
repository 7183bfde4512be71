"""Writes as DynamoDB transaction actions, with their conditions; and what it means when one is cancelled."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from ferryman.clients.aws_types import ConditionCheck, DeleteAction, Item, PutAction, TransactionAction
from ferryman.errors import AlreadyThere, ClaimLost, Conflict, RecordInvalid
from ferryman.records import EnvironmentState, Record
from ferryman.records.writes import Add, Fenced, Once, Remove, Unchanged, Write
from ferryman.store import items, keys

if TYPE_CHECKING:
    from ferryman.contracts import DeploymentRef

_INVALID = frozenset({"ValidationException", "SerializationException", "ItemCollectionSizeLimitExceededException"})
_INVALID_ACTION = frozenset({"ValidationError", "ItemCollectionSizeLimitExceeded"})


def action(write: Write, table: str) -> TransactionAction:
    """Return one element of `TransactItems`."""
    if isinstance(write, Fenced):
        return {
            "ConditionCheck": {
                "TableName": table,
                "Key": items.attributes(keys.state(write.platform, write.environment)),
                "ConditionExpression": "#a.#d = :deployment AND #a.#f = :fence",
                "ExpressionAttributeNames": {"#a": "active", "#d": "deployment", "#f": "fence"},
                "ExpressionAttributeValues": {
                    ":deployment": {"S": write.deployment},
                    ":fence": {"N": str(write.fence)},
                },
            }
        }
    if isinstance(write, Add):
        extra = {"expiresAt": write.expires_at} if write.expires_at is not None else {}
        return {"Put": {"TableName": table, "Item": items.item(write.record, **extra)}}
    if isinstance(write, Once):
        return {
            "Put": {
                "TableName": table,
                "Item": items.item(write.record, expiresAt=write.expires_at),
                "ConditionExpression": "attribute_not_exists(pk)",
            }
        }
    if isinstance(write, Unchanged):
        check: ConditionCheck = {"TableName": table, "Key": _key(write.record), "ConditionExpression": ""}
        _if_as_read(check, write.record.rev)
        return {"ConditionCheck": check}
    if isinstance(write, Remove):
        delete: DeleteAction = {"TableName": table, "Key": _key(write.record)}
        _if_as_read(delete, write.record.rev)
        return {"Delete": delete}
    record = write.record
    extra = {"expiresAt": write.expires_at} if write.expires_at is not None else {}
    put: PutAction = {"TableName": table, "Item": items.item(record, rev=record.rev + 1, **extra)}
    _if_as_read(put, record.rev)
    return {"Put": put}


def _key(record: Record) -> Item:
    return items.attributes({name: value for name, value in keys.of(record).items() if name in ("pk", "sk")})


def _if_as_read(action: ConditionCheck | DeleteAction | PutAction, rev: int) -> None:
    """Let an action succeed only while its item has this revision; 0: while it does not exist."""
    if rev == 0:
        action["ConditionExpression"] = "attribute_not_exists(pk)"
        return
    action["ConditionExpression"] = "#rev = :rev"
    action["ExpressionAttributeNames"] = {"#rev": "rev"}
    action["ExpressionAttributeValues"] = {":rev": {"N": str(rev)}}


def explain(error: ClientError, writes: Sequence[Write]) -> None:
    """Raise what a refused transaction means: ClaimLost, AlreadyThere, Conflict, RecordInvalid, or the error itself."""
    raise_if_invalid(error)
    if error.response["Error"]["Code"] != "TransactionCanceledException":
        raise error
    reasons = _reasons(error)
    for write, reason in zip(writes, reasons, strict=False):
        if reason == "ConditionalCheckFailed" and isinstance(write, Fenced):
            raise ClaimLost(
                f"deployment {write.deployment} (fence {write.fence}) no longer holds "
                f"{write.platform}/{write.environment}; nothing was written"
            ) from error
        if reason == "ConditionalCheckFailed" and isinstance(write, Once):
            raise AlreadyThere(f"a {type(write.record).__name__} that is written once is there already") from error
    # Everything else that cancels a transaction (a changed record, a concurrent transaction, throttling) is a race.
    raise Conflict(f"somebody else wrote first ({', '.join(str(reason) for reason in reasons)})") from error


def failed_conditions(error: ClientError) -> set[int]:
    """Return the numbers of the actions whose conditions cancelled a transaction; raise any other error."""
    if error.response["Error"]["Code"] != "TransactionCanceledException":
        raise error
    reasons = error.response.get("CancellationReasons", [])
    return {number for number, reason in enumerate(reasons) if reason.get("Code") == "ConditionalCheckFailed"}


def require_claim(state: EnvironmentState, ref: "DeploymentRef") -> None:
    """Raise ClaimLost when the environment's state does not have the fence as its claim. Pure."""
    active = state.active
    if active is None or (active.deployment, active.fence) != (ref.deployment, ref.fence):
        raise ClaimLost(
            f"deployment {ref.deployment} (fence {ref.fence}) no longer holds {ref.platform}/{ref.environment}"
        )


def lost(error: ClientError) -> bool:
    """Tell whether a write's own condition did not hold: somebody was faster."""
    if error.response["Error"]["Code"] == "ConditionalCheckFailedException":
        return True
    raise_if_invalid(error)
    reasons = _reasons(error)
    if error.response["Error"]["Code"] != "TransactionCanceledException" or not reasons:
        return False
    if "ConditionalCheckFailed" not in reasons:
        raise Conflict(f"somebody else wrote first ({', '.join(str(reason) for reason in reasons)})") from error
    return True


def raise_if_invalid(error: ClientError) -> None:
    """Raise RecordInvalid for a refusal that stays one however often the same write is tried.

    A condition that did not hold as well comes first: what is written next is made from what is read anew.
    """
    reasons = _reasons(error)
    cancelled = "ConditionalCheckFailed" not in reasons and not _INVALID_ACTION.isdisjoint(reasons)
    if error.response["Error"]["Code"] in _INVALID or cancelled:
        found = error.response.get("CancellationReasons", [])
        told = [error.response["Error"].get("Message", ""), *(reason.get("Message", "") for reason in found)]
        raise RecordInvalid(f"DynamoDB refuses the write as invalid: {'; '.join(filter(None, told))[:500]}") from error


def _reasons(error: ClientError) -> list[str]:
    return [str(reason.get("Code")) for reason in error.response.get("CancellationReasons", [])]
