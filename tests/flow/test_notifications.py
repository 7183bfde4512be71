"""Messages: they tell what happened, and never change it."""

from collections.abc import Callable
from datetime import timedelta

from ferryman.records import Phase
from flow.place import Place
from flow.stage import Stage

Make = Callable[..., Place]


def test_a_channel_that_fails_changes_no_outcome_and_is_tried_again(place: Make, stage: Stage) -> None:
    scr = place(notify=["team", "ops-mail"])
    down = stage.proxy.fault("error", service="sns", action="Publish", times=None, match=scr.mine)
    version = scr.push()
    done = scr.ended(version)
    assert done.phase is Phase.SUCCEEDED, scr.tell()
    scr.until(lambda: (m := scr.message(done, "ops-mail")) and m.sent_at, "the mail")
    waiting = scr.until(lambda: (m := scr.message(done)) and m.last_error and m, "a failed delivery")
    assert (waiting.sent_at, waiting.attempts, waiting.gave_up) == (None, 1, False)
    down.remove()
    stage.sweep()
    assert scr.message(done).sent_at is None, "not before its time"
    assert scr.store.mark(waiting.but(tried_at=scr.now() - timedelta(hours=2)), since=1)
    stage.sweep()
    sent = scr.until(lambda: (m := scr.message(done)) and m.sent_at and m, "the delivery")
    assert sent.attempts == 2
    scr.runs(version)


def test_each_outcome_is_told_once_per_channel(shared: Make, stage: Stage) -> None:
    scr = shared(notify=["ops-mail"])
    to = f"{scr.name}@flow.example"
    good = scr.push()
    assert scr.ended(good).phase is Phase.SUCCEEDED, scr.tell()
    bad = scr.push(CRASH="4")
    assert scr.ended(bad).phase is Phase.ROLLED_BACK, scr.tell()
    scr.until(lambda: len(stage.mails(to)) >= 2, "the mails")
    stage.sweep()
    subjects = [mail["Subject"] for mail in stage.mails(to)]
    assert len(subjects) == 2
    assert [version for version in (good, bad) if sum(version in subject for subject in subjects) == 1] == [good, bad]
