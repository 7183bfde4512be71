"""Partition and sort keys of every record: docs/reference/records.md#keys. Pure."""

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
    PlanPart,
    Proposal,
    Record,
    Release,
    ReleasePointer,
    ScheduledLook,
    SemverName,
    SplitStep,
    StepLog,
    TimelineEvent,
    UnprovedCalls,
    UsedProof,
    Wait,
    WrongWords,
)

PLATFORMS = "PLATFORM"
DEPLOYMENT = "DEPLOYMENT#"
EVENT = "EVENT#"
OUTBOX = "OUTBOX#"
LOG = "LOG#"
UNSENT = "OUTBOX"
OWNERSHIP = "OWNERSHIP"
LOOKS = "LOOK"


def _key(pk: str, sk: str) -> dict[str, str]:
    return {"pk": pk, "sk": sk}


def platform(name: str) -> dict[str, str]:
    """Key of a document."""
    return _key(PLATFORMS, name)


def releases(platform: str) -> str:
    """Partition of a platform's releases."""
    return f"RELEASE#{platform}"


def release(platform: str, version: str) -> dict[str, str]:
    """Key of a release."""
    return _key(releases(platform), version)


def pointers(platform: str, kind: str) -> str:
    """Partition of one list of a platform's releases."""
    return f"{kind}#{platform}"


def environment(platform: str, environment: str) -> str:
    """Partition of an environment."""
    return f"ENV#{platform}#{environment}"


def state(platform: str, env: str) -> dict[str, str]:
    """Key of an environment's state."""
    return _key(environment(platform, env), "STATE")


def adopted_images(platform: str, env: str) -> dict[str, str]:
    """Key of the images that an environment ran when it was adopted."""
    return _key(environment(platform, env), "ADOPTED")


def deployment(platform: str, env: str, deployment: str) -> dict[str, str]:
    """Key of a deployment."""
    return _key(environment(platform, env), f"{DEPLOYMENT}{deployment}")


def timeline(owner: str) -> str:
    """Partition of a timeline: of a deployment, or of what belongs to none (`<platform>#<environment>`)."""
    return f"DEPLOYMENT#{owner}"


def outbox(owner: str, event: str, channel: str) -> dict[str, str]:
    """Key of an outbox message: once per owner, event and channel."""
    return _key(timeline(owner), f"{OUTBOX}{event}#{channel}")


def log(deployment: str, step: str) -> dict[str, str]:
    """Key of a step's log lines."""
    return _key(timeline(deployment), f"{LOG}{step}")


def parts(deployment: str) -> str:
    """Partition of the plan and the steps of a deployment that one item can't hold."""
    return f"PARTS#{deployment}"


def migrations(platform: str, env: str) -> str:
    """Partition of an environment's migrations."""
    return f"MIGRATION#{platform}#{env}"


def waits(resource: str) -> str:
    """Partition of the steps that wait for a resource."""
    return f"WAIT#{resource}"


def wait(record: Wait) -> dict[str, str]:
    """Key of a wait: one per step, so that a newer token replaces the older one."""
    return _key(waits(record.resource), f"{record.deployment}#{record.step}")


def owner_of(event: TimelineEvent) -> str:
    """Whose timeline an event belongs to."""
    return event.deployment or "#".join(part for part in (event.platform, event.environment) if part)


def approval(deployment: str) -> dict[str, str]:
    """Key of an approval: one per deployment."""
    return _key(f"APPROVAL#{deployment}", "APPROVAL")


def proposals(platform: str) -> str:
    """Partition of the documents that waited, or wait, for approval."""
    return f"PROPOSAL#{platform}"


def proposal(platform: str, id: str) -> dict[str, str]:
    """Key of a proposal."""
    return _key(proposals(platform), id)


def wrong_words(deployment: str, link: str) -> dict[str, str]:
    """Key of the wrong words on one link to an approval's page."""
    return _key(f"APPROVAL#{deployment}", f"LINK#{link}")


def semver_names(platform: str) -> str:
    """Partition of the semver tags that name no release (yet)."""
    return f"NAME#{platform}"


def ignored_tags(platform: str) -> str:
    """Partition of the newest tags that were ignored, one record per component."""
    return f"IGNORED#{platform}"


def ignored_tags_of(platform: str, component: str) -> dict[str, str]:
    """Key of a component's newest ignored tags."""
    return _key(ignored_tags(platform), component)


def pace(destination: str) -> dict[str, str]:
    """Key of the pace of a destination of messages."""
    return _key(f"PACE#{destination}", "PACE")


def unproved_calls() -> dict[str, str]:
    """Key of the account of unproved calls: one for the operator."""
    return _key("UNPROVED", "CALLS")


def ownership(platform: str, environment: str) -> dict[str, str]:
    """Key of what one environment owns; no environment: the platform as a whole."""
    return _key(OWNERSHIP, f"{platform}#{environment}")


def ownership_register() -> dict[str, str]:
    """Key of the register: one for all platforms, in a partition of its own."""
    return _key("OWNERSHIP-REGISTER", "REGISTER")


def scheduled_look(platform: str, environment: str) -> dict[str, str]:
    """Key of what is known of one look that sweeps queue: all of them stand in one partition."""
    return _key(LOOKS, f"{platform}#{environment}")


def of(record: Record) -> dict[str, str]:  # noqa: C901 - one case for each record
    """Return the key attributes of a record."""
    match record:
        case AppliedPlatform():
            return platform(record.name)
        case Release():
            return release(record.platform, record.version)
        case ReleasePointer():
            return _key(pointers(record.platform, record.kind), f"{record.place}#{record.version}")
        case EnvironmentState():
            return state(record.platform, record.environment)
        case AdoptedImages():
            return adopted_images(record.platform, record.environment)
        case Deployment():
            return deployment(record.platform, record.environment, record.id)
        case Approval():
            return approval(record.deployment)
        case Proposal():
            return proposal(record.platform, record.id)
        case WrongWords():
            return wrong_words(record.deployment, record.link)
        case ScheduledLook():
            return scheduled_look(record.platform, record.environment)
        case SemverName():
            return _key(semver_names(record.platform), record.name)
        case IgnoredTags():
            return ignored_tags_of(record.platform, record.component)
        case TimelineEvent():
            return _key(timeline(owner_of(record)), f"{EVENT}{record.id}")
        case OutboxMessage():
            # The sparse index `pending` holds just the messages that still have to go out.
            waiting = record.sent_at is None and not record.gave_up
            return outbox(record.owner, record.event, record.channel) | ({"pending": UNSENT} if waiting else {})
        case Ownership():
            return ownership(record.platform, record.environment)
        case OwnershipRegister():
            return ownership_register()
        case Pace():
            return pace(record.destination)
        case MigrationClaim():
            return _key(migrations(record.platform, record.environment), f"{record.version}#{record.attempt:04d}")
        case Wait():
            return wait(record)
        case UnprovedCalls():
            return unproved_calls()
        case UsedProof():
            return _key(f"PROOF#{record.binding}", "PROOF")
        case StepLog():
            return log(record.deployment, record.step)
        case PlanPart():
            return _key(parts(record.deployment), f"PLAN#{record.number:04d}")
        case SplitStep():
            return _key(parts(record.deployment), f"STEP#{record.key}")
    raise TypeError(f"{type(record).__name__} has no key")
