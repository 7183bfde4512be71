"""Two worlds, one set of names: what Terraform makes, and what the operator and its platform document count on.

Names are compared as Terraform plans them: `shared` writes the operator's lists from the naming conventions, before a
platform or an environment is there, and here they are held against what `platform` and `environment` really make.
"""

import fnmatch
import json
import random
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from contract.template import functions, statements, template
from ferryman.access import Role
from ferryman.access.grants import parameter_name
from ferryman.access.grants import parse as parse_grants
from ferryman.platform import Platform, TagKind, classify, parse
from ferryman.platform.tags import current_tag, moving_tags, previous_tag
from ferryman.steps import verify

ROOT = Path(__file__).parents[2]
ENVIRONMENTS = ["staging", "production"]
ROOTS = ["shared", "platform", *ENVIRONMENTS]
ACCOUNT, REGION = "123456789012", "eu-west-1"

Plan = Callable[[str], dict[str, Any]]
Raw = dict[str, Any]


@pytest.fixture(scope="module")
def document() -> Platform:
    return parse(example())


def example() -> Raw:
    found: Raw = yaml.safe_load((ROOT / "examples/scr-platform/platform.yaml").read_text())
    return found


def made(plan: Plan, root: str, kind: str, module: str = "") -> list[Raw]:
    """The planned resources of one type, of all modules or of one."""
    found = []
    waiting = [plan(root)["planned_values"]["root_module"]]
    while waiting:
        part = waiting.pop()
        found += [r for r in part.get("resources", []) if r["type"] == kind and r["mode"] == "managed"]
        waiting += part.get("child_modules", [])
    return [item["values"] for item in found if item["address"].startswith(module)]


def parameters(plan: Plan, *roots: str) -> dict[str, Raw]:
    """Every SSM parameter that these roots write."""
    return {p["name"]: p for root in roots for p in made(plan, root, "aws_ssm_parameter")}


def operators_list(plan: Plan, name: str) -> list[str]:
    value: str = parameters(plan, "shared")[f"/ferryman/operator/{name}"]["insecure_value"]
    items = value.split(",")
    assert len(items) == len(set(items)), f"{name} names something twice"
    return items


def covered(patterns: list[str], arns: set[str]) -> set[str]:
    """What the patterns of a policy reach."""
    return {one for one in arns if any(fnmatch.fnmatchcase(one, pattern) for pattern in patterns)}


def arn(service: str, rest: str, region: str = REGION) -> str:
    return f"arn:aws:{service}:{region}:{ACCOUNT}:{rest}"


# ─── The platform document ────────────────────────────────────────────────────────────────────────────────────────────


def references(value: Any) -> Iterator[str]:
    if isinstance(value, str) and value.startswith("ssm:"):
        yield value.removeprefix("ssm:")
    elif isinstance(value, dict):
        for part in value.values():
            yield from references(part)
    elif isinstance(value, list):
        for part in value:
            yield from references(part)


def test_every_reference_of_the_document_is_written(plan: Plan) -> None:
    wanted = set(references(example()))
    assert len(wanted) >= 17
    assert wanted - set(parameters(plan, *ROOTS)) == set()


def test_lists_are_string_lists_and_texts_are_strings(plan: Plan, document: Platform) -> None:
    written = parameters(plan, *ROOTS)
    for name, environment in document.spec.environments.items():
        assert environment.migration is not None
        network = environment.migration.network
        for value in (network.subnets, network.security_groups):
            assert isinstance(value, str), f"{name} copies ids by hand"
            assert written[value.removeprefix("ssm:")]["type"] == "StringList"
        for service in environment.services:
            base = str(service.base_task_definition).removeprefix("ssm:")
            assert written[base]["type"] == "String"
        for check in environment.smoke_tests:
            url = written[check.url.removeprefix("ssm:")]["insecure_value"]
            assert url.startswith("https://"), "a check in AWS needs no allowHttp"


def test_no_parameter_is_written_twice(plan: Plan) -> None:
    names = [p["name"] for root in ROOTS for p in made(plan, root, "aws_ssm_parameter")]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_the_documents_names_are_made(plan: Plan, document: Platform, name: str) -> None:
    environment = document.spec.environments[name]
    assert [c["name"] for c in made(plan, name, "aws_ecs_cluster")] == [environment.cluster]
    assert {s["name"] for s in made(plan, name, "aws_ecs_service")} == {s.name for s in environment.services}
    families = {d["family"] for d in made(plan, name, "aws_ecs_task_definition")}
    bases = {str(s.base_task_definition).rpartition("/")[2] for s in environment.services}
    assert environment.migration is not None
    assert families == bases | {environment.migration.task_definition.rpartition("/")[2]}
    # modules/ecs names containers after components, which is the document's default and the migration's choice.
    assert {s.container_name for s in environment.services} == set(document.spec.components)
    assert environment.migration.container_name == environment.migration.component


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_the_operator_accepts_the_services(plan: Plan, document: Platform, name: str) -> None:
    """`ferryman verify`, the product's own judgement, on what Terraform plans."""
    seen = verify.Survey(
        cluster=arn("ecs", f"cluster/scr-{name}"),
        services={s["name"]: as_described(s) for s in made(plan, name, "aws_ecs_service")},
        bases={},
        migrations={"": verify.SeenMigration(base=None, subnets=["subnet-1"], security_groups=["sg-1"])},
    )
    assert verify.judge(document.spec.environments[name], seen, at=name) == []


def as_described(service: Raw) -> Raw:
    """A planned service as DescribeServices would tell it."""
    breaker = service["deployment_circuit_breaker"][0]
    return {
        "status": "ACTIVE",
        "clusterArn": arn("ecs", "cluster/x"),
        "deploymentController": {"type": service["deployment_controller"][0]["type"]},
        "deploymentConfiguration": {"deploymentCircuitBreaker": breaker},
    }


# ─── The operator's template ──────────────────────────────────────────────────────────────────────────────────────────


def test_every_parameter_of_the_template_is_written_and_none_besides(plan: Plan) -> None:
    wanted = {
        parameter["Default"]: parameter["Type"]
        for parameter in template()["Parameters"].values()
        if parameter["Type"].startswith("AWS::SSM::Parameter::Value")
    }
    written = parameters(plan, "shared", "platform")
    access = parameter_name("scr")
    assert {*wanted, access} == {name for name in written if name.startswith("/ferryman/operator/")}
    for name, kind in wanted.items():
        assert written[name]["type"] == ("StringList" if "List<" in kind else "String"), name


def test_the_operator_understands_the_roles(plan: Plan, document: Platform) -> None:
    """`ferryman.access`, the product's own judgement, on what Terraform plans for the example."""
    written = parameters(plan, "platform")[parameter_name(document.name)]
    granted = parse_grants(written["insecure_value"])
    assert (written["type"], granted.problem) == ("String", "")
    assert {(grant.role, grant.environments) for grant in granted.grants} >= {
        (Role.VIEWER, ("*",)),
        (Role.DEPLOYER, ("staging",)),
        (Role.APPROVER, ("production",)),
    }


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_no_environment_writes_what_is_the_operators(plan: Plan, name: str) -> None:
    assert all(it.startswith(f"/ferryman/scr/{name}/") for it in parameters(plan, name))


def test_the_operator_may_read_every_parameter(plan: Plan) -> None:
    readable = {
        resource["Sub"].rpartition(":parameter")[2]
        for properties in functions().values()
        for statement in statements(properties)
        if "ssm:GetParameter" in statement["Action"]
        for resource in [statement["Resource"]]
    }
    assert readable == {"/ferryman/*"}
    assert all(name.startswith("/ferryman/") for name in parameters(plan, *ROOTS))


def test_the_operator_passes_exactly_the_roles_of_the_tasks(plan: Plan) -> None:
    roles = {r["name"] for e in ENVIRONMENTS for r in made(plan, e, "aws_iam_role", "module.ecs.")}
    assert len(roles) == 16
    assert set(operators_list(plan, "pass-role-arns")) == {arn("iam", f"role/{name}", "") for name in roles}
    others = {r["name"] for root in ROOTS for r in made(plan, root, "aws_iam_role")} - roles
    assert others  # flow logs, CI: roles that a task must never get


def test_the_operator_changes_exactly_the_clusters(plan: Plan) -> None:
    clusters = {c["name"] for e in ENVIRONMENTS for c in made(plan, e, "aws_ecs_cluster")}
    assert set(operators_list(plan, "cluster-arns")) == {arn("ecs", f"cluster/{name}") for name in clusters}


def test_the_operator_runs_exactly_the_migrations(plan: Plan, document: Platform) -> None:
    services = {s["name"] for e in ENVIRONMENTS for s in made(plan, e, "aws_ecs_service")}
    families = {d["family"] for e in ENVIRONMENTS for d in made(plan, e, "aws_ecs_task_definition")}
    wanted = {arn("ecs", f"task-definition/{family}:*") for family in families - services}
    assert len(wanted) == len(document.spec.environments)
    assert covered(operators_list(plan, "migration-task-definition-arns"), wanted) == wanted
    others = {arn("ecs", f"task-definition/{family}:*") for family in services}
    assert covered(operators_list(plan, "migration-task-definition-arns"), others) == set()


def test_the_operator_reads_exactly_the_containers_logs(plan: Plan) -> None:
    groups = {
        g["name"] for e in ENVIRONMENTS for g in made(plan, e, "aws_cloudwatch_log_group", "module.observability.")
    }
    assert groups == {f"/ecs/{d['family']}" for e in ENVIRONMENTS for d in made(plan, e, "aws_ecs_task_definition")}
    wanted = {arn("logs", f"log-group:{name}:*") for name in groups}
    others = {arn("logs", f"log-group:{name}:*") for name in ("/vpc/scr-staging", "/ecs/shop-api-staging")}
    assert covered(operators_list(plan, "log-group-arns"), wanted | others) == wanted


def test_the_operator_hears_of_exactly_the_repositories(plan: Plan, document: Platform) -> None:
    names = {r["name"] for r in made(plan, "platform", "aws_ecr_repository")}
    assert names == {component.repository for component in document.spec.components.values()}
    wanted = {arn("ecr", f"repository/{name}") for name in names}
    assert covered(operators_list(plan, "repository-arns"), {*wanted, arn("ecr", "repository/shop-api")}) == wanted


def test_the_operator_reaches_the_channels_that_the_platform_makes(plan: Plan) -> None:
    topics = {arn("sns", t["name"]) for t in made(plan, "platform", "aws_sns_topic")}
    assert set(operators_list(plan, "topic-arns")) == topics
    identities = {
        arn("ses", f"identity/{i['email_identity']}") for i in made(plan, "platform", "aws_sesv2_email_identity")
    }
    assert set(operators_list(plan, "mail-identity-arns")) == identities
    secrets = {s["name"] for s in made(plan, "platform", "aws_secretsmanager_secret")}
    lists = ("webhook", "bot-token", "signing", "github")
    for use, name in zip(("slack-webhook", "slack-bot-token", "slack-signing-secret", "github"), lists, strict=True):
        # Secrets Manager adds a hyphen and six characters.
        reached = covered(
            operators_list(plan, f"{name}-secret-arns"), {arn("secretsmanager", f"secret:{s}-AbCdEf") for s in secrets}
        )
        assert reached == {arn("secretsmanager", f"secret:ferryman/scr/{use}-AbCdEf")}, name


# ─── Tags: what moves, what is protected, what wakes the operator ─────────────────────────────────────────────────────


def test_moving_tags_may_move_and_are_no_events(plan: Plan, document: Platform) -> None:
    [pushed] = [f["Events"]["Pushed"]["Properties"] for name, f in functions().items() if name == "ReceivePush"]
    ignored = set(pushed["Pattern"]["detail"]["image-tag"][0]["anything-but"]["suffix"])
    for repository in made(plan, "platform", "aws_ecr_repository"):
        assert repository["image_tag_mutability"] == "IMMUTABLE_WITH_EXCLUSION"
        filters = [f["filter"] for f in repository["image_tag_mutability_exclusion_filter"]]
        assert {pattern.removeprefix("*") for pattern in filters} == ignored
        for tag in moving_tags(document):
            assert any(fnmatch.fnmatchcase(tag, pattern) for pattern in filters), f"{tag} could never be moved"


def rules(plan: Plan) -> list[Raw]:
    """The lifecycle rules; every repository has the same."""
    texts = {p["policy"] for p in made(plan, "platform", "aws_ecr_lifecycle_policy")}
    assert len(texts) == 1
    found: list[Raw] = json.loads(texts.pop())["rules"]
    return found


def test_ecr_takes_the_rules(plan: Plan) -> None:
    found = rules(plan)
    numbers = [rule["rulePriority"] for rule in found]
    assert len(set(numbers)) == len(numbers) <= 50
    assert sum(rule["selection"]["tagStatus"] == "untagged" for rule in found) <= 1
    for rule in found:
        if rule["selection"]["tagStatus"] == "tagged":
            assert all(pattern.count("*") <= 4 for pattern in rule["selection"]["tagPatternList"])
        if rule["selection"]["tagStatus"] == "any":
            assert rule["rulePriority"] == max(numbers)


def test_protection_covers_what_the_operator_sets_and_no_release_tag(plan: Plan, document: Platform) -> None:
    patterns = [
        rule["selection"]["tagPatternList"]
        for rule in rules(plan)
        if rule["selection"]["tagStatus"] == "tagged" and rule["selection"]["countNumber"] >= 9999
    ]
    assert all(len(each) == 1 for each in patterns), "patterns of one rule must all match"
    protected = [each[0] for each in patterns]

    def covered(tag: str) -> bool:
        return any(fnmatch.fnmatchcase(tag, pattern) for pattern in protected)

    for tag in [*moving_tags(document), "v1.2.3", "v10.0.0-rc.1"]:
        assert covered(tag), tag
        assert classify(tag, document).kind in (TagKind.MOVING, TagKind.SEMVER)
    for sha in shas(random.Random(4), 500):
        assert classify(sha, document).kind == TagKind.VERSION
        assert not covered(sha), "a release tag that is protected would be kept for ever"


# ─── Lifecycle: nothing that is deployed ever expires ─────────────────────────────────────────────────────────────────


@dataclass
class Image:
    """An image or an index in a repository."""

    digest: str
    pushed: datetime
    tags: set[str] = field(default_factory=set)
    children: tuple[str, ...] = ()


def matches(rule: Raw, image: Image) -> bool:
    """Whether an image fulfils a rule's tagging requirements: every pattern by any of its tags."""
    selection = rule["selection"]
    if selection["tagStatus"] == "any":
        return True
    if selection["tagStatus"] == "untagged":
        return not image.tags
    return bool(image.tags) and all(
        any(fnmatch.fnmatchcase(tag, pattern) for tag in image.tags) for pattern in selection["tagPatternList"]
    )


def expired(policy: list[Raw], images: dict[str, Image], now: datetime) -> set[str]:
    """The digests that ECR would delete, by its documented semantics.

    All rules are evaluated on all images, as if none had expired; an image is expired by one rule or none: the first
    whose tagging requirements it fulfils decides, no later one can expire it. Within a rule the youngest are kept. What
    an index refers to is not expired before the index.
    """
    gone: set[str] = set()
    decided: set[str] = set()
    for rule in sorted(policy, key=lambda each: int(each["rulePriority"])):
        selection = rule["selection"]
        matching = sorted((i for i in images.values() if matches(rule, i)), key=lambda i: i.pushed, reverse=True)
        if selection["countType"] == "imageCountMoreThan":
            chosen = matching[selection["countNumber"] :]
        else:
            chosen = [i for i in matching if now - i.pushed > timedelta(days=selection["countNumber"])]
        gone |= {image.digest for image in chosen} - decided
        decided |= {image.digest for image in matching}
    held = {child for image in images.values() if image.digest not in gone for child in image.children}
    return gone - held


class Repository:
    """One repository through a history of pushes, deployments and clean-ups, tagged as the operator tags."""

    def __init__(self, policy: list[Raw], names: list[str]) -> None:
        self.policy, self.names = policy, names
        self.images: dict[str, Image] = {}
        self.deployed: dict[str, list[str]] = {name: [] for name in names}
        self.versions: set[str] = set()
        self.lost: list[str] = []

    def push(self, digest: str, tag: str, now: datetime) -> None:
        """An index with a platform and an attestation, as BuildKit pushes it."""
        children = (f"{digest}/linux", f"{digest}/attestation")
        self.images |= {child: Image(child, now) for child in children}
        self.images[digest] = Image(digest, now, {tag}, children)

    def tag(self, digest: str, tag: str) -> None:
        """A tag is on one image; what is gone can't be tagged."""
        if digest not in self.images:
            return
        for image in self.images.values():
            image.tags.discard(tag)
        self.images[digest].tags.add(tag)

    def deploy(self, name: str, digest: str) -> None:
        """What reconcile does with the moving tags after a deployment."""
        if digest not in self.images:
            return  # the operator finds it gone and says so
        history = self.deployed[name]
        history.append(digest)
        self.tag(digest, f"{name}-latest")
        self.tag(digest, current_tag(name))
        if len(history) > 1:
            self.tag(history[-2], previous_tag(name))

    def needed(self) -> set[str]:
        """What runs, what one would roll back to, and what has a version; with all that they are made of."""
        roots = {digest for history in self.deployed.values() for digest in history[-2:]} | self.versions
        return roots | {f"{digest}/{part}" for digest in roots for part in ("linux", "attestation")}

    def clean(self, now: datetime) -> None:
        """ECR's clean-up; remembers what it should not have taken."""
        gone = expired(self.policy, self.images, now)
        self.lost += sorted(gone & self.needed())
        for digest in gone:
            del self.images[digest]


def shas(dice: random.Random, count: int) -> list[str]:
    return [f"{dice.getrandbits(160):040x}"[: dice.choice([7, 12, 40])] for _ in range(count)]


def lived(policy: list[Raw], seed: int, pushes: int = 200) -> Repository:
    """Two months: most pushes go to staging, few to production; some are taken back, some get a version."""
    dice = random.Random(seed)
    repository, now = Repository(policy, ENVIRONMENTS), datetime(2026, 1, 5, tzinfo=UTC)
    for number, sha in enumerate(shas(dice, pushes)):
        now += timedelta(hours=dice.uniform(0.2, 14))
        digest = f"sha256:{number:04d}"
        repository.push(digest, sha, now)
        if dice.random() < 0.8:  # else: migration or rollout failed
            repository.deploy("staging", digest)
            if dice.random() < 0.05:
                repository.deploy("production", digest)
                if dice.random() < 0.5:
                    repository.tag(digest, f"v1.{number}.0")
                    repository.versions.add(digest)
            elif dice.random() < 0.1 and len(repository.deployed["staging"]) > 1:
                repository.deploy("staging", repository.deployed["staging"][-2])  # a rollback by hand
        if dice.random() < 0.02 and len(repository.deployed["production"]) > 1:
            repository.deploy("production", repository.deployed["production"][-2])
        repository.clean(now)
    now += timedelta(days=3)
    repository.clean(now)
    return repository


SEEDS = range(10)


@pytest.mark.parametrize("seed", SEEDS)
def test_nothing_deployed_ever_expires(plan: Plan, seed: int) -> None:
    repository = lived(rules(plan), seed)
    assert repository.lost == []
    assert repository.needed() <= set(repository.images)


@pytest.mark.parametrize("seed", SEEDS)
def test_old_releases_and_leftovers_do_expire(plan: Plan, seed: int) -> None:
    repository = lived(rules(plan), seed)
    tagged = [image for image in repository.images.values() if image.tags]
    youngest = sorted(tagged, key=lambda image: image.pushed, reverse=True)[:20]
    kept_by_age = {image.digest for image in youngest}
    for image in tagged:
        assert image.digest in kept_by_age or image.digest in repository.needed(), f"{image} is kept for nothing"
    held = {child for image in tagged for child in image.children}
    assert {image.digest for image in repository.images.values() if not image.tags} == held
    assert len(repository.images) < 200


def test_the_history_is_hard_enough(plan: Plan) -> None:
    """Without protection, or with the mistakes that people make, the same histories lose what runs."""
    right = rules(plan)
    protecting = [rule for rule in right if rule["rulePriority"] < 90]
    expiring = [rule for rule in right if rule["rulePriority"] >= 90]
    all_in_one = {
        **protecting[0],
        "selection": {
            **protecting[0]["selection"],
            "tagPatternList": [rule["selection"]["tagPatternList"][0] for rule in protecting],
        },
    }
    too_late = [{**rule, "rulePriority": rule["rulePriority"] + 200} for rule in protecting]
    for wrong in (expiring, [all_in_one, *expiring], [*expiring, *too_late]):
        assert any(lived(wrong, seed).lost for seed in SEEDS)


def test_each_protecting_rule_is_needed(plan: Plan) -> None:
    """Taking out one rule loses something, but for -latest, which stands on what -current protects already."""
    right = rules(plan)
    for rule in right:
        [pattern] = rule["selection"].get("tagPatternList", [""])
        if pattern in ("*-current", "*-previous", "v*.*.*"):
            rest = [
                each for each in right if each is not rule and each["selection"].get("tagPatternList") != ["*-latest"]
            ]
            assert any(lived(rest, seed).lost for seed in SEEDS), pattern


# ─── CI ───────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_ci_pushes_to_the_documents_repositories_and_can_do_nothing_else(plan: Plan) -> None:
    wanted = {arn("ecr", f"repository/{r['name']}") for r in made(plan, "platform", "aws_ecr_repository")}
    policies = [json.loads(p["policy"]) for p in made(plan, "platform", "aws_iam_role_policy")]
    assert len(policies) == 2
    for policy in policies:
        for statement in policy["Statement"]:
            actions = {statement["Action"]} if isinstance(statement["Action"], str) else set(statement["Action"])
            if actions == {"ecr:GetAuthorizationToken"}:
                continue
            assert all(re.fullmatch(r"ecr:[A-Z]\w+", action) for action in actions)
            assert set(statement["Resource"]) == wanted
