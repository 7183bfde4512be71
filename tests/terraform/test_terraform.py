"""Terraform itself: formatted, valid, planned without a warning, tested, and telling people what is allowed."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2] / "terraform"
FOLDERS = sorted({file.parent for file in ROOT.glob("**/versions.tf") if ".terraform" not in file.parts})
IDS = [str(folder.relative_to(ROOT)) for folder in FOLDERS]
SOURCES = sorted(file for file in ROOT.glob("**/*.tf") if ".terraform" not in file.parts)

Plan = Callable[[str], dict[str, Any]]
CERTIFICATE = "acm_certificate_arn=arn:aws:acm:eu-west-1:123456789012:certificate/01234567-89ab-cdef-0123-456789abcdef"


def resources(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Every resource that a plan makes, of all modules."""
    waiting = [plan["planned_values"]["root_module"]]
    while waiting:
        module = waiting.pop()
        yield from (item for item in module.get("resources", []) if item["mode"] == "managed")
        waiting += module.get("child_modules", [])


def test_formatted(terraform: Any) -> None:
    done = terraform.run(ROOT, "fmt", "-check", "-recursive", "-no-color")
    assert done.returncode == 0, f"not formatted (terraform fmt -recursive terraform): {done.stdout}"


def test_there_is_something_to_test() -> None:
    assert {"shared", "platform", "environment", "modules/ecs", "modules/network"} <= set(IDS)
    untested = [name for name, folder in zip(IDS, FOLDERS, strict=True) if not list(folder.glob("tests/*.tftest.hcl"))]
    assert untested == []


def test_each_folder_has_the_usual_files() -> None:
    for folder in FOLDERS:
        missing = [n for n in ("main.tf", "variables.tf", "outputs.tf", "versions.tf") if not (folder / n).exists()]
        assert not missing, f"{folder}: {missing}"
        assert 'required_version = ">= 1.11, < 2.0"' in (folder / "versions.tf").read_text()
        if folder.name != "names":
            assert 'version = "~> 6.66"' in (folder / "versions.tf").read_text()


@pytest.mark.parametrize("folder", FOLDERS, ids=IDS)
def test_valid(terraform: Any, folder: Path) -> None:
    with terraform.alone(folder):
        terraform.initialise(folder)
        assert "The configuration is valid" in terraform.clean(folder, "validate", "-no-color")


@pytest.mark.parametrize("folder", FOLDERS, ids=IDS)
def test_its_own_tests(planner: Any, folder: Path) -> None:
    with planner.alone(folder):
        planner.initialise(folder)
        told = planner.clean(folder, "test", "-no-color")
    assert re.search(r"Success! [1-9]\d* passed, 0 failed", told), told


def test_nothing_is_applied_by_a_test() -> None:
    for file in ROOT.glob("**/*.tftest.hcl"):
        runs = re.findall(r'^run "\w+" \{\n  command = (\w+)', file.read_text(), re.MULTILINE)
        assert len(runs) == file.read_text().count("\nrun "), file
        assert set(runs) == {"plan"}, f"{file}: with a real terraform anything else would make real resources"


@pytest.mark.parametrize("name", ["shared", "platform", "staging", "production"])
def test_plans(plan: Plan, name: str) -> None:
    planned = plan(name)
    assert planned["errored"] is False
    assert all(change["change"]["actions"] in (["create"], ["read"]) for change in planned["resource_changes"])


# What is typed → what a person must be told: which variable, and what would be right.
REFUSED = {
    "prod": (["environment=prod", CERTIFICATE], "environment must be staging or production, written in full"),
    "no certificate": ([], "acm_certificate_arn is required: the ARN of an issued ACM certificate in eu-west-1"),
    "certificate elsewhere": (["aws_region=eu-central-1", CERTIFICATE], "acm_certificate_arn must be in eu-central-1"),
    "no such size": (
        ["db_instance_class=db.t4g.huge", CERTIFICATE],
        "db.t4g.huge does not exist. This family has the sizes: micro, small, medium, large, xlarge, 2xlarge.",
    ),
    "no such family": (["db_instance_class=db.z9.large", CERTIFICATE], "one of these families: m6g, m6i, m7g"),
    "no such node": (
        ["redis_node_type=cache.t4g.large", CERTIFICATE], "t4g.large does not exist. This family has the sizes:",
    ),
    "memory": (["api_memory=512", CERTIFICATE], "that Fargate supports with api_cpu 512: 1024, 2048, 3072, 4096 MiB"),
    "small range": (["vpc_cidr=10.20.0.0/26", CERTIFICATE], "must be from /16 (65,536 addresses) to /22 (1,024)"),
    "overlap": (
        ["vpc_cidr=10.30.0.0/16", CERTIFICATE], "10.30.0.0/16 must not overlap with any of peer_cidrs (10.30.0.0/16)",
    ),
    "overlap with an office": (
        ['peer_cidrs=["10.0.0.0/8"]', CERTIFICATE],
        "must not overlap with any of peer_cidrs (10.0.0.0/8, 10.30.0.0/16)",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("variables", "told"), REFUSED.values(), ids=REFUSED)
def test_bad_input_is_refused_with_a_sentence(planner: Any, plan: Plan, variables: list[str], told: str) -> None:
    plan("staging")  # initialised
    folder = ROOT / "environment"
    with planner.alone(folder):
        done = planner.run(folder, "plan", "-no-color", *(f"-var={variable}" for variable in variables))
    assert done.returncode != 0
    # Terraform breaks lines and draws a border.
    plain = re.sub(r"[\s│]+", " ", done.stdout + done.stderr)
    assert told in plain, plain


SECRET_PLACES = {
    "aws_db_instance": ["password", "password_wo"],
    "aws_elasticache_replication_group": ["auth_token", "auth_token_wo"],
    "aws_secretsmanager_secret_version": ["secret_string", "secret_binary", "secret_string_wo"],
    "aws_ssm_parameter": ["value", "value_wo"],
}


@pytest.mark.parametrize("name", ["shared", "platform", "staging", "production"])
def test_no_plan_holds_a_secret(plan: Plan, name: str) -> None:
    for item in resources(plan(name)):
        for place in SECRET_PLACES.get(item["type"], []):
            assert item["values"].get(place) is None, f"{item['address']}.{place}"
        assert item["type"] not in ("random_password", "aws_iam_access_key", "tls_private_key"), item["address"]
        if item["type"] == "aws_ssm_parameter":
            assert item["values"]["type"] in ("String", "StringList"), item["address"]


@pytest.mark.parametrize("name", ["shared", "platform", "staging", "production"])
def test_everything_is_tagged(plan: Plan, name: str) -> None:
    taggable = [item for item in resources(plan(name)) if "tags_all" in item["values"]]
    assert len(taggable) > 10
    # What is in shared belongs to no platform.
    wanted = {"ManagedBy", "Root"} | ({"Platform"} if name != "shared" else set())
    for item in taggable:
        assert wanted <= set(item["values"]["tags_all"]), item["address"]
        if name in ("staging", "production"):
            assert item["values"]["tags_all"]["Environment"] == name


@pytest.mark.parametrize("name", ["staging", "production"])
def test_the_internet_reaches_the_load_balancer_only(plan: Plan, name: str) -> None:
    open_rules = {
        (item["address"].split("[")[0], item["values"]["from_port"], item["values"]["to_port"])
        for item in resources(plan(name))
        if item["type"] == "aws_vpc_security_group_ingress_rule" and item["values"]["cidr_ipv4"]
    }
    alb = "module.network.aws_vpc_security_group_ingress_rule.alb"
    assert open_rules == {(alb, 80, 80), (alb, 443, 443)}
    for item in resources(plan(name)):
        # Rules inside a group, or the older kind of rule, would escape the check above.
        assert item["type"] != "aws_security_group_rule"
        if item["type"] == "aws_security_group":
            assert not item["values"].get("ingress")
            assert not item["values"].get("egress")


@pytest.mark.parametrize("name", ["staging", "production"])
def test_buckets_are_closed_and_logs_end(plan: Plan, name: str) -> None:
    made = list(resources(plan(name)))
    count = {kind: sum(item["type"] == kind for item in made) for kind in {item["type"] for item in made}}
    assert count["aws_s3_bucket"] == count["aws_s3_bucket_public_access_block"] == 2
    kept = {item["values"]["retention_in_days"] for item in made if item["type"] == "aws_cloudwatch_log_group"}
    assert kept == {14 if name == "staging" else 90}


# Of each kind that can stop a destroy, keep its name from being used again or lose something for good: the attribute
# that decides, its value where everything can be remade, and where it is protected.
DESTROYED = {
    "aws_cloudwatch_log_group": ("deletion_protection_enabled", False, True),
    "aws_db_instance": ("deletion_protection", False, True),
    "aws_ecr_repository": ("force_delete", None, False),
    "aws_elasticache_replication_group": ("final_snapshot_identifier", None, "scr-production-final"),
    "aws_kms_key": ("deletion_window_in_days", 7, 30),
    "aws_lb": ("enable_deletion_protection", False, True),
    "aws_s3_bucket": ("force_destroy", True, False),
    "aws_secretsmanager_secret": ("recovery_window_in_days", 0, 30),
}


@pytest.mark.parametrize("name", ["shared", "platform", "staging", "production"])
def test_staging_can_be_destroyed_and_made_again_and_everything_else_is_protected(plan: Plan, name: str) -> None:
    seen = set()
    for item in resources(plan(name)):
        if item["type"] in DESTROYED:
            seen.add(item["type"])
            attribute, open_, protected = DESTROYED[item["type"]]
            wanted = open_ if name == "staging" else protected
            assert item["values"].get(attribute) == wanted, f"{item['address']}.{attribute}"
    if name in ("staging", "production"):
        assert seen == DESTROYED.keys() - {"aws_ecr_repository"}
    if name == "platform":
        assert seen == {"aws_ecr_repository", "aws_secretsmanager_secret"}


def test_stars_and_open_ranges_have_a_reason_beside_them() -> None:
    bare = []
    for file in SOURCES:
        lines = file.read_text().splitlines()
        for number, line in enumerate(lines):
            star = re.search(r'resources\s*=\s*\["\*"\]', line)
            everywhere = '"0.0.0.0/0"' in line
            if star or everywhere:
                # On the line, or in a comment directly above it or above the block it stands in.
                block = next(i for i in range(number, -1, -1) if re.match(r"(resource|data|  statement)\b", lines[i]))
                near = lines[max(0, block - 1) : number + 1]
                if not any("#" in part.split('"0.0.0.0/0"')[-1] and "checkov" not in part for part in near):
                    bare.append(f"{file.name}:{number + 1}: {line.strip()}")
    assert bare == []


def test_services_leave_to_the_operator_what_is_its() -> None:
    text = (ROOT / "modules/ecs/services.tf").read_text()
    ignored = re.search(r"ignore_changes = \[(.*?)\n    \]", text, re.DOTALL)
    assert ignored
    entries = {line.strip().split(",")[0]: line for line in ignored[1].strip().splitlines()}
    assert set(entries) == {"task_definition", "desired_count"}
    assert all("#" in line for line in entries.values()), "each with its reason beside it"


def test_suppressions_have_reasons() -> None:
    found = [line for file in SOURCES for line in file.read_text().splitlines() if "checkov:skip" in line]
    assert found
    assert [line for line in found if not re.search(r"#checkov:skip=CKV2?_[A-Z]+_\d+:.{20,}", line)] == []
