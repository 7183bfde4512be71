"""Jobs in a platform document: what is taken, and what a person is told of what is not."""

from typing import Any

import pytest

from ferryman.errors import InvalidDocument
from ferryman.platform import parse
from ferryman.platform.apply_refusals import problems_of

STAGING = "spec.environments.staging"
JOBS = f"{STAGING}.waves.1.jobs"
REPORT = {"name": "report", "component": "api", "schedule": "nightly"}
UPLOAD = {"name": "upload", "component": "api", "rule": "uploads"}


def with_jobs(document: dict[str, Any], *jobs: Any, wave: int = 1) -> dict[str, Any]:
    document["spec"]["environments"]["staging"]["waves"][wave]["jobs"] = list(jobs)
    return document


def problems(document: Any) -> dict[str, str]:
    with pytest.raises(InvalidDocument) as caught:
        parse(document)
    return dict(caught.value.problems)


def test_jobs_are_read(scr_document: dict[str, Any]) -> None:
    more = {"eventBus": "files", "target": "task", "container": "worker", "baseTaskDefinition": "ssm:/base"}
    environment = parse(with_jobs(scr_document, REPORT, {**UPLOAD, **more})).environment("staging")
    report, upload = environment.jobs
    assert (report.schedule, report.group, report.container_name) == ("nightly", "default", "api")
    assert (upload.rule, upload.event_bus, upload.target, upload.container_name) == (
        "uploads",
        "files",
        "task",
        "worker",
    )


def test_a_wave_may_have_jobs_alone(scr_document: dict[str, Any]) -> None:
    scr_document["spec"]["environments"]["staging"]["waves"].append({"name": "jobs", "jobs": [REPORT]})
    assert [job.name for job in parse(scr_document).environment("staging").jobs] == ["report"]


def test_a_wave_needs_something(scr_document: dict[str, Any]) -> None:
    scr_document["spec"]["environments"]["staging"]["waves"].append({"name": "nothing"})
    number = len(scr_document["spec"]["environments"]["staging"]["waves"]) - 1
    assert problems(scr_document) == {
        f"{STAGING}.waves.{number}.services": "is empty; list at least one service or job"
    }


def test_an_environment_needs_a_service(scr_document: dict[str, Any]) -> None:
    scr_document["spec"]["environments"]["staging"]["waves"] = [{"name": "jobs", "jobs": [REPORT]}]
    assert "only services that run can verify a release" in problems(scr_document)[f"{STAGING}.waves"]


@pytest.mark.parametrize(
    ("job", "path", "said"),
    [
        ({"name": "report", "component": "api"}, "0", "needs either `schedule`"),
        ({**REPORT, "rule": "uploads"}, "0", "needs either `schedule`"),
        ({**REPORT, "component": "apii"}, "0.component", "no component is named 'apii'"),
        ({**REPORT, "target": "task"}, "0.target", "is a field of a rule"),
        ({**REPORT, "eventBus": "files"}, "0.eventBus", "is a field of a rule"),
        ({**UPLOAD, "group": "reports"}, "0.group", "is a field of a schedule"),
        ({**REPORT, "name": "job/report"}, "0.name", "at most 64 letters, digits, hyphens and underscores"),
        ({**REPORT, "schedule": "default/nightly"}, "0.schedule", "at most 64 letters, digits and . - _"),
        ({**UPLOAD, "eventBus": "arn:aws:events:x"}, "0.eventBus", "it is not an ARN"),
    ],
)
def test_what_is_wrong_is_told(scr_document: dict[str, Any], job: Any, path: str, said: str) -> None:
    assert said in problems(with_jobs(scr_document, job))[f"{JOBS}.{path}"]


@pytest.mark.parametrize(
    ("other", "path", "said"),
    [
        ({**REPORT, "schedule": "other"}, "1.name", "'report' appears twice"),
        ({**REPORT, "name": "again"}, "1", f"'nightly' is already listed at {JOBS}.0"),
    ],
)
def test_what_is_listed_twice_is_told(scr_document: dict[str, Any], other: Any, path: str, said: str) -> None:
    assert said in problems(with_jobs(scr_document, REPORT, other))[f"{JOBS}.{path}"]


def test_one_rule_may_start_several_jobs(scr_document: dict[str, Any]) -> None:
    jobs = [{**UPLOAD, "name": name, "target": name} for name in ("one", "two")]
    assert len(parse(with_jobs(scr_document, *jobs)).environment("staging").jobs) == 2


def many(number: int, wave: int) -> list[dict[str, str]]:
    return [{"name": f"j{wave}-{n}", "component": "api", "schedule": f"s{wave}-{n}"} for n in range(number)]


def test_there_are_limits(scr_document: dict[str, Any]) -> None:
    assert (
        "at most 20"
        in problems(with_jobs(with_jobs(scr_document, *many(11, 0), wave=0), *many(10, 1)))[f"{STAGING}.waves"]
    )
    wave = scr_document["spec"]["environments"]["staging"]["waves"][0]
    wave["services"] = [{"name": f"s{n}", "component": "api"} for n in range(30)]
    assert "more than 40 services and jobs" in problems(scr_document)[f"{STAGING}.waves.0"]


def test_services_and_jobs_together_are_bounded_by_what_can_be_recorded(scr_document: dict[str, Any]) -> None:
    waves = [
        {"name": f"w{w}", "services": [{"name": f"s{w}-{n}", "component": "api"} for n in range(40 - (w == 4))]}
        for w in range(5)
    ]
    scr_document["spec"]["environments"]["staging"]["waves"] = waves
    assert not list(problems_of(parse(with_jobs(scr_document, REPORT, wave=4))))
    waves.append({"name": "more", "services": [{"name": "more", "component": "api"}]})
    ((path, text),) = problems_of(parse(scr_document))
    assert (path, "has 200 services and 1 jobs, and one environment can have 200" in text) == (f"{STAGING}.waves", True)
