"""Nothing that AWS limits is exceeded by ten platforms with a hundred services and three environments each."""

import re
from collections.abc import Iterable

import pytest

from terraform import sizes
from terraform.tool import TERRAFORM, Tool


@pytest.fixture(scope="module")
def found(stand_in: Tool) -> dict[int, list[sizes.Size]]:
    return sizes.every(stand_in)


def too_large(found: Iterable[sizes.Size]) -> list[sizes.Size]:
    return [one for one in found if one.size > sizes.LIMITS[one.kind]]


@pytest.mark.parametrize("count", sizes.PLATFORMS)
def test_everything_fits(found: dict[int, list[sizes.Size]], count: int) -> None:
    assert too_large(found[count]) == []
    assert {one.kind for one in found[count]} == set(sizes.LIMITS)
    print(sizes.table(found))


def test_an_entry_for_each_service_would_not_fit() -> None:
    """The measure sees what it is for: with a role and a log group for each service, nothing would be left."""
    names = [f"arn:aws:iam::123456789012:role/platform-000-service-{n:03}-production-task" for n in range(100)]
    lists = {
        parameter["Default"]: ",".join(names)
        for parameter in sizes.template()["Parameters"].values()
        if parameter["Type"].startswith("AWS::SSM::")
    }
    assert {one.kind for one in too_large(sizes.of_stack(lists))} >= {sizes.PARAMETER, sizes.POLICY}


def test_roles_one_by_one_are_refused_with_the_cure(stand_in: Tool) -> None:
    folder, many = TERRAFORM / "shared", sizes.json.dumps(sizes.platforms(3, roles_below_path=False))
    with stand_in.alone(folder):
        stand_in.initialise(folder)
        done = stand_in.run(folder, "plan", "-no-color", f"-var=platforms={many}")
    told = re.sub(r"[\s│]+", " ", done.stdout + done.stderr)
    assert done.returncode != 0
    assert "A list is longer than 4,096 characters" in told
    assert (
        "pass-role-arns. Name fewer things one by one: set roles_below_path for platforms that do not exist yet" in told
    )
