"""What a document claims by its own text, also one that can't be parsed."""

import pytest

from ferryman.platform import claims, parse

ECS = "arn:aws:ecs:eu-west-1:123456789012"


@pytest.mark.parametrize(
    "name", ["scr-api", "123456789012.dkr.ecr.eu-west-1.amazonaws.com/scr-api", "SCR-API", "scr-api:latest", " scr-api"]
)
def test_a_repository_is_its_name_without_registry(name: str) -> None:
    assert claims.repository(name) == "scr-api"


def test_a_repository_of_a_namespace_keeps_it() -> None:
    assert claims.repository("team/scr-api") == "team/scr-api"


def test_parameters_of_other_platforms_are_found_wherever_they_are(scr_document: dict) -> None:  # type: ignore[type-arg]
    staging = scr_document["spec"]["environments"]["staging"]
    staging["cluster"] = "ssm:/ferryman/shop/production/cluster"
    staging["smokeTests"][0]["headers"] = {"Host": "ssm:/ferryman/operator/host"}
    found = dict(claims.parameters_of_others(parse(scr_document).dump(), "scr"))
    assert found == {
        "spec.environments.staging.cluster": "shop",
        "spec.environments.staging.smokeTests.0.headers.Host": "operator",
    }


def test_a_document_that_can_t_be_parsed_still_owns_what_it_says() -> None:
    found = claims.unread(
        {
            "spec": {
                "components": {
                    "api": {"repository": "12.dkr.ecr.eu-west-1.amazonaws.com/shop-api"},
                    "web": 7,
                },
                "environments": {
                    "production": {
                        "cluster": f"{ECS}:cluster/shop",
                        "color": "red",
                        "waves": [{"services": [{"name": "api", "baseTaskDefinition": "shop-api:3"}, "?"]}, None],
                        "movingTags": ["live"],
                    },
                    "staging": {"cluster": "ssm:/ferryman/shop/cluster", "waves": [{"services": [{"name": "api"}]}]},
                    "broken": None,
                },
            }
        }
    )
    owned = {name: [claim.thing for claim in part.claims] for name, part in found.environments.items()}
    assert owned["production"][:2] == ["service:shop/api", "family:shop-api"]
    assert owned["staging"] == ["service:?/api"]
    assert not any(part.complete for part in found.environments.values())
    assert found.tags["production"] == ("live", "production-current", "production-previous")
    assert found.repositories[0] == "shop-api"
