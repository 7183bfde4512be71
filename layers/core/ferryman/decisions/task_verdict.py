"""What a stopped ECS task means: which container ended it, whose fault that is, and what its exit codes say. Pure.

Called by `steps.watch_migration`, `steps.watch_rollout` and `steps.task_diagnosis`. ECS tells when a task stopped,
never when a container did, so the order is known only where somebody saw it or where the exit codes leave one answer.
Facts: docs/reference/aws-facts.md#stopped-tasks.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from ferryman.decisions.image_address import same_repository
from ferryman.text import one_line

SIGKILL, SIGTERM = 137, 143
_CTRL_SHUTDOWN = 0xC000013A
"""STATUS_CONTROL_C_EXIT: how a Windows process ends that is told to shut down."""
_FROM_OUTSIDE = frozenset({SIGKILL, SIGTERM, _CTRL_SHUTDOWN, _CTRL_SHUTDOWN - (1 << 32)})

_MEANINGS = {
    126: "the command cannot be executed",
    127: "the command was not found",
    130: "ended by SIGINT",
    132: "illegal instruction: perhaps built for another architecture",
    134: "aborted by itself, SIGABRT",
    SIGKILL: "killed with SIGKILL: out of memory, or not done in time when it was stopped",
    139: "invalid memory access, SIGSEGV",
    SIGTERM: "ended by SIGTERM: it was stopped",
    _CTRL_SHUTDOWN: "it was told to shut down",
    _CTRL_SHUTDOWN - (1 << 32): "it was told to shut down",
    0xC0000005: "invalid memory access",
    0xC0000005 - (1 << 32): "invalid memory access",
}

_INTERRUPTIONS = frozenset({"SpotInterruption", "TerminationNotice", "InfrastructureHealth"})
_INTERRUPTED = re.compile(
    r"(?i)host ec2 .*(terminated|stopped)|spot (task|instance|capacity)?.*interrupt|underlying (infrastructure|host)"
    r"|infrastructure (health|maintenance)|\bretire(d|ment)\b|container instance .*(terminat|deregist)"
)
_OUT_OF_MEMORY = re.compile(r"(?i)out ?of ?memory")
_NO_IMAGE = re.compile(
    r"(?i)not found|manifest unknown|name unknown|no matching manifest|does not contain descriptor|invalid reference"
    r"|cannot be used on this platform|does not match the (host|specified)|unsupported media ?type"
)
_NO_COMMAND = re.compile(
    r"(?i)executable file not found|no such file or directory|permission denied|exec format error|is a directory"
    r"|cannot find the file"
)
_NEVER_STARTED = re.compile(r"^(Cannot(Pull|Start|Create)|ResourceInitialization|TaskFailedToStart)")
_NO_CAPACITY = re.compile(r"(?i)unable to place a task|capacity is unavailable|unable to launch|insufficient capacity")


class Fault(Enum):
    """Whose fault it is that a task stopped."""

    RELEASE = "release"
    """The containers or their image: another try of the same release ends the same way."""
    AWS = "aws"
    """Capacity, secrets, the registry, the host: the release proved nothing either way."""
    NOBODY = "nobody"
    """Somebody stopped it, or the scheduler no longer needed it."""


@dataclass(frozen=True)
class ContainerState:
    """One container of a task."""

    name: str
    essential: bool = True
    image: str = ""
    """As the task definition names it."""
    stopped: bool = False
    exit_code: int | None = None
    """Absent when it never started, still runs, or its host was lost."""
    reason: str = ""
    ran: bool = False
    """Whether it started, as far as ECS tells."""
    status: str = ""
    unhealthy: bool = False

    @property
    def out_of_memory(self) -> bool:
        """Whether it was killed for the memory that it took."""
        return _OUT_OF_MEMORY.search(self.reason) is not None

    @property
    def stopped_from_outside(self) -> bool:
        """Whether its exit code is that of a process that is told to stop."""
        return self.exit_code in _FROM_OUTSIDE and not self.out_of_memory


@dataclass(frozen=True)
class TaskState:
    """A task as ECS described it."""

    containers: tuple[ContainerState, ...] = ()
    stopped: bool = False
    stop_code: str = ""
    stopped_reason: str = ""
    status: str = ""
    ending: bool = False
    """Its desiredStatus is STOPPED: somebody stopped it, or an essential container ended."""
    seen_first: str = ""
    """The essential container that was seen STOPPED while others still ran."""

    def container(self, name: str) -> ContainerState | None:
        """Return a container by name: AWS injects sidecars, so never the first."""
        return next((item for item in self.containers if item.name == name), None)

    @property
    def by_a_container(self) -> bool:
        """Whether a container ended it, and nobody from outside."""
        return self.stop_code in ("", "EssentialContainerExited")

    @property
    def interrupted(self) -> bool:
        """Whether AWS took the task's host away."""
        return self.stop_code in _INTERRUPTIONS or _INTERRUPTED.search(self.stopped_reason) is not None


def ended_first(task: TaskState) -> str | None:
    """Return the essential container that ended first; None when that is not known.

    Known: what was seen, else the only essential container, else the only one that ran out of memory, else the only
    one whose exit code is not that of a container that is stopped.
    """
    essential = [item for item in task.containers if item.essential]
    stopped = [item for item in essential if item.stopped]
    if any(item.name == task.seen_first for item in essential):
        return task.seen_first
    if len(essential) == 1 or (len(stopped) == 1 and not task.stopped):
        return stopped[0].name if stopped else None
    by_themselves = [
        item for item in stopped if not item.stopped_from_outside and (item.exit_code is not None or item.reason)
    ]
    for suspects in ([item for item in stopped if item.out_of_memory], by_themselves):
        if len(suspects) == 1:
            return suspects[0].name
    return None


def seen_to_stop_first(task: TaskState, named: str = "") -> str | None:
    """Return the container that stopped while what could end the task, or the task itself, went on; None for no other.

    It is the only essential container that stopped, or the named one where that is not essential.
    """
    essential = [item for item in task.containers if item.essential]
    stopped = [item.name for item in essential if item.stopped]
    if len(stopped) == 1 < len(essential):
        return stopped[0]
    mine = task.container(named)
    goes_on = not task.stopped and not task.ending and not stopped
    return named if mine is not None and mine.stopped and not mine.essential and goes_on else None


def fault(task: TaskState) -> Fault:
    """Tell whose fault it is that a task stopped."""
    if task.interrupted:
        return Fault.AWS
    if task.stop_code == "TaskFailedToStart":
        crashed = any(item.exit_code and not item.stopped_from_outside for item in task.containers)
        return Fault.RELEASE if crashed or image_cannot_run(task) else Fault.AWS
    if task.stop_code == "ServiceSchedulerInitiated":
        return Fault.RELEASE if "health check" in task.stopped_reason else Fault.NOBODY
    return Fault.NOBODY if task.stop_code == "UserInitiated" else Fault.RELEASE


def image_cannot_run(task: TaskState) -> bool:
    """Whether an image is missing, is made for another platform or has not the command: it never starts anywhere."""
    for said in (task.stopped_reason, *(item.reason for item in task.containers)):
        if "CannotPull" in said and _NO_IMAGE.search(said):
            return True
        if ("CannotStart" in said or "CannotCreate" in said) and _NO_COMMAND.search(said):
            return True
    return False


def never_started(reason: str) -> bool:
    """Whether a container's reason says that it never started."""
    return _NEVER_STARTED.match(reason) is not None


def no_capacity(events: Iterable[str]) -> bool:
    """Whether a service's events say that its tasks found no place."""
    return any(_NO_CAPACITY.search(event) for event in events)


def any_ran(task: TaskState, named: str) -> bool:
    """Whether the named container, or another one of the same image repository (an init container), ever ran."""
    mine = task.container(named)
    image = mine.image if mine else ""
    return any(item.ran for item in task.containers if item.name == named or same_repository(item.image, image))


@dataclass(frozen=True)
class Cause:
    """Which container explains the end of a task."""

    container: str
    """The one whose log is shown."""
    said: str
    """One or two sentences: how it ended, and what became of the named one."""


def cause(task: TaskState, named: str) -> Cause:
    """Say how a task ended, and which container did it; where that is not known say so, and how each of them ended."""
    if not task.stopped:
        return Cause(named, _going(task, named))
    if task.stop_code == "TaskFailedToStart":
        return _failed_to_start(task, named)
    if not task.by_a_container:
        sick = next((item.name for item in task.containers if item.unhealthy), None)
        shown = sick or named
        return Cause(shown, _sentence(shown, task))
    first = ended_first(task)
    ran = [item for item in task.containers if item.essential]
    if first is None and len(ran) > 1:
        all_of_them = ", ".join(f"{item.name} {_ended(item)}" for item in ran)
        return Cause(named, f"It is not known which container stopped first: {all_of_them}{_why(task)}.")
    if first is None or first == named:
        return Cause(named, _sentence(named, task))
    said = _sentence(first, task).replace(f"Container {first} ", f"Container {first} stopped first: it ", 1)
    victim = task.container(named)
    if victim is not None:
        said += f" Container {named} {_ended(victim)}."
    return Cause(first, said)


def _failed_to_start(task: TaskState, named: str) -> Cause:
    crashed = [item.name for item in task.containers if item.exit_code and not item.stopped_from_outside]
    unstarted = [item.name for item in task.containers if item.reason]
    shown = next(iter(crashed or ([named] if named in unstarted or not unstarted else unstarted)))
    said = _sentence(shown, task)
    others = [item for item in task.containers if item.name in {*crashed, *unstarted} - {shown}]
    if others:
        said += " Also: " + ", ".join(f"{item.name} {_ended(item)}" for item in others) + "."
    if shown != named:
        state = task.container(named)
        if state is not None and state.name not in {item.name for item in others}:
            said += f" Container {named} {_ended(state)}."
    return Cause(shown, said)


def _going(task: TaskState, named: str) -> str:
    state = task.container(named)
    if state is not None and state.exit_code is not None:
        return _sentence(named, task)
    how = (state.status if state else "") or "not started"
    how += " and UNHEALTHY" if state is not None and state.unhealthy else ""
    return f"A task of it is {task.status or 'not started'}, container {named} {how}{_why(task, state)}."


def _sentence(name: str, task: TaskState) -> str:
    state = task.container(name)
    ended = _ended(state) if state else "never started"
    return f"Container {name} {ended}{_why(task, state)}."


def _ended(state: ContainerState) -> str:
    if state.exit_code is not None:
        return f"exited with {exit_code(state.exit_code, state.reason)}"
    if not state.stopped:
        return "still ran"
    return "ran, and its exit code is not known" if state.ran else "never started"


def _why(task: TaskState, state: ContainerState | None = None) -> str:
    # ECS may quote the command and the environment of a container.
    texts = [one_line(text) for text in (state.reason if state else "", task.stopped_reason) if text]
    return f" ({'; '.join(dict.fromkeys(texts))})" if texts else ""


def exit_code(code: int, reason: str = "") -> str:
    """Write an exit code with what it means."""
    meaning = "killed: it was out of memory" if _OUT_OF_MEMORY.search(reason) else _MEANINGS.get(code, "")
    return f"code {code}, {meaning}" if meaning else f"code {code}"
