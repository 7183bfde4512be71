"""What each field of the document means for an environment that asks for approval. Pure.

- `gate`: it decides what may reach the environment without a person, or who that person is. A change that is not
  provably tighter waits for the approvers of the stored document (`decisions.document_changes`).
- `plan`: it says what a deployment does. Whoever approves the next deployment sees it, so `apply` takes it at once.
- `free`: neither.

A field that contains other models is classified, too: for its own appearance and disappearance. The comparison asks
this table and no other; `tests/contract/test_field_classes.py` fails for a field that is missing here.
"""

from typing import Any, Literal, get_args

from pydantic import BaseModel

FieldClass = Literal["gate", "plan", "free"]

CLASSES: dict[str, FieldClass] = {
    "Platform.api_version": "free",
    "Platform.kind": "free",
    "Platform.metadata": "free",
    "Platform.spec": "gate",
    "Metadata.name": "free",  # it is the record's key: another name is another platform
    # What a release is, and where its images come from.
    "Spec.tag_pattern": "gate",
    "Spec.assembly_timeout": "free",
    "Spec.components": "plan",
    "Spec.channels": "gate",
    "Spec.github": "gate",
    "Spec.environments": "gate",
    "Component.repository": "plan",
    # Who is told, whose word counts, and where secrets are sent.
    "ChatChannel.type": "gate",
    "ChatChannel.webhook_secret_arn": "gate",
    "ChatChannel.bot_token_secret_arn": "gate",
    "ChatChannel.signing_secret_arn": "gate",
    "ChatChannel.channel": "gate",
    "ChatChannel.team": "gate",
    "ChatChannel.api_url": "gate",
    "TopicChannel.type": "gate",
    "TopicChannel.topic_arn": "gate",
    "MailChannel.type": "gate",
    "MailChannel.sender": "free",
    "MailChannel.to": "gate",
    # The links on the approval page lead there.
    "GitHub.repository": "gate",
    "GitHub.web_url": "gate",
    "GitHub.api_url": "gate",
    "GitHub.token_secret_arn": "free",
    "GitHub.app": "free",
    "GitHub.statuses": "free",
    "GitHubApp.client_id": "free",
    "GitHubApp.installation_id": "free",
    "GitHubApp.private_key_secret_arn": "free",
    "Environment.cluster": "gate",
    "Environment.account": "free",  # can only be the operator's own
    "Environment.region": "free",
    "Environment.triggers": "gate",
    "Environment.promote_from": "gate",
    "Environment.soak": "gate",
    "Environment.tag_wait": "free",
    "Environment.scan": "gate",
    "Environment.approval": "gate",
    "Environment.freeze": "gate",
    # A service that leaves the environment could be taken by another one that asks nobody.
    "Environment.waves": "gate",
    "Environment.migration": "gate",
    "Environment.migrations": "gate",
    "Environment.smoke_tests": "gate",
    "Environment.moving_tags": "free",
    "Environment.on_failure": "free",
    "Environment.on_newer": "free",
    "Environment.on_base_change": "gate",
    "Environment.notify": "gate",
    "ScanPolicy.block": "gate",
    "ApprovalPolicy.approvers": "gate",
    "ApprovalPolicy.required": "gate",
    "ApprovalPolicy.expires": "gate",
    "ApprovalPolicy.reminder": "free",
    "ApprovalPolicy.sender": "gate",  # a bounced mail, and the link in it, goes back to the sender
    "ApprovalPolicy.requester_may_approve": "gate",
    "ApprovalPolicy.unknown_requester": "gate",
    "ApprovalPolicy.allow_unverified": "gate",
    "ApprovalPolicy.for_rollback": "gate",
    "Approver.name": "gate",
    "Approver.email": "gate",
    "Approver.slack": "gate",
    "Approver.arn": "gate",
    "FreezePolicy.time_zone": "gate",
    "FreezePolicy.windows": "gate",
    "FreezeWindow.name": "free",
    "FreezeWindow.kind": "gate",
    "FreezeWindow.weekly": "gate",
    "FreezeWindow.dates": "gate",
    "Wave.name": "plan",
    "Wave.services": "gate",
    "Wave.jobs": "gate",
    "Wave.proceed_when": "plan",
    "Service.name": "gate",
    "Service.component": "plan",
    "Service.container": "plan",
    "Service.containers": "plan",
    "Service.additional_components": "plan",
    "Service.base_task_definition": "gate",
    "Service.timeout": "free",
    "Service.fail_fast": "free",
    "AdditionalComponent.component": "plan",
    "AdditionalComponent.containers": "plan",
    "Job.name": "gate",
    "Job.component": "plan",
    "Job.schedule": "gate",
    "Job.group": "gate",
    "Job.rule": "gate",
    "Job.event_bus": "gate",
    "Job.target": "gate",
    "Job.container": "plan",
    "Job.containers": "plan",
    "Job.base_task_definition": "gate",
    "Migration.component": "plan",
    "Migration.task_definition": "gate",
    "Migration.container": "plan",
    "Migration.containers": "plan",
    "Migration.command": "plan",
    "Migration.timeout": "free",
    "Migration.downgrade": "plan",
    "Migration.current": "gate",  # `ferryman migrate current` runs it without asking anybody
    "Migration.network": "plan",
    "Migration.launch_type": "plan",
    "NamedMigration.name": "gate",
    "Network.subnets": "plan",
    "Network.security_groups": "plan",
    "Network.assign_public_ip": "plan",
    "SmokeTest.name": "gate",
    "SmokeTest.url": "gate",
    "SmokeTest.path": "gate",
    "SmokeTest.headers": "gate",
    "SmokeTest.allow_http": "gate",
    "SmokeTest.expect": "gate",
    "SmokeTest.attempts": "free",
    "SmokeTest.delay": "free",
    "SmokeTest.timeout": "free",
    "Expectation.status": "gate",
    "Expectation.headers": "gate",
    "Expectation.json_fields": "gate",
    "Expectation.body": "gate",
}
"""`Model.field` → its class. A model that extends another one inherits the classes of its fields."""


def class_of(model: type[BaseModel], field: str) -> FieldClass:
    """Return the class of a field. One that nobody classified is a gate: what is unknown waits for approval."""
    for base in model.__mro__:
        found = CLASSES.get(f"{base.__name__}.{field}")
        if found is not None:
            return found
    return "gate"


def models_in(annotation: Any) -> list[type[BaseModel]]:
    """Return the models that a field's type mentions, those of lists, maps and unions included."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for part in get_args(annotation) for model in models_in(part)]
