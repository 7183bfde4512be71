"""Old tasks that outlast a deployment are followed, whatever comes after it and however it is stored."""

from datetime import timedelta

from ferryman.records import Phase, Target, step_keys
from ferryman.records.writes import Save
from ferryman.store import deployments
from ferryman.store.table import Store
from unit import builders as make
from unit.fakes.clock import FakeClock, FakeIds
from unit.operating import World

NAME = "scr-api"


def test_a_success_that_is_stored_in_parts_is_read_whole(store: Store, clock: FakeClock, new_id: FakeIds) -> None:
    world = World(store, clock, new_id)
    world.run_services()
    world.apply()
    steps = {**make.passed(), step_keys.rollout(NAME, "forward"): make.rollout(NAME, reason="OldTasksRemain")}
    succeeded = make.deployment(id="01K00000000000000000000AAA", phase=Phase.SUCCEEDED, plan=None, steps={})
    store.write(Save(deployments.split(succeeded)))
    whole = store.deployment("scr", "staging", succeeded.id)
    store.write(Save(deployments.split(whole).but(plan=make.plan(), steps=steps)))
    command = make.deployment(
        id="01K00000000000000000000BBB",
        kind="migrate",
        phase=Phase.SUCCEEDED,
        steps={},
        created_at=make.AT + timedelta(hours=1),
    )
    store.write(Save(command))
    store.update_state(
        "scr", "staging", lambda state: state.but(last_succeeded=Target(version="r1", deployment=succeeded.id))
    )
    heads = store.attempts_at("scr", "staging", limit=30)[0]
    assert [item.is_head for item in heads] == [False, True]
    service = world.ecs.services[NAME]
    old = {"id": "ecs-svc/old", "status": "ACTIVE", "taskDefinition": "x", "runningCount": 1}
    service["deployments"] = [*service["deployments"], old]
    task = world.ecs.add_task(NAME, "sha256:old", taskDefinitionArn="x", startedBy=old["id"])
    world.ecs.protected[task["taskArn"]] = clock() + timedelta(hours=30)
    world.sweep()
    assert world.condition("OldTasksRemain") == ("True", "Draining")
    message = world.state.condition("OldTasksRemain").message  # type: ignore[union-attr]
    assert f"{NAME}: 1 old task is protected from scale-in until " in message
    world.ecs.refuse("get_task_protection", "AccessDeniedException", "no")
    world.sweep()
    message = world.state.condition("OldTasksRemain").message  # type: ignore[union-attr]
    assert "could not be read: GetTaskProtection was refused (AccessDeniedException)" in message
    service["deployments"].remove(old)
    world.sweep()
    assert world.state.condition("OldTasksRemain") is None
