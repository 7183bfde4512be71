"""What a step records goes into messages, the timeline and the page: none of it holds a secret."""

from ferryman.records import StepStatus, step_keys
from ferryman.store import step_writer
from unit import builders as make


def test_a_step_is_recorded_without_the_secrets_that_aws_and_containers_told() -> None:
    key = step_keys.rollout("scr-api", "forward")
    said = 'stopped: failed to start {"name":"DB_PASSWORD","value":"hunter2"}'
    step = make.step(status=StepStatus.FAILED, message=said, logs=["password:", "hunter2", "bye"])
    recorded = step_writer.put(make.deployment(), key, step).steps[key]
    assert recorded.message == 'stopped: failed to start {"name":"DB_PASSWORD","value":"[hidden]"}'
    assert recorded.logs == ["password:", "[hidden]", "bye"]
