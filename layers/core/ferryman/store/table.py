"""The one table. Every write is conditional; a writer that lost its claim or its race fails loudly.

Called by everything that remembers; takes the DynamoDB client as an argument. Keys: docs/reference/records.md.
"""

import logging
import random
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import takewhile
from typing import TYPE_CHECKING, Any, TypeVar

from botocore.exceptions import ClientError

from ferryman.clients.aws_errors import translated
from ferryman.clients.aws_types import DynamoDBClient, Item, QueryRequest, TransactionAction, UpdateAction
from ferryman.errors import Conflict, NotFound, RecordInvalid, TransientError
from ferryman.records import (
    AdoptedImages,
    AppliedPlatform,
    Approval,
    Deployment,
    EnvironmentState,
    IgnoredTags,
    MigrationClaim,
    OutboxMessage,
    Ownership,
    OwnershipRegister,
    Pace,
    Phase,
    Proposal,
    Record,
    Release,
    ScheduledLook,
    SemverName,
    StepLog,
    TimelineEvent,
    UnprovedCalls,
    Wait,
    WrongWords,
)
from ferryman.records.writes import Add, Fenced, Save, Write
from ferryman.store import bounds, deployments, items, keys, pointers, transactions

if TYPE_CHECKING:
    from ferryman.contracts import DeploymentRef

R = TypeVar("R", bound=Record)
_ATTEMPTS = 10
_READ_TOGETHER = 100
"""Items in one call: all that BatchGetItem takes."""
_MARKED_TOGETHER = 25
"""Messages in one transaction; DynamoDB takes 100 actions."""
_LOG = logging.getLogger("ferryman")


def _since(newest_first: Iterable[Deployment], at: datetime | None) -> Iterator[Deployment]:
    return takewhile(lambda deployment: at is None or deployment.created_at >= at, newest_first)


def _pause(longest: float) -> None:
    time.sleep(random.uniform(0, longest))  # noqa: S311 - spreading writers, not a secret


class Store:
    """Reads and writes records."""

    def __init__(self, dynamodb: DynamoDBClient, table: str, pause: Callable[[float], None] = _pause) -> None:
        """`pause` waits a random time of at most so many seconds, between two tries of a write."""
        self._dynamodb = dynamodb
        self._table = table
        self._pause = pause

    # ── reading (always consistent: decisions are made on it) ──

    def platform(self, name: str) -> AppliedPlatform:
        """Return the document as applied; raise NotFound, naming the platforms that exist."""
        item = self._get(keys.platform(name))
        if item is None:
            known = ", ".join(found.name for found in self.platforms()) or "none has been applied yet"
            raise NotFound(f"no platform is named {name!r}; known platforms: {known}")
        return AppliedPlatform.model_validate(item)

    def find_platform(self, name: str) -> AppliedPlatform | None:
        """Return the document as applied, or None."""
        item = self._get(keys.platform(name))
        return None if item is None else AppliedPlatform.model_validate(item)

    def platforms(self) -> list[AppliedPlatform]:
        """Return all platforms."""
        return [AppliedPlatform.model_validate(item) for item in self._query(keys.PLATFORMS)]

    def environments(self) -> dict[str, list[str]]:
        """Return platform → the names of its environments, whatever else the documents hold."""
        found: dict[str, list[str]] = {}
        for item in self._query(keys.PLATFORMS):
            applied = AppliedPlatform.model_validate(item)
            spec = applied.document.get("spec")
            named = spec.get("environments") if isinstance(spec, dict) else None
            found[applied.name] = list(named) if isinstance(named, dict) else []
        return found

    def scheduled_looks(self) -> list[ScheduledLook]:
        """Return what is known of every look that sweeps queue."""
        return [ScheduledLook.model_validate(item) for item in self._query(keys.LOOKS)]

    def scheduled_look(self, platform: str, environment: str) -> ScheduledLook | None:
        """Return what is known of one look that sweeps queue, or None when none was queued yet."""
        item = self._get(keys.scheduled_look(platform, environment))
        return None if item is None else ScheduledLook.model_validate(item)

    def ownerships(self) -> list[Ownership]:
        """Return what belongs to whom, of all platforms."""
        return [Ownership.model_validate(item) for item in self._query(keys.OWNERSHIP)]

    def ownership(self, platform: str, environment: str) -> Ownership | None:
        """Return what belongs to one environment; None if that was not recorded yet."""
        item = self._get(keys.ownership(platform, environment))
        return None if item is None else Ownership.model_validate(item)

    def ownership_register(self, at: datetime) -> OwnershipRegister:
        """Return the register; a fresh one (rev 0) when nothing was claimed yet. Read it before what it stands for."""
        item = self._get(keys.ownership_register())
        return OwnershipRegister(at=at) if item is None else OwnershipRegister.model_validate(item)

    def state(self, platform: str, environment: str) -> EnvironmentState:
        """Return an environment's state; a fresh one (rev 0) when nothing was written yet."""
        item = self._get(keys.state(platform, environment))
        if item is None:
            return EnvironmentState(platform=platform, environment=environment)
        return EnvironmentState.model_validate(item)

    def release(self, platform: str, version: str) -> Release | None:
        """Return one release."""
        item = self._get(keys.release(platform, version))
        return None if item is None else Release.model_validate(item)

    def releases(self, platform: str) -> list[Release]:
        """Return all releases of a platform, oldest first."""
        found = [Release.model_validate(item) for item in self._query(keys.releases(platform))]
        return sorted(found, key=lambda release: release.order)

    def releases_named(self, platform: str, versions: Sequence[str]) -> list[Release]:
        """Return those releases of a platform that exist, in any order. Each costs a read unit of its own."""
        found = self._get_many([keys.release(platform, version) for version in versions])
        return [Release.model_validate(item) for item in found]

    def pointed(
        self, platform: str, kind: str, *, after: str | None = None, prefix: str | None = None, limit: int | None = None
    ) -> list[str]:
        """Return versions of one of the lists of releases: with places after `after`, or that begin with `prefix`."""
        found = self._pages(keys.pointers(platform, kind), after=after, prefix=prefix, limit=limit)
        return [item["version"]["S"] for item in found]

    def deployment(self, platform: str, environment: str, deployment: str) -> Deployment:
        """Return one deployment; raise NotFound."""
        item = self._get(keys.deployment(platform, environment, deployment))
        if item is None:
            raise NotFound(f"{platform}/{environment} has no deployment {deployment!r}")
        return self.whole(Deployment.model_validate(item))

    def whole(self, head: Deployment) -> Deployment:
        """Return a deployment of a list with its plan and all its steps, wherever they are stored."""
        # The head was read before its parts: whoever changes them meanwhile changes its `rev`, too.
        return deployments.together(head, self._pages(keys.parts(head.id))) if head.is_head else head

    def logs(self, deployment: str, *, most: int) -> dict[str, list[str]]:
        """Return the log lines of a deployment's steps by the steps' keys, of at most `most` steps."""
        found = self._query(keys.timeline(deployment), prefix=keys.LOG, limit=most)
        return {log.step: log.lines for log in map(StepLog.model_validate, found)}

    def log(self, deployment: str, step: str) -> list[str]:
        """Return the log lines of one step; empty when there are none."""
        item = self._get(keys.log(deployment, step))
        return [] if item is None else StepLog.model_validate(item).lines

    def deployments(
        self, platform: str, environment: str, limit: int = 50, since: datetime | None = None
    ) -> list[Deployment]:
        """Return the latest deployments, newest first; `since` is the state's `began_at`.

        Of one whose plan has items of its own only the head is read (`Deployment.is_head`), unless it has not ended, or
        is the newest that has ended and was not skipped.
        """
        partition = keys.environment(platform, environment)
        found = self._query(partition, prefix=keys.DEPLOYMENT, newest_first=True, limit=limit)
        return self._newest_whole(list(_since(map(Deployment.model_validate, found), since)))

    def attempts_at(
        self, platform: str, environment: str, limit: int, most: int = 1000, since: datetime | None = None
    ) -> tuple[list[Deployment], bool]:
        """Return the latest deployments, newest first, until `limit` of them were more than a release that was skipped.

        The second value tells whether there are no others. Never more than `most` are read. Some are heads: see
        `deployments`.
        """
        found: list[Deployment] = []
        tried = 0
        items = self._query(keys.environment(platform, environment), prefix=keys.DEPLOYMENT, newest_first=True)
        for deployment in _since(map(Deployment.model_validate, items), since):
            found.append(deployment)
            tried += found[-1].phase is not Phase.SUPERSEDED
            if tried >= limit or len(found) >= most:
                return self._newest_whole(found), False
        return self._newest_whole(found), True

    def _newest_whole(self, found: list[Deployment]) -> list[Deployment]:
        ended = (item for item in found if item.phase.terminal and item.phase is not Phase.SUPERSEDED)
        latest = next(ended, None)
        return [self.whole(item) if item is latest or not item.phase.terminal else item for item in found]

    def timeline(self, owner: str, limit: int = 500) -> list[TimelineEvent]:
        """Return the latest lines of a timeline, oldest first; `owner`: a deployment's id or `<platform>#<env>`."""
        found = self._query(keys.timeline(owner), prefix=keys.EVENT, limit=limit, newest_first=True)
        return [TimelineEvent.model_validate(item) for item in found][::-1]

    def approval(self, deployment: str) -> Approval | None:
        """Return the approval of a deployment, or None when nobody has asked for one."""
        item = self._get(keys.approval(deployment))
        return None if item is None else Approval.model_validate(item)

    def proposal(self, platform: str, id: str) -> Proposal | None:
        """Return a proposed document."""
        item = self._get(keys.proposal(platform, id))
        return None if item is None else Proposal.model_validate(item)

    def proposals(self, platform: str, limit: int) -> list[Proposal]:
        """Return the latest proposed documents of a platform, newest first."""
        found = self._query(keys.proposals(platform), newest_first=True, limit=limit)
        return [Proposal.model_validate(item) for item in found]

    def wrong_words(self, deployment: str, link: str) -> WrongWords | None:
        """Return the wrong words on one link to an approval's page, or None when there were none."""
        item = self._get(keys.wrong_words(deployment, link))
        return None if item is None else WrongWords.model_validate(item)

    def semver_name(self, platform: str, name: str) -> SemverName | None:
        """Return what is known of a semver tag, or None."""
        found = (SemverName.model_validate(item) for item in self._query(keys.semver_names(platform), prefix=name))
        return next((item for item in found if item.name == name), None)

    def semver_names(self, platform: str, most: int | None = None) -> list[SemverName]:
        """Return what is known of every semver tag of a platform, or of `most` of them: last in the alphabet first."""
        items = self._query(keys.semver_names(platform), newest_first=most is not None, limit=most)
        return [SemverName.model_validate(item) for item in items]

    def adopted_images(self, platform: str, environment: str) -> dict[str, str]:
        """Return the images that an environment ran when it was adopted, by task definition; tags named them."""
        item = self._get(keys.adopted_images(platform, environment))
        return {} if item is None else AdoptedImages.model_validate(item).images

    def ignored_tags(self, platform: str) -> list[IgnoredTags]:
        """Return the newest ignored tags of every component that has some."""
        return [IgnoredTags.model_validate(item) for item in self._query(keys.ignored_tags(platform))]

    def ignored_tags_of(self, platform: str, component: str) -> IgnoredTags | None:
        """Return the newest ignored tags of one component, or None when there were none yet."""
        item = self._get(keys.ignored_tags_of(platform, component))
        return None if item is None else IgnoredTags.model_validate(item)

    def waits(self, resource: str) -> list[Wait]:
        """Return the steps that wait for a change of this resource."""
        return [Wait.model_validate(item) for item in self._query(keys.waits(resource))]

    def migration_claims(self, platform: str, environment: str, version: str) -> list[MigrationClaim]:
        """Return the attempts at one release's migration, first to last."""
        items = self._query(keys.migrations(platform, environment), prefix=f"{version}#")
        return sorted((MigrationClaim.model_validate(item) for item in items), key=lambda claim: claim.attempt)

    def migrations(self, platform: str, environment: str) -> list[MigrationClaim]:
        """Return every claim of an environment, of releases and of people's commands."""
        return [MigrationClaim.model_validate(item) for item in self._query(keys.migrations(platform, environment))]

    def open_migrations(self, platform: str, environment: str) -> list[MigrationClaim]:
        """Return the migrations of any release whose outcome nobody has recorded: their tasks may still run."""
        return [claim for claim in self.migrations(platform, environment) if claim.status in ("Claimed", "Running")]

    def message(self, owner: str, event: str, channel: str) -> OutboxMessage | None:
        """Return one outbox message."""
        item = self._get(keys.outbox(owner, event, channel))
        return None if item is None else OutboxMessage.model_validate(item)

    def unsent(self, limit: int = 100) -> list[OutboxMessage]:
        """Return messages that nobody sent yet (eventually consistent: the sweep's work list)."""
        items = self._query(keys.UNSENT, index="pending", partition_key="pending", limit=limit, consistent=False)
        return [OutboxMessage.model_validate(item) for item in items]

    def pace(self, destination: str) -> Pace | None:
        """Return the pace of a destination of messages, or None when it has been free for long."""
        item = self._get(keys.pace(destination))
        return None if item is None else Pace.model_validate(item)

    def unproved_calls(self) -> UnprovedCalls:
        """Return the account of unproved calls; an empty one when there were none."""
        item = self._get(keys.unproved_calls())
        return UnprovedCalls() if item is None else UnprovedCalls.model_validate(item)

    def unsent_in_brief(self, limit: int = 10_000) -> list[OutboxMessage]:
        """Return messages that nobody sent yet, without their texts: thousands of those would fill the memory."""
        items = self._query(keys.UNSENT, index="pending", partition_key="pending", limit=limit, consistent=False)
        return [OutboxMessage.model_validate(item | {"text": ""}) for item in items]

    # ── writing ──

    def write(self, *writes: Write) -> None:
        """Do all or nothing. Raise Conflict when a record changed meanwhile, ClaimLost when a fence no longer holds.

        What DynamoDB refuses as invalid is tried again with less in it (`store.reduction`); raise RecordInvalid when
        that does not help either.
        """
        bounded = [self._within(write) for write in pointers.with_pointers(deployments.apart(writes))]
        try:
            self._transact(bounded)
            return
        except RecordInvalid as error:
            refused = error
        # Rare: what this version writes is bounded.
        from ferryman.store import reduction

        for less in reduction.smaller(bounded):
            _LOG.error("%s; it is tried again with less in it", refused)
            try:
                self._transact(less)
                return
            except RecordInvalid as error:
                refused = error
        raise refused

    @staticmethod
    def _within(write: Write) -> Write:
        if isinstance(write, Save):
            return replace(write, record=bounds.within(write.record))
        return replace(write, record=bounds.within(write.record)) if isinstance(write, Add) else write

    def _transact(self, writes: Sequence[Write]) -> None:
        actions = [transactions.action(write, self._table) for write in writes]
        try:
            with translated():
                self._dynamodb.transact_write_items(TransactItems=actions)
        except ClientError as error:
            transactions.explain(error, writes)

    def update_deployment(
        self,
        ref: "DeploymentRef",
        change: Callable[[Deployment], Deployment | None],
        also: Callable[[Deployment], Iterable[Write]] = lambda deployment: (),
    ) -> Deployment:
        """Apply `change` under the deployment's fence, again when somebody was faster; None from it means: leave as is.

        `also` adds writes to the same transaction, made from the changed record. Raise ClaimLost when the fence no
        longer holds the claim.
        """
        for _ in self.attempts():
            before = self.deployment(ref.platform, ref.environment, ref.deployment)
            after = change(before)
            if after is None:
                return before
            fence = Fenced(ref.platform, ref.environment, ref.deployment, ref.fence)
            try:
                self.write(fence, Save(after), *also(after))
            except Conflict:
                continue
            return after.but(rev=after.rev + 1)
        raise Conflict(f"deployment {ref.deployment} kept changing; the next attempt reads it again")

    def update_state(
        self,
        platform: str,
        environment: str,
        change: Callable[[EnvironmentState], EnvironmentState | None],
        also: Callable[[EnvironmentState], Iterable[Write]] = lambda state: (),
    ) -> EnvironmentState:
        """Apply `change` to an environment's state, again when somebody was faster; None from it means: leave as is.

        `also` adds writes to the same transaction, made from the changed state.
        """
        for _ in self.attempts():
            before = self.state(platform, environment)
            after = change(before)
            if after is None:
                return before
            try:
                self.write(Save(after), *also(after))
            except Conflict:
                continue
            return after.but(rev=after.rev + 1)
        raise Conflict(f"{platform}/{environment} kept changing; the next attempt reads it again")

    def mark(self, message: OutboxMessage, *, since: int, also: Sequence[Add] = ()) -> bool:
        """Store how a message fares; False, and nothing stored, when it has more than `since` attempts by now.

        `also` is written in the same transaction.
        """
        update = self._marked(message, since)
        try:
            with translated():
                if also:
                    actions: list[TransactionAction] = [{"Update": update}]
                    actions += (transactions.action(self._within(write), self._table) for write in also)
                    self._dynamodb.transact_write_items(TransactItems=actions)
                else:
                    self._dynamodb.update_item(**update)
        except ClientError as error:
            if not transactions.lost(error):
                raise
            return False
        return True

    def mark_all(self, messages: Sequence[tuple[OutboxMessage, int]]) -> list[OutboxMessage]:
        """Store how messages fare, many in one transaction, as `mark` does it for one with its `since`.

        Return those that were stored: not those that have more attempts by now.
        """
        parts = [messages[at : at + _MARKED_TOGETHER] for at in range(0, len(messages), _MARKED_TOGETHER)]
        return [one for part in parts for one in self._mark_together(part)]

    def _mark_together(self, messages: Sequence[tuple[OutboxMessage, int]]) -> list[OutboxMessage]:
        for _ in self.attempts():
            if not messages:
                return []
            actions: list[TransactionAction] = [{"Update": self._marked(one, since)} for one, since in messages]
            try:
                with translated():
                    self._dynamodb.transact_write_items(TransactItems=actions)
            except ClientError as error:
                failed = transactions.failed_conditions(error)
                # Those that others were faster with are left out.
                messages = [one for number, one in enumerate(messages) if number not in failed]
                continue
            return [one for one, _ in messages]
        raise Conflict("messages kept changing; a later run reads them again")

    def _marked(self, message: OutboxMessage, since: int) -> UpdateAction:
        names = {"sentAt", "triedAt", "attempts", "postponed", "digested", "lastError", "gaveUp"}
        item = items.item(bounds.within(message))
        values = {f":{name}": item[name] for name in names}
        changes = "SET " + ", ".join(f"{name} = :{name}" for name in sorted(names))
        return {
            "TableName": self._table,
            "Key": {name: item[name] for name in ("pk", "sk")},
            "UpdateExpression": changes if "pending" in item else f"{changes} REMOVE pending",
            "ConditionExpression": "attempts = :since",
            "ExpressionAttributeValues": {**values, ":since": {"N": str(since)}},
        }

    def forget_wait(self, wait: Wait) -> None:
        """Remove a wait that was answered, unless a newer token took its place."""
        try:
            with translated():
                self._dynamodb.delete_item(
                    TableName=self._table,
                    Key=items.attributes(keys.wait(wait)),
                    ConditionExpression="#token = :token",
                    ExpressionAttributeNames={"#token": "token"},
                    ExpressionAttributeValues={":token": {"S": wait.token}},
                )
        except ClientError as error:
            if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
                raise

    def attempts(self, most: int = _ATTEMPTS) -> Iterator[int]:
        """Count tries of read, decide and write, with a growing random pause between them: about 1 s in all for 7."""
        for attempt in range(most):
            if attempt:
                self._pause(0.02 * 2**attempt)
            yield attempt

    # ── inside ──

    def _get(self, key: dict[str, str]) -> dict[str, Any] | None:
        with translated():
            answer = self._dynamodb.get_item(TableName=self._table, Key=items.attributes(key), ConsistentRead=True)
        item = answer.get("Item")
        return None if item is None else self._data(item)

    def _get_many(self, wanted: Sequence[dict[str, str]]) -> Iterator[dict[str, Any]]:
        for at in range(0, len(wanted), _READ_TOGETHER):
            left, tries = [items.attributes(key) for key in wanted[at : at + _READ_TOGETHER]], self.attempts()
            while left:
                with translated():
                    answer = self._dynamodb.batch_get_item(
                        RequestItems={self._table: {"Keys": left, "ConsistentRead": True}}
                    )
                yield from (self._data(item) for item in answer["Responses"].get(self._table, []))
                unread = answer.get("UnprocessedKeys", {}).get(self._table)
                rest = [dict(key) for key in unread["Keys"]] if unread else []
                # Some keys are left when the answer is too long. All of them are left only when DynamoDB throttles.
                if len(rest) == len(left) and next(tries, None) is None:
                    raise TransientError(f"DynamoDB does not read {len(left)} items; the next attempt reads them again")
                left = rest

    def _query(self, partition: str, **how: Any) -> Iterator[dict[str, Any]]:
        return (self._data(item) for item in self._pages(partition, **how))

    def _data(self, item: Item) -> dict[str, Any]:
        """Return what a record is made from. A subclass may return the record (tests/simulation/reading.py)."""
        return items.plain(item)

    def _pages(
        self,
        partition: str,
        *,
        prefix: str | None = None,
        after: str | None = None,
        newest_first: bool = False,
        limit: int | None = None,
        index: str | None = None,
        partition_key: str = "pk",
        consistent: bool = True,
    ) -> Iterator[Item]:
        values: Item = {":pk": {"S": partition}}
        request: QueryRequest = {
            "TableName": self._table,
            "KeyConditionExpression": "#pk = :pk",
            "ExpressionAttributeNames": {"#pk": partition_key},
            "ExpressionAttributeValues": values,
            "ScanIndexForward": not newest_first,
            "ConsistentRead": consistent,
        }
        if index:
            request["IndexName"] = index
        if prefix:
            request["KeyConditionExpression"] += " AND begins_with(sk, :prefix)"
            values[":prefix"] = {"S": prefix}
        if after:
            request["KeyConditionExpression"] += " AND sk > :after"
            values[":after"] = {"S": after}
        count = 0
        while True:
            with translated():
                page = self._dynamodb.query(**request)
            for item in page["Items"]:
                yield item
                count += 1
                if limit is not None and count >= limit:
                    return
            if "LastEvaluatedKey" not in page:
                return
            request["ExclusiveStartKey"] = page["LastEvaluatedKey"]
