"""What a stopped task means, as tables: who ended it, and whose fault that is."""

from dataclasses import replace

import pytest

from ferryman.decisions.task_verdict import (
    ContainerState,
    Fault,
    TaskState,
    any_ran,
    cause,
    ended_first,
    exit_code,
    fault,
    image_cannot_run,
    no_capacity,
    seen_to_stop_first,
)


def container(name: str, code: int | None = None, *, reason: str = "", essential: bool = True) -> ContainerState:
    return ContainerState(name, essential, f"repo/{name}:1", True, code, reason, code is not None, "STOPPED")


def ended(*containers: ContainerState, **more: str) -> TaskState:
    task = TaskState(containers, stopped=True, stop_code="EssentialContainerExited", status="STOPPED", ending=True)
    return replace(task, **more)  # type: ignore[arg-type]


OOM = "OutOfMemoryError: Container killed due to memory usage"


@pytest.mark.parametrize(
    ("task", "first"),
    [
        pytest.param(ended(container("app", 1)), "app", id="alone"),
        pytest.param(ended(container("app", 137)), "app", id="alone-and-killed"),
        pytest.param(ended(container("app", 143), container("proxy", 1)), "proxy", id="essential-sidecar-crashed"),
        pytest.param(ended(container("app", 143), container("proxy", 0)), "proxy", id="essential-sidecar-was-done"),
        pytest.param(ended(container("app", 137), container("proxy", 1)), "proxy", id="app-ignored-sigterm"),
        pytest.param(ended(container("app", 1), container("proxy", 143)), "app", id="app-crashed"),
        pytest.param(ended(container("app", 139), container("proxy", 137)), "app", id="app-segfault"),
        pytest.param(ended(container("app", 0), container("proxy", 0)), None, id="both-zero"),
        pytest.param(ended(container("app", 1), container("proxy", 0)), None, id="one-and-zero"),
        pytest.param(ended(container("app", 143), container("proxy", 137)), None, id="nobody-by-itself"),
        pytest.param(ended(container("app", 137, reason=OOM), container("proxy", 0)), "app", id="out-of-memory"),
        pytest.param(
            ended(container("app", 137, reason=OOM), container("proxy", 137, reason=OOM)), None, id="both-oom"
        ),
        pytest.param(
            ended(container("app", 143), container("init", 0, essential=False), container("proxy", 2)), "proxy",
            id="what-is-not-essential-ends-no-task",
        ),
        pytest.param(ended(container("app", 0), container("proxy", 0), seen_first="app"), "app", id="seen"),
        pytest.param(ended(container("app", 0), container("proxy"), seen_first=""), "app", id="no-code-no-reason"),
        pytest.param(
            ended(container("app", 0xC000013A), container("proxy", 3)), "proxy", id="windows-ctrl-shutdown"
        ),
        pytest.param(
            ended(container("app", -1073741510), container("proxy", 3)), "proxy", id="windows-as-a-signed-number"
        ),
    ],
)  # fmt: skip
def test_who_ended_first(task: TaskState, first: str | None) -> None:
    assert ended_first(task) == first


RUNS = ContainerState("proxy", status="RUNNING", ran=True)


@pytest.mark.parametrize(
    ("task", "seen"),
    [
        pytest.param(TaskState((container("app", 0), RUNS)), "app", id="one-of-two"),
        pytest.param(TaskState((container("app", 0), container("proxy", 0))), None, id="both"),
        pytest.param(TaskState((replace(RUNS, name="app"), RUNS)), None, id="none"),
        pytest.param(TaskState((container("app", 0),)), None, id="alone"),
        pytest.param(TaskState((container("init", 0, essential=False), RUNS)), None, id="init"),
        pytest.param(TaskState((container("app", 0, essential=False), RUNS)), "app", id="named-one-is-not-essential"),
        pytest.param(
            TaskState((container("app", 0, essential=False), RUNS), ending=True), None, id="not-essential-and-ending"
        ),
    ],
)
def test_who_was_seen_to_stop_first(task: TaskState, seen: str | None) -> None:
    assert seen_to_stop_first(task, "app") == seen


NEVER = container("app")


@pytest.mark.parametrize(
    ("stop_code", "reason", "containers", "expected"),
    [
        ("EssentialContainerExited", "Essential container in task exited", (container("app", 1),), Fault.RELEASE),
        ("EssentialContainerExited", "Essential container in task exited", (container("app", 0),), Fault.RELEASE),
        ("ServiceSchedulerInitiated", "Task failed ELB health checks in (target-group x)", (), Fault.RELEASE),
        ("ServiceSchedulerInitiated", "Task failed container health checks", (), Fault.RELEASE),
        ("ServiceSchedulerInitiated", "Scaling activity initiated by (deployment ecs-svc/1)", (), Fault.NOBODY),
        ("UserInitiated", "Task stopped by user", (container("app", 143),), Fault.NOBODY),
        ("SpotInterruption", "Your Spot Task was interrupted.", (container("app", 143),), Fault.AWS),
        ("TerminationNotice", "", (container("app", 137),), Fault.AWS),
        ("InfrastructureHealth", "", (container("app", 137),), Fault.AWS),
        ("", "Host EC2 (instance i-0abc) terminated.", (container("app"),), Fault.AWS),
        ("UserInitiated", "Host EC2 (instance i-0abc) stopped.", (container("app"),), Fault.AWS),
        ("TaskFailedToStart", "Capacity is unavailable at this time. Please try again later", (NEVER,), Fault.AWS),
        ("TaskFailedToStart", "Timeout waiting for network interface provisioning to complete.", (NEVER,), Fault.AWS),
        ("TaskFailedToStart", "Unexpected EC2 error while attempting to attach network interface", (NEVER,), Fault.AWS),
        ("TaskFailedToStart", "ResourceInitializationError: unable to pull secrets or registry auth: context deadline",
         (NEVER,), Fault.AWS),
        ("TaskFailedToStart", "ResourceInitializationError: ResourceNotFoundException: the secret was not found",
         (NEVER,), Fault.AWS),
        ("TaskFailedToStart", "CannotPullContainerError: dial tcp 1.2.3.4:443: i/o timeout", (NEVER,), Fault.AWS),
        ("TaskFailedToStart", "CannotPullContainerError: 429 Too Many Requests", (NEVER,), Fault.AWS),
        ("TaskFailedToStart", "CannotPullContainerError: lookup x: no such host", (NEVER,), Fault.AWS),
        ("TaskFailedToStart", "CannotPullContainerError: pull image manifest: failed to resolve ref: not found",
         (NEVER,), Fault.RELEASE),
        ("TaskFailedToStart", "CannotPullContainerError: image Manifest does not contain descriptor matching platform",
         (NEVER,), Fault.RELEASE),
        ("TaskFailedToStart", "CannotPullContainerError: no matching manifest for windows/amd64 10.0.20348", (NEVER,),
         Fault.RELEASE),
        ("TaskFailedToStart", "Task failed to start",
         (container("app", reason='CannotStartContainerError: exec: "alembicc": executable file not found in $PATH'),),
         Fault.RELEASE),
        ("TaskFailedToStart", "Task failed to start", (NEVER, container("init", 1, essential=False)), Fault.RELEASE),
        ("TaskFailedToStart", "Task failed to start", (NEVER, container("logger", 143)), Fault.AWS),
    ],
)  # fmt: skip
def test_whose_fault(stop_code: str, reason: str, containers: tuple[ContainerState, ...], expected: Fault) -> None:
    assert fault(TaskState(containers, True, stop_code, reason, "STOPPED", True)) is expected


def test_an_image_that_cannot_run_is_told_from_a_registry_that_does_not_answer() -> None:
    gone, slow = "CannotPullContainerError: manifest unknown", "CannotPullContainerError: context deadline exceeded"
    assert image_cannot_run(ended(container("app", reason=gone)))
    assert not image_cannot_run(ended(container("app", reason=slow)))


def test_an_init_container_of_the_same_repository_is_the_migration_too() -> None:
    init = replace(container("init", 0, essential=False), image="repo/app@sha256:1")
    assert any_ran(ended(container("app"), init), "app")
    assert not any_ran(ended(container("app"), container("log_router", 143)), "app")


def test_a_sidecar_that_ended_first_is_the_cause_and_the_app_its_victim() -> None:
    found = cause(ended(container("app", 143), container("proxy", 1)), "app")
    assert found.container == "proxy"
    assert found.said == (
        "Container proxy stopped first: it exited with code 1. "
        "Container app exited with code 143, ended by SIGTERM: it was stopped."
    )


def test_nobody_guesses_which_container_stopped_first() -> None:
    found = cause(ended(container("app", 1), container("proxy", 0)), "app")
    assert found.container == "app"
    assert "not known which container stopped first: app exited with code 1, proxy exited with code 0" in found.said


def test_a_failed_init_container_is_the_cause() -> None:
    task = ended(container("app"), container("wait", 1, essential=False), stop_code="TaskFailedToStart")
    found = cause(task, "app")
    assert found.container == "wait"
    assert found.said == "Container wait exited with code 1. Container app never started."


def test_the_container_that_failed_its_health_check_is_shown() -> None:
    sick = replace(container("proxy", 143), unhealthy=True)
    task = ended(
        container("app", 143), sick, stop_code="ServiceSchedulerInitiated",
        stopped_reason="Task failed container health checks",
    )  # fmt: skip
    assert cause(task, "app").container == "proxy"


@pytest.mark.parametrize(
    ("code", "reason", "said"),
    [
        (0, "", "code 0"),
        (1, "", "code 1"),
        (127, "", "not found"),
        (137, "", "out of memory, or not done in time"),
        (137, OOM, "killed: it was out of memory"),
        (139, "", "SIGSEGV"),
        (143, "", "SIGTERM"),
        (3221225477, "", "invalid memory access"),
    ],
)
def test_exit_codes_say_what_they_mean(code: int, reason: str, said: str) -> None:
    assert said in exit_code(code, reason)


def test_capacity_is_told_by_the_events_of_a_service() -> None:
    assert no_capacity(["(service api) was unable to place a task because no container instance met all of its needs."])
    assert not no_capacity(["(service api) has reached a steady state."])


@pytest.mark.parametrize("before", range(260, 300, 3))
def test_a_secret_that_ecs_quotes_is_masked_before_its_reason_is_cut(before: int) -> None:
    stopped = f"{'x' * before} postgres://scr:hunter2hunter2hunter2@db:5432/scr"
    found = cause(ended(container("app", 1, reason=stopped), stopped_reason=stopped), "app")
    assert "hunter2" not in found.said
