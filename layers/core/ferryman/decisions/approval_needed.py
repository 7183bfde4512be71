"""What needs an approval, in an environment that has approvers: the one table of it. Pure.

begin_deployment freezes the answer into the plan, the last gate asks again about database commands, and requests tell
people. docs/security.md#what-needs-an-approval shows the table; a contract test compares the two.
"""

from dataclasses import dataclass
from typing import Literal

from ferryman.platform import Environment
from ferryman.records import Deployment, Request

Need = Literal["yes", "for_rollback", "no"]
"""`for_rollback`: if the document says `forRollback: true`."""

IN_WORDS: dict[Need, str] = {"yes": "yes", "for_rollback": "with `forRollback: true`", "no": "no"}


@dataclass(frozen=True)
class Act:
    """Something that people or automation do, and whether it needs an approval."""

    what: str
    """As people know it."""
    needs: Need
    why: str
    routes: tuple[str, ...] = ()
    """Last parts of the API's paths that start it."""
    kinds: tuple[str, ...] = ()
    """Kinds of the deployment that it becomes."""
    commands: tuple[str | None, ...] = (None,)
    """Database commands of that deployment."""


ACTS: tuple[Act, ...] = (
    Act(
        "a release that a push, a tag, a promotion or a changed base task definition starts",
        "yes",
        "It changes what runs.",
        kinds=("deploy", "retry", "redeploy"),
    ),
    Act(
        "`deploy`, `retry`, `redeploy`",
        "yes",
        "A person's request is a deployment like any other, and its requester cannot approve it.",
        routes=("deploy", "retry", "redeploy"),
        kinds=("deploy", "retry", "redeploy"),
    ),
    Act(
        "`migrate up`, `migrate down`",
        "yes",
        "It changes the database, and a `down` can destroy data.",
        routes=("migrate",),
        kinds=("migrate",),
        commands=("up", "down", None),
    ),
    Act(
        "`rollback --downgrade`, with or without `--revision`",
        "yes",
        "It changes the database first.",
        routes=("rollback",),
        kinds=("rollback",),
        commands=("down",),
    ),
    Act(
        "`rollback` without a database command, also with `--accept-schema-mismatch`",
        "for_rollback",
        "It goes back to images that ran here before; approvers and channels are told at once. An accepted schema "
        "mismatch is recorded and told in every environment.",
        routes=("rollback",),
        kinds=("rollback",),
    ),
    Act(
        "`migrate current`",
        "no",
        "It reads the revision of the database; approvers and channels are told at once.",
        routes=("migrate",),
        kinds=("migrate",),
        commands=("current",),
    ),
    Act(
        "the way back of a deployment that fails, and `abort`",
        "no",
        "Services go back to what ran before, as the approved deployment said they would.",
        routes=("abort",),
    ),
    Act("`hold`, `freeze`", "no", "They only stop deployments.", routes=("hold", "freeze")),
    Act(
        "`resume`, `thaw`",
        "no",
        "They change nothing that runs. Each deployment that starts after them asks for its own approval.",
        routes=("resume", "thaw"),
    ),
    Act(
        "`waive`",
        "no",
        "It opens the gate of image scans and no other. The deployment still asks, and its page shows the waiver.",
        routes=("waive",),
    ),
    Act(
        "`apply` of a document that weakens what guards the environment",
        "yes",
        "It would change what needs an approval, or who gives it. The approvers of the stored document decide.",
        routes=("{platform}",),
    ),
    Act(
        "`apply` of any other document",
        "no",
        "It changes nothing that runs. Whoever approves the next deployment sees what it does.",
        routes=("{platform}",),
    ),
    Act(
        "`delete environment` of one that asks for approval",
        "yes",
        "It takes the gate away. Its approvers decide, as they do when a document without it is applied.",
        routes=("delete",),
    ),
    Act(
        "`delete platform`",
        "no",
        "Only an admin can. Nothing that runs changes, and the platform is not operated any more.",
        routes=("retire",),
    ),
)


def rule_of(kind: str, command: str | None) -> Need:
    """Return whether a deployment of this kind and database command needs an approval. What is in no row does."""
    return next((act.needs for act in ACTS if kind in act.kinds and command in act.commands), "yes")


def would_need(environment: Environment, wish: Deployment | Request) -> bool:
    """Whether a deployment, or what a person asks for, needs an approval unless an admin overrides that."""
    policy = environment.approval
    if policy is None:
        return False
    rule = rule_of(wish.kind, wish.command)
    return rule == "yes" or (rule == "for_rollback" and policy.for_rollback)


def needs_approval(environment: Environment, wish: Deployment | Request) -> bool:
    """Whether a deployment, or what a person asks for, has to be approved before it changes anything."""
    return not wish.override and would_need(environment, wish)
