"""How long the rollouts of an environment take, and what the document allows. Part of `apply` and `ferryman verify`.

Only people read it: a deployment depends on none of it.
"""

from ferryman.clients import target_groups
from ferryman.clients.aws_errors import Refusal, code_and_sentence
from ferryman.clients.aws_types import MakeClient
from ferryman.decisions import rollout_time
from ferryman.decisions.rollout_time import TargetGroup
from ferryman.platform import Environment
from ferryman.steps import rollout_health
from ferryman.steps.verify import Problem, Survey


def remarks(environment: Environment, seen: Survey, *, client: MakeClient, at: str) -> list[Problem]:
    """Return which services need longer than their `timeout`, which take long, and what would make them faster."""
    notes: list[Problem] = []
    groups: dict[str, TargetGroup] = {}
    wanted = [arn for live in seen.services.values() for arn in rollout_health.groups_of(live)]
    if wanted:
        try:
            groups = target_groups.settings(client("elbv2"), wanted)
        except Refusal as error:
            said = code_and_sentence(error)[1]
            notes.append((f"{at}.waves", f"how long rollouts take could not be told, because {said}"))
            return notes
    for w, wave in enumerate(environment.waves):
        for s, service in enumerate(wave.services):
            live, base = seen.services.get(service.name), seen.bases.get(service.name)
            if live is None or base is None:
                continue
            pace = rollout_health.pace(live, [base], groups)
            told = rollout_time.remark(pace, int(service.timeout.total_seconds()))
            if told is not None:
                notes.append((f"{at}.waves.{w}.services.{s}.timeout", told))
    return notes
