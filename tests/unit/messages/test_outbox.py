"""A message that is too long: its logs give way first, and its end, which says what to do next, always stays."""

import pytest
from hypothesis import given
from hypothesis import strategies as some

from ferryman.messages import deployment as messages
from ferryman.messages import outbox
from ferryman.notify import slack_webhook
from ferryman.records import Deployment, Hold, OutboxMessage, Phase, Step, step_keys
from unit import builders as make
from unit.messages.rows import AT, only

HOLD = Hold(reason="errored 4 times", who="ferryman", at=AT)


def told(steps: dict[str, Step], services: list[str], *, phase: Phase = Phase.FAILED, why: str = "") -> OutboxMessage:
    plan = make.plan(waves=[services], services={name: make.planned(name) for name in services})
    deployment: Deployment = make.deployment(
        phase=phase, steps={step_keys.BEGIN: make.step(), **steps}, plan=plan, ended_at=AT, message=why
    )
    return only(messages.for_outcome(deployment, ["team"], AT, hold=HOLD))


def crashed(name: str, logs: list[str], why: str = "2 tasks failed: exit code 3") -> dict[str, Step]:
    return {
        step_keys.rollout(name, "forward"): make.rollout(name, "Failed", reason="TasksFailed", message=why, logs=logs),
        step_keys.rollout(name, "back"): make.rollout(name, direction="back", revision=1),
    }


def paragraphs(message: OutboxMessage) -> list[str]:
    return message.text.split("\n\n")


@pytest.mark.parametrize("character", ["x", "é", "日", "𝄞"], ids=["1-byte", "2-bytes", "3-bytes", "4-bytes"])
def test_eight_services_fail_with_long_logs_and_the_message_still_says_what_was_done_and_what_to_do_next(
    character: str,
) -> None:
    services = [f"scr-{number}" for number in range(8)]
    logs = [f"{number} {character * 480}" for number in range(30)]
    steps = {key: step for name in services for key, step in crashed(name, logs, why=character * 4_000).items()}
    message = told(steps, services, phase=Phase.ROLLED_BACK)
    assert len(message.text.encode()) <= outbox.TEXT_LIMIT
    done, to_do, signature = paragraphs(message)[-3:]
    assert done == f"What was done: rolled back to 0001234 ({', '.join(services)})."
    assert to_do.split("\n") == [
        "What to do next: fix it and push. The new version will be deployed automatically.",
        "For details, run `ferryman explain staging -p scr`.",
        "To try abc1234 again unchanged, run `ferryman retry staging -p scr`.",
        "Automation is on hold (errored 4 times). To lift the hold, run `ferryman resume staging -p scr`.",
    ]
    assert signature.startswith("Deployment 01K00000000000000000000DEP (")
    assert f"Why: {character * 2_000}" in message.text
    assert message.text.count("Also failed: rollout of scr-") == 7


def test_the_earliest_lines_of_a_log_give_way_and_the_message_says_so() -> None:
    message = told(crashed("scr-web", [f"{number} {'日' * 480}" for number in range(30)]), ["scr-web"])
    opening, what_failed, log = paragraphs(message)[:3]
    assert opening.startswith("scr/staging: abc1234 failed")
    assert what_failed.endswith("Why: 2 tasks failed: exit code 3")
    title, note, *lines = log.split("\n")
    assert title == "Last log lines:"
    assert note == "[earlier lines left out: the command `events` shows them]"
    assert 15 < len(lines) < 30
    assert [line.split()[1] for line in lines] == [str(number) for number in range(30 - len(lines), 30)]


def test_two_hundred_services_could_not_go_back_and_the_message_still_says_what_to_do_next() -> None:
    services = [f"service-{number}-{'x' * 200}" for number in range(200)]
    steps = {
        step_keys.rollout(name, direction): make.rollout(  # type: ignore[arg-type]
            name, "Failed", direction, reason="AccessDenied", message="日" * 4_000, logs=["日" * 500] * 30
        )
        for name in services
        for direction in ("forward", "back")
    }
    message = told(steps, services)
    assert len(message.text.encode()) <= outbox.TEXT_LIMIT
    assert (
        "What to do next: inspect the service now. It is not certain which release it runs." in paragraphs(message)[-2]
    )
    assert "Also failed: 189 more (service-" in message.text


SOME_TEXT = some.text(alphabet=some.sampled_from("ab &<\n|`é日本𝄞\u200d"), max_size=60).map(lambda text: text * 80)


@given(
    some.integers(1, 60),
    SOME_TEXT,
    some.lists(SOME_TEXT, max_size=30),
    some.sampled_from([Phase.FAILED, Phase.ERRORED]),
)
def test_a_message_ends_with_what_to_do_and_stays_in_its_bound_whatever_was_logged(
    count: int, why: str, logs: list[str], phase: Phase
) -> None:
    services = [f"scr-{number}" for number in range(count)]
    steps = {key: step for name in services for key, step in crashed(name, logs, why).items()}
    message = told(steps, services, phase=phase, why=why)
    assert len(message.text.encode()) <= outbox.TEXT_LIMIT
    done, to_do, signature = paragraphs(message)[-3:]
    assert done.startswith("What was done: rolled back to 0001234 (scr-0")
    assert to_do.startswith("What to do next: ")
    assert to_do.endswith("To lift the hold, run `ferryman resume staging -p scr`.")
    assert signature.endswith(".")
    # What people see in Slack ends so, too, within the limit of blocks.
    blocks = slack_webhook.payload(message)["blocks"]
    assert len(blocks) <= slack_webhook.BLOCKS
    shown = "\n".join(block["text"]["text"] for block in blocks[-3:])
    assert slack_webhook.escape(to_do) in shown


def test_secrets_are_masked_before_the_text_is_cut() -> None:
    """Cut first, the half that stays would not look like a secret any more."""
    logs = [f"{'x' * 300} postgres://scr:{'hunter2' * 40}@db:5432/scr {number}" for number in range(30)]
    services = [f"scr-{number}" for number in range(8)]
    steps = {
        key: make.rollout(name, "Failed", reason="TasksFailed", message="it failed", logs=logs)
        for name in services
        for key in [step_keys.rollout(name, "forward")]
    }
    message = told(steps, services)
    assert len(message.text.encode()) <= outbox.TEXT_LIMIT
    assert "hunter2" not in message.text


def test_subject_and_detail_hold_no_secrets() -> None:
    (row,) = outbox.rows(
        ["team"], owner="01A", event="failed", platform="scr", environment="staging", at=AT,
        subject="token=hunter2hunter2 failed", blocks=["password:", "it is"], detail={"why": "redis://:hunter2@cache"},
    )  # fmt: skip
    assert isinstance(row.record, OutboxMessage)
    assert row.record.subject == "token=[hidden] failed"
    assert row.record.detail == {"why": "redis://:[hidden]@cache"}
