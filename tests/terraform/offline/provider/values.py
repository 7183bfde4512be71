"""Planning, applying and reading without AWS: walks a value along its schema block."""

from collections import Counter
from collections.abc import Callable
from threading import Lock
from typing import Any
from zlib import crc32

import policy
import replaces
from fakes import NAME_IDS, Faker, Provider
from wire import UNKNOWN, is_unknown

Values = dict[str, Any]

_seen: Counter[str] = Counter()
_lock = Lock()


def walk(block: Any, value: Any, attribute: Callable[[str, str, Any, Any], Any]) -> Any:
    """Copy of an object value with attribute(name, flags, type, value) applied to every attribute of every block."""
    if value is None or is_unknown(value):
        return value
    out = {n: attribute(n, flags, typ, value.get(n)) for n, (flags, typ) in block.get("a", {}).items()}
    for n, (nesting, _, _, inner) in block.get("b", {}).items():
        v = value.get(n)
        if nesting == "single" or is_unknown(v):
            out[n] = walk(inner, v, attribute)
        else:
            out[n] = [walk(inner, e, attribute) for e in v or ()]
    return out


def plan(type_name: str, block: Any, prior: Any, proposed: Any, config: Values, provider: Provider) -> Values:
    """Computed attributes that the configuration leaves open are unknown in a new resource, and stay in an old one."""
    create = prior is None

    def attribute(_name: str, flags: str, _type: Any, v: Any) -> Any:
        if "w" in flags:
            return None
        return UNKNOWN if v is None and "c" in flags and create else v

    out: Values = walk(block, proposed, attribute)
    # what the real provider, too, knows at plan time
    attrs = block.get("a", {})
    if attrs.get("region") == ["oc", "string"] and config["region"] is None:
        out["region"] = provider["region"]
    if "tags_all" in attrs and "tags" in attrs and config["tags_all"] is None:
        out["tags_all"] = merge_tags(provider["default_tags"], config["tags"]) or (UNKNOWN if create else {})
    if type_name == "aws_acm_certificate" and create and config["validation_method"] == "DNS":
        out["domain_validation_options"] = validation_options(
            attrs, config["domain_name"], config["subject_alternative_names"]
        )
    return out


def merge_tags(defaults: Any, tags: Any) -> Any:
    """The tags of a resource with the provider's defaults."""
    if is_unknown(tags) or is_unknown(defaults):
        return UNKNOWN
    return {**(defaults or {}), **(tags or {})}


def validation_options(attrs: Values, domain: Any, alternatives: Any) -> Any:
    """One record per domain name, so that for_each over them works before there is a certificate."""
    if any(map(is_unknown, [domain, alternatives, *(alternatives if isinstance(alternatives, list) else ())])):
        return UNKNOWN
    record = dict.fromkeys(attrs["domain_validation_options"][1][1][1], UNKNOWN)
    return [record | {"domain_name": n} for n in sorted({domain, *(alternatives or ())})]


def apply(type_name: str, block: Any, planned: Values, provider: Provider) -> Any:
    """The planned values with something made up for each unknown."""
    known = {k: v for k, v in planned.items() if not is_unknown(v)}
    with _lock:  # two equal resources still get different ids
        _seen[key := repr((type_name, known))] += 1
        faker = Faker(type_name, known, provider, _seen[key] - 1)
    return walk(block, planned, lambda n, flags, typ, v: resolve(faker, n, typ, v, flags))


def resolve(faker: Faker, name: str, typ: Any, value: Any, flags: str = "c") -> Any:
    """Replace unknowns, also those inside collections and objects."""
    if is_unknown(value):
        return faker.value(name, typ, flags)
    if isinstance(typ, list) and value is not None:
        kind, inner = typ
        if kind == "object":
            return {k: resolve(faker, k, t, value.get(k)) for k, t in inner.items()}
        if kind == "map":
            return {k: resolve(faker, k, inner, v) for k, v in value.items()}
        return [resolve(faker, name, inner, v) for v in value]
    return value


def imported(type_name: str, block: Any, resource_id: str, provider: Provider) -> Any:
    """The state of an existing resource, of which only the id is known."""
    attrs = block.get("a", {})
    known = {"id": resource_id} if "id" in attrs else {}
    if name := next((n for n in NAME_IDS if n in attrs and not resource_id.startswith("arn:")), None):
        known[name] = resource_id
    known |= replaces.from_id(type_name, resource_id)
    faker = Faker(type_name, known, provider)
    empty = dict.fromkeys(attrs) | {n: None if b[0] == "single" else [] for n, b in block.get("b", {}).items()}
    return walk(
        block, empty, lambda n, flags, typ, v: known.get(n) or (faker.value(n, typ, flags) if "c" in flags else None)
    )


def read_data(type_name: str, block: Any, config: Values, provider: Provider) -> Values:
    """The values of a data source.

    Raises:
        policy.PolicyError: an aws_iam_policy_document can't be made.
    """
    special = SPECIAL[type_name](config, provider) if type_name in SPECIAL else {}
    faker = Faker(type_name, config, provider)

    def attribute(name: str, flags: str, typ: Any, v: Any) -> Any:
        return faker.value(name, typ, flags) if v is None and "c" in flags else v

    out: Values = walk(block, config, attribute)
    return out | {k: v for k, v in special.items() if k in out}


def _identity(config: Values, p: Provider) -> Values:
    arn = f"arn:{p['partition']}:iam::{p['account']}:user/offline"
    return {"account_id": p["account"], "id": p["account"], "arn": arn, "user_id": "AIDAOFFLINEOFFLINE000"}


def _region(config: Values, p: Provider) -> Values:
    name = config.get("region") or config.get("name") or p["region"]
    return {"id": name, "name": name, "region": name, "description": name, "endpoint": f"ec2.{name}.{p['suffix']}"}


def _zones(config: Values, p: Provider) -> Values:
    region = config.get("region") or p["region"]
    excluded = config.get("exclude_names") or []
    letters = [z for z in "abc" if region + z not in excluded]
    short = "".join(w[0] if w.isalpha() and len(w) > 2 else w for w in region.split("-"))
    return {
        "id": region,
        "names": [region + z for z in letters],
        "group_names": [region],
        "zone_ids": [f"{short}-az{'abc'.index(z) + 1}" for z in letters],
    }


def _partition(config: Values, p: Provider) -> Values:
    return {
        "id": p["partition"],
        "partition": p["partition"],
        "dns_suffix": p["suffix"],
        "reverse_dns_prefix": ".".join(reversed(p["suffix"].split("."))),
    }


def _policy_document(config: Values, p: Provider) -> Values:
    pretty, minified = policy.render(config)
    return {
        "json": pretty,
        "minified_json": minified,
        "id": str(crc32(pretty.encode())),
        "version": config.get("version") or "2012-10-17",
    }


SPECIAL: dict[str, Callable[[Values, Provider], Values]] = {
    "aws_caller_identity": _identity,
    "aws_region": _region,
    "aws_availability_zones": _zones,
    "aws_partition": _partition,
    "aws_iam_policy_document": _policy_document,
    "aws_default_tags": lambda c, p: {"tags": p["default_tags"] or {}, "id": p["partition"]},
    "aws_elb_service_account": lambda c, p: {
        "arn": f"arn:{p['partition']}:iam::127311923021:root",
        "id": "127311923021",
    },
    "aws_service_principal": lambda c, p: {"name": f"{c['service_name']}.amazonaws.com", "suffix": "amazonaws.com"},
}
