"""Which old tasks of a service are protected from scale-in."""

from collections.abc import Iterable
from datetime import UTC, datetime

from ferryman.clients import ecs as edge
from ferryman.clients.aws_errors import Refusal, code_and_sentence, translated
from ferryman.clients.aws_types import ECSClient, ECSService
from ferryman.decisions.scale_in_protection import Protection
from ferryman.errors import TransientError

_TASKS_PER_CALL = 100


def of_old_tasks(ecs: ECSClient, service: ECSService) -> Protection:
    """Look at the tasks of the deployments that were replaced, and that ECS has not begun to stop.

    Only people are told of it, and how long to wait for old tasks: what can't be read is said, and raises nothing.
    """
    old = edge.replaced(service)
    if not old:
        return Protection()
    try:
        current = edge.primary(service)
        made_by = {deployment["id"] for deployment in old}
        revisions = {deployment["taskDefinition"] for deployment in old}
        revisions -= {current["taskDefinition"]} if current is not None else set()
        tasks = edge.running_tasks(ecs, service["clusterArn"], service["serviceName"])
        found = protected(
            ecs,
            service["clusterArn"],
            (
                task["taskArn"]
                for task in tasks
                if task.get("startedBy") in made_by or task["taskDefinitionArn"] in revisions
            ),
        )
    except Refusal as error:
        return Protection(unread=code_and_sentence(error)[1])
    except TransientError as error:
        return Protection(unread=str(error))
    return Protection(len(found), max(found.values(), default=None))


def protected(ecs: ECSClient, cluster: str, tasks: Iterable[str]) -> dict[str, datetime]:
    """Return until when tasks are protected, by ARN; one that is not, or that is gone, is absent."""
    wanted = list(dict.fromkeys(tasks))
    found: dict[str, datetime] = {}
    for start in range(0, len(wanted), _TASKS_PER_CALL):
        with translated():
            answer = ecs.get_task_protection(cluster=cluster, tasks=wanted[start : start + _TASKS_PER_CALL])
        found |= {
            task["taskArn"]: task["expirationDate"].astimezone(UTC)
            for task in answer["protectedTasks"]
            if task.get("protectionEnabled") and task.get("expirationDate")
        }
    return found
