"""Each defect that was found is kept as a story, which breaks a promise on the defective code and only there."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from ferryman.controller import execute
from ferryman.decisions import candidates, decide, deployment_report, wave_order
from ferryman.decisions.requests import rollback
from ferryman.decisions.snapshot import Snapshot
from ferryman.records import Release
from ferryman.steps import admit_deployment, update_service
from simulation.choices import Choice, StoryDoesNotFit
from simulation.stories import dumped, read, replay

KEPT = Path(__file__).parent / "kept"
Defect = Callable[[pytest.MonkeyPatch], None]


def only_what_runs_passes_over(patch: pytest.MonkeyPatch) -> None:
    def passed_over(view: Snapshot) -> tuple[Release, tuple[Release, ...]] | None:
        found = candidates.overtaken(view, view.current) if view.current else ()
        return (view.current, found) if view.current and found else None

    patch.setattr(decide, "passed_over", passed_over)


def the_last_gate_writes_whatever_has_changed(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(admit_deployment._Seen, "records", property(lambda seen: []))


def a_repair_of_tags_keeps_nobody_waiting(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(execute, "AT_WORK", timedelta(0))


def a_way_back_covers_only_its_own(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(deployment_report, "touched", wave_order._pointed)
    patch.setattr(update_service, "touched", wave_order._pointed)


def every_schema_fits(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(rollback, "mismatch_of", lambda *given, **how: "")


STORIES: dict[str, Defect] = {
    "release-forgotten": only_what_runs_passes_over,
    "hold-passed": the_last_gate_writes_whatever_has_changed,
    "freeze-passed": the_last_gate_writes_whatever_has_changed,
    "late-repair-of-tags": a_repair_of_tags_keeps_nobody_waiting,
    "unsafe-rollback": every_schema_fits,
    "stray-left": a_way_back_covers_only_its_own,
}


def test_each_kept_story_has_its_defect() -> None:
    assert {path.stem for path in KEPT.glob("*.json")} == set(STORIES)


@pytest.mark.parametrize("name", STORIES)
def test_the_story_ends_well(name: str) -> None:
    story, _ = read(KEPT / f"{name}.json")
    assert replay(story).broken == []


@pytest.mark.parametrize("name", STORIES)
def test_the_story_fails_on_the_defective_code(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    story, said = read(KEPT / f"{name}.json")
    STORIES[name](monkeypatch)
    assert [promise for promise, _ in replay(story, strict=False).broken][:1] == [said["broke"]]


def test_a_story_whose_fault_no_longer_comes_up_fails_loudly() -> None:
    with pytest.raises(StoryDoesNotFit, match=r"no longer comes to: reconcile ecr\.no_such_call #1: slow"):
        replay([Choice("reconcile ecr.no_such_call", 1, "slow")])


def test_a_story_with_an_option_that_is_not_there_fails_loudly() -> None:
    with pytest.raises(StoryDoesNotFit, match=r"people #1 cannot be 'dance'"):
        replay([Choice("people", 1, "dance")])


@pytest.mark.parametrize("text", ["", "[]", '{"choices": [1]}', '{"choices": [["people", "x", "push"]]}'])
def test_another_file_is_no_story(text: str, tmp_path: Path) -> None:
    path = tmp_path / "no.story.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(StoryDoesNotFit, match="is no story"):
        read(path)


def test_a_story_is_read_as_it_was_written(tmp_path: Path) -> None:
    story = [Choice("people", 1, "push"), Choice("reconcile ecr.put_image", 2, "slow")]
    path = tmp_path / "some.story.json"
    path.write_text(dumped(story, [("OneOutcome", "there were two")], "seed 1"), encoding="utf-8")
    assert read(path)[0] == story
