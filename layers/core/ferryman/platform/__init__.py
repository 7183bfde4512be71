"""The platform document, `ferryman/v1 Platform`: what users write, parsed and validated. Pure."""

from ferryman.platform.document import (
    ChatChannel,
    Component,
    Environment,
    MailChannel,
    Migration,
    NamedMigration,
    Platform,
    Service,
    SmokeTest,
    TopicChannel,
    Wave,
    channel_of,
    parse,
)
from ferryman.platform.github import GitHub, GitHubApp
from ferryman.platform.policies import ApprovalPolicy, Approver, FreezePolicy, FreezeWindow, ScanPolicy
from ferryman.platform.tags import Tag, TagKind, classify

__all__ = [
    "ApprovalPolicy",
    "Approver",
    "ChatChannel",
    "Component",
    "Environment",
    "FreezePolicy",
    "FreezeWindow",
    "GitHub",
    "GitHubApp",
    "MailChannel",
    "Migration",
    "NamedMigration",
    "Platform",
    "ScanPolicy",
    "Service",
    "SmokeTest",
    "Tag",
    "TagKind",
    "TopicChannel",
    "Wave",
    "channel_of",
    "classify",
    "parse",
]
