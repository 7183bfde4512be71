"""Whether what a step is about to register or to change still belongs to its environment.

`begin_deployment` has looked already, but an approval may take days, and a document that is applied meanwhile may give
a role to another environment. IAM can't tell: a function has one role for all environments
(docs/security.md#passing-roles).
"""

from collections.abc import Iterable

from ferryman.clients.task_definitions import Definition
from ferryman.contracts import DeploymentRef
from ferryman.errors import VerificationFailed
from ferryman.records import things
from ferryman.store.table import Store


def check(store: Store, ref: DeploymentRef, definition: Definition, also: Iterable[str] = ()) -> None:
    """Raise VerificationFailed if the family or a role of a task definition, or one of the things in `also`
    (`records.things`), belongs to another environment or platform.

    What the environment has from before there were owners stays allowed, even if another one has it, too.
    """
    family, own = definition["family"], store.ownership(ref.platform, ref.environment)
    roles = [role for role in (definition.get("taskRoleArn"), definition.get("executionRoleArn")) if role]
    _check_paths(ref, family, [role for role in roles if "/ferryman/" in role])
    if own is None:
        return
    named = {**dict.fromkeys(also, ""), things.family(family): "", **dict.fromkeys(map(things.role, roles), family)}
    foreign = named.keys() - {*own.things, *own.later}
    if not foreign:
        return
    # Imported here: nearly always the environment owns all of it.
    from ferryman.decisions import ownership
    from ferryman.platform.claims import Claim, Part
    from ferryman.steps import ownership_records

    part = Part(tuple(Claim(thing, "", via=via) for thing, via in named.items() if thing in foreign))
    records, _ = ownership_records.current(store)
    problems = ownership.elsewhere(ref.platform, ref.environment, part, records)
    _refuse(problems)


def _check_paths(ref: DeploymentRef, family: str, roles: list[str]) -> None:
    """Refuse roles whose IAM path says that they are another's, whether anybody has recorded that or not."""
    if not roles:
        return
    from ferryman.decisions import ownership
    from ferryman.platform.claims import Part, placed

    found = tuple(one for role in roles if (one := placed(role, "", family)) is not None)
    _refuse(ownership.misplaced(ref.platform, ref.environment, Part(placed=found)))


def _refuse(problems: list[tuple[str, str]]) -> None:
    if problems:
        raise VerificationFailed(". ".join(text for _, text in problems))
