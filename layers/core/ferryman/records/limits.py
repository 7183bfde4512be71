"""How much each field of a stored record may hold, so that no item outgrows what DynamoDB takes. Pure.

Sizes are in bytes as DynamoDB counts them: text as UTF-8, so that one character takes up to four. `TEXTS` are free
texts: `store.bounds` shortens them when they are written. `KNOWN` are names and identifiers that AWS, the document or
we bound. `COUNTS` are the most entries of a list or a map, `TOTALS` the most bytes of a whole one.
`tests/unit/store/test_largest.py` builds the largest record of each kind from these tables and compares it with what
DynamoDB takes; a new field of text, or of many entries, is put in here.
"""

ITEM = 400 * 1024
"""The most that DynamoDB takes as one item."""
ROOM = 380 * 1024
"""What we fill of it. The rest is for fields that a later version adds beside those that are stored already."""
ACTIONS = 100
"""The most actions of one transaction."""
TRANSACTION = 4 * 1024 * 1024
"""The most bytes of one transaction."""

# ── what a document may ask for: `platform.apply_refusals` ──

MOST_SERVICES = 200
"""Services of one environment: five waves of 40.

An environment's state holds two ARNs per service (what runs, and its base), each with the service's name:
2 x (255 + 340 + 1) = 1,192 bytes, so 200 services take 238,400 of `ROOM`. Everything else in it takes 145,000: what is
settled 60,000, waivers 20,000, conditions 20,000, what was reported 17,000, and the rest.
"""
MOST_CHANNELS = 20
"""Channels that one environment notifies.

The end of a deployment writes a message for each, and for each the end of its approval: 2 x 20, beside at most 12 other
actions of the 100. Each message has at most 46,000 bytes, so 40 of them take 1.8 of the 4 MB.
"""
MOST_DECLARED_CHANNELS = 400
"""Channels of one platform: 20 for each of 20 environments. Each can name two secrets, and each of those two things."""
MOST_MOVING_TAGS = 100
"""Tags that one environment moves, beside the two that Ferryman keeps for it."""
MOST_APPROVERS = 50
"""A request for approval writes a personal mail for each, and one message for each channel: 50 + 20 of 100 actions."""
MOST_MIGRATIONS = 10
"""Migrations of one environment (`platform.environments`)."""
DOCUMENT = ITEM - 60 * 1024
"""A document with its defaults written out; the rest is for the defaults of fields that come later."""
CHANGES = 24_000
"""All changes of gates that one proposal names. More than a person would read: `apply` asks for smaller steps."""
PLAN = 3 * 1024 * 1024
"""A frozen plan, in items of `PLAN_PART` that one transaction writes beside the deployment and an event."""
PLAN_PART = 300 * 1024

# ── lengths ──

ULID = 26
DIGEST = 71
"""`sha256:` and 64 digits."""
TAG = 128
"""https://docs.docker.com/reference/cli/docker/image/tag: also a version, which is part of a tag."""
NAME = 24
"""Of a platform, an environment, a component, a channel or a check (`platform.values.NAME`)."""
ECS_NAME = 255
"""Of a cluster, a service, a container or a family: https://docs.aws.amazon.com/AmazonECS/latest/developerguide."""
TASK_DEFINITION = 340
"""`arn:aws-us-gov:ecs:us-gov-west-1:123456789012:task-definition/` (61), a family (255), `:` and up to 10 digits."""
ECS_ARN = 590
"""`arn:aws-us-gov:ecs:us-gov-west-1:123456789012:service/` (53), a cluster, `/` and a service or a task's id."""
STATES_ARN = 200
"""`arn:aws-us-gov:states:us-gov-west-1:123456789012:execution:`, a machine's name and an execution's, 80 each."""
WHO = 700
"""An IAM ARN: a path has up to 512 characters, a name 64, a session 64."""
PERSON = 320
"""80 characters of up to four bytes (`platform.policies`)."""
ADDRESS = 320
"""A mail address: 64 characters, `@`, 255 characters (RFC 5321)."""
TOKEN = 2_048
"""A task token (model `TaskToken` of Step Functions)."""
REASON = 100
"""CamelCase, or an error's name."""
SETTLED = 60_000
"""All of `EnvironmentState.settled`: 200 of the usual 300 bytes; the oldest give way (`decisions.after_outcome`)."""
WAIVERS = 20_000
"""All of `EnvironmentState.waivers`; another one is refused (`decisions.requests.waive`)."""
LOG = 40_000
"""The lines of one container's log: 20 lines of 400 characters of up to four bytes are 32,000."""
DETAIL = 12_000
"""A detail: the digests of 50 components are 4,800, and the facts of an approval about as much."""
CHECK_URL = 600
STEP_MESSAGE = 2_400
"""What happened (400), the last log line (300 characters), its address (300), two events (600), what to do (200).

A deployment of 40 services has room for 80 of them in one item.
"""

TEXTS: dict[str, int] = {
    "AbortRequest.reason": 2_000,  # 500 characters
    "Approval.command": 400,
    "Approval.reason": 2_400,
    "CheckResult.detail": 1_000,
    "CheckResult.url": CHECK_URL,
    "Commit.author": PERSON,
    "Commit.title": 800,  # 200 characters
    "Condition.message": 1_800,
    "Decision.name": PERSON,
    "Decision.identity": WHO,
    "Decision.reason": 2_000,  # 500 characters
    "Decision.source": 400,
    "Deployment.message": 6_000,
    "Deployment.override": 1_000,
    "Deployment.schema_mismatch": 800,
    "Deployment.why": 2_000,  # 500 characters
    "Freeze.reason": 2_000,
    "Hold.reason": 3_000,  # a name, and a person's reason
    "LiveHealth.message": 300,  # beside 200 services, a state has no room for more
    "OutboxMessage.last_error": 1_000,
    "OutboxMessage.text": 30_000,  # messages.outbox.TEXT_LIMIT
    "Override.reason": 2_000,  # 500 characters
    "Proposal.problem": 2_000,
    "Proposal.reason": 2_400,
    "ProposedChange.text": 1_000,
    "Publication.message": 2_000,
    "Request.override": 1_000,  # beside 200 services, a state has no room for more
    "Request.reason": 2_000,
    "Request.schema_mismatch": 800,
    "SemverName.message": 2_000,
    "Step.message": STEP_MESSAGE,
    "TimelineEvent.message": 6_000,
    "WaitingFor.message": 2_000,
    "Waiver.reason": 2_000,
}
"""Free texts: what is longer loses its middle."""

TOTALS: dict[str, int] = {
    "AdoptedImages.images": 300_000,  # decisions.pinned_images
    "AppliedPlatform.document": DOCUMENT,  # api.apply
    "EnvironmentState.settled": SETTLED,  # decisions.after_outcome
    "EnvironmentState.waivers": WAIVERS,
    "Proposal.changes": CHANGES,  # api.proposing
    "Proposal.document": DOCUMENT,
    "StepLog.lines": LOG,  # store.logs
}
"""Bytes of a whole list or map; whoever writes it keeps it so."""

DETAILS: dict[str, int] = {"OutboxMessage.detail": DETAIL, "TimelineEvent.detail": DETAIL}
"""Open maps: what is larger loses its longest values."""

KNOWN: dict[str, int] = {
    "AppliedPlatform.applied_by": WHO,
    "AppliedPlatform.name": NAME,
    "AppliedPlatform.references": 64,
    "AppliedPlatform.references:key": NAME,
    "AppliedPlatform.removed": NAME,
    "Active.input": 400,
    "Active.execution_name": 80,
    "Actor.who": WHO,
    "Approval.command_hash": 64,
    "Approval.digests:key": NAME,
    "Approval.earlier_tokens": TOKEN,
    "Approval.links_asked:key": PERSON,
    "Approval.links_sent:key": PERSON,
    "Approval.plan_hash": DIGEST,
    "Approval.requester": PERSON,
    "Approval.proposal": ULID,
    "AppliedPlatform.proposal": ULID,
    "ApproverRecord.name": PERSON,
    "ApproverRecord.slack": 21,
    "ChatMessage.timestamp": 32,
    "ChatMessage.conversation": 40,
    "CheckResult.name": NAME,
    "Commit.sha": 64,
    "Deployment.approved_by": PERSON,
    "Deployment.digests:key": NAME,
    "Deployment.migration": NAME,
    "Deployment.renews": ULID,
    "Deployment.revision": 200,
    "Deployment.revisions": 200,
    "Deployment.revisions:key": NAME,
    "Deployment.steps:key": 300,
    "EnvironmentState.reported": 200,
    "EnvironmentState.reported:key": TAG,
    "IgnoredTags.repository": 256,
    "MigrationClaim.client_token": 64,
    "MigrationClaim.migrations": 200,
    "MigrationClaim.version": NAME + 1 + TAG + 1 + ULID,
    "MigrationProgress.first_stopped": ECS_NAME,
    "Nonce.approver": PERSON,
    "Nonce.hash": 64,
    "OutboxMessage.channel": 9 + PERSON,
    "OutboxMessage.event": 40,
    "OutboxMessage.owner": 200,
    "OutboxMessage.subject": 100,
    "Override.changes": 300,
    "Ownership.later": 100,  # records.things.LONGEST
    "Ownership.repositories": 256,
    "Ownership.tags": TAG,
    "Ownership.things": 100,
    "Pace.destination": 2_200,  # the reference of a secret or the ARN of a topic, and what kind of channel it is
    "PlanPart.text": PLAN_PART,
    "SplitStep.key": 300,
    "SplitStep.text": 2 * STEP_MESSAGE + 3_000,  # JSON escapes quotation marks and newlines
    "Proposal.approvals": ULID,
    "Proposal.approvals:key": NAME,
    "Proposal.hash": 64,
    "Proposal.proposed_by": WHO,
    "ProposedChange.path": 300,
    "Publication.url": 2_048,
    "Release.components:key": NAME,
    "Release.listed": 32,  # store.pointers
    "Release.names": TAG,
    "Release.refused": DIGEST,
    "Release.refused:key": NAME,
    "Release.verified:key": NAME,
    "ReleasePointer.place": 80,  # store.pointers.place: 2 + 19, a time of 27, a ULID, and two signs between
    "Request.migration": NAME,
    "Request.revision": 200,
    "Request.revisions": 200,
    "Request.revisions:key": NAME,
    "RolloutProgress.first_stopped": 64 + ECS_NAME,
    "Running.digests:key": NAME,
    "SemverName.name": TAG,
    "Target.bases": TASK_DEFINITION,
    "Target.bases:key": ECS_NAME,
    "Target.digests:key": NAME,
    "Target.task_definitions:key": ECS_NAME,
    "Target.task_definitions": TASK_DEFINITION,
    "UsedProof.binding": 64,
    "Verified.digests:key": NAME,
    "Wait.resource": ECS_ARN,
    "WrongWords.link": 64,
    "WrongWords.salt": 32,
    "WrongWords.words": 8,
    # Whatever the record:
    "approver": PERSON,
    "arn": WHO,
    "channel": NAME,
    "component": NAME,
    "deployment": ULID,
    "digest": DIGEST,
    "digests": DIGEST,
    "ecs_deployment": 64,
    "email": ADDRESS,
    "environment": NAME,
    "execution_arn": STATES_ARN,
    "from_version": TAG,
    "id": ULID,
    "key": 300,
    "platform": NAME,
    "previous_ecs_deployment": 64,
    "previous_task_definition": TASK_DEFINITION,
    "reason": REASON,
    "service": ECS_NAME,
    "step": 300,
    "superseded_by": TAG,
    "tag": TAG,
    "tagged": ULID,
    "task": ECS_ARN,
    "task_definition": TASK_DEFINITION,
    "token": TOKEN,
    "ulid": ULID,
    "version": TAG,
    "who": WHO,
}
"""`Record.field`, `Record.field:key` for the keys of a map, or a field's name in every record."""

COUNTS: dict[str, int] = {
    "AppliedPlatform.references": 20,
    "AppliedPlatform.removed": 200,  # decisions.document_changes.compare.removed
    "Approval.approvers": MOST_APPROVERS,
    "Approval.commits": 20,  # notify.github_status.COMMITS
    "Approval.decisions": 21,  # as many approvals as can be required, and a rejection
    "Approval.digests": 50,
    "Approval.earlier_tokens": 8,  # steps.request_approval.TOKENS_KEPT
    "Approval.links_asked": MOST_APPROVERS,
    "Approval.links_sent": MOST_APPROVERS,
    "Approval.messages": 2 * MOST_CHANNELS,  # a post whose answer was lost is made again
    "Approval.nonces": 350,  # approvals.link_tokens.KEPT_IN_ALL
    "Deployment.approved_by": 20,
    "Deployment.digests": 50,
    "Deployment.revisions": MOST_MIGRATIONS,
    "EnvironmentState.conditions": 10,
    "EnvironmentState.reported": 50,
    "IgnoredTags.tags": 40,  # twice releases.ignored_tags.MOST
    "MigrationClaim.migrations": 500,  # decisions.schema_compatibility.MOST_BYTES in all
    "Override.changes": 20,
    "Proposal.approvals": 20,
    "Release.components": 50,
    # 200 services with a base and two roles, 20 jobs with two and two, 10 migrations; or 400 channels and a project.
    "Ownership.later": 1_000,
    "Ownership.repositories": 50,
    "Ownership.tags": MOST_MOVING_TAGS + 2,
    "Ownership.things": 4 * MOST_DECLARED_CHANNELS + 2,
    "Request.revisions": MOST_MIGRATIONS,
    "Release.names": 1_000,
    "Release.refused": 50,
    "Release.verified": 20,
    "Running.digests": 50,
    "Step.checks": 32,
    "Target.bases": MOST_SERVICES,
    "Target.digests": 50,
    "Target.task_definitions": MOST_SERVICES,
    "UnprovedCalls.entries": 20,  # api.unproved.MOST
    "Verified.digests": 50,
    "WrongWords.words": 20,  # approvals.wrong_words.MOST
}
"""The most entries of a list or a map."""
