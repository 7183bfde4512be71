#!/usr/bin/env python3
"""Derive the hashicorp/aws provider schema from the unpacked npm package @cdktn/provider-aws.

    extract.py PACKAGE_DIR [OUT.json.gz]

Only facts are taken (names, types, required/optional/computed, nesting); no code, no prose.

Output: {"version", "provider": BLOCK, "resources/TYPE": BLOCK, "data_sources/TYPE": BLOCK, "ephemeral/TYPE": BLOCK},
one entry a line, so that a reader can pick out a few entries without parsing all.
  BLOCK = {"a": {name: [FLAGS, TYPE]}, "b": {name: [NESTING, MIN, MAX, BLOCK]}}
  FLAGS = letters of r(equired) o(ptional) c(omputed) s(ensitive) w(rite-only)
  TYPE  = Terraform's JSON type notation: "string", ["list", "string"], ["object", {...}], "dynamic"
  NESTING = "list" | "set" | "single";  MAX 0 = no limit
"""

import json
import re
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

Hcl = dict[str, tuple[str, str, str]]  # attribute -> value, type, storage class type

KINDS = {
    "Resource": "resources",
    "DataSource": "data_sources",
    "EphemeralResource": "ephemeral",
    "Provider": "provider",
}
CLASS = re.compile(r"^class (\w+) extends cdktn\.(?:Terraform)?(\w+) \{\n(.*?)^\}", re.MULTILINE | re.DOTALL)
STRUCT = re.compile(r"^function (\w+)ToHclTerraform\(struct\) \{\n(.*?)^\}", re.MULTILINE | re.DOTALL)
HCL = re.compile(
    r'^ +(\w+): \{\n +value: (.*),\n +isBlock: \w+,\n +type: "(\w+)",\n +storageClassType: "([^"]+)"', re.MULTILINE
)
FLAG = re.compile(r"^    // (\w+) - computed: (\w+), optional: (\w+), required: (\w+)\n", re.MULTILINE)
FIELD = re.compile(r'= new (?:\w+\.)?(\w+?)(List|OutputReference|Map)\(this, "\w+"(?:, (true|false))?\)')
GETTER = re.compile(r"get \w+\(\) \{\n        return (.*);")
GETTERS = {  # innermost call of a getter -> (element or whole type)
    "getStringAttribute": "string",
    "getNumberAttribute": "number",
    "getBooleanAttribute": "bool",
    "getListAttribute": ["list", "string"],
    "getNumberListAttribute": ["list", "number"],
    "getStringMapAttribute": ["map", "string"],
    "getNumberMapAttribute": ["map", "number"],
    "getBooleanMapAttribute": ["map", "bool"],
}
STORAGE = {"string": "string", "number": "number", "boolean": "bool", "any": "dynamic"}
LOGICAL_STATEMENTS = "and_statement", "or_statement", "not_statement"
TOP_LEVEL_STATEMENTS = "managed_rule_group_statement", "rule_group_reference_statement", "rate_based_statement"
# Sensitive flags are not in the bindings. Well-known ones, as type.path; write-only ones are added by name.
SENSITIVE = {
    "resources": """
        aws_acm_certificate.private_key aws_api_gateway_api_key.value aws_cognito_user_pool_client.client_secret
        aws_alb_listener.default_action.authenticate_oidc.client_secret
        aws_alb_listener_rule.action.authenticate_oidc.client_secret
        aws_lb_listener.default_action.authenticate_oidc.client_secret
        aws_lb_listener_rule.action.authenticate_oidc.client_secret
        aws_cloudwatch_event_connection.auth_parameters.api_key.value
        aws_cloudwatch_event_connection.auth_parameters.basic.password
        aws_cloudwatch_event_connection.auth_parameters.oauth.client_parameters.client_secret
        aws_codebuild_source_credential.token aws_db_instance.password aws_docdb_cluster.master_password
        aws_elasticache_replication_group.auth_token aws_elasticache_user.passwords aws_iam_access_key.secret
        aws_iam_access_key.ses_smtp_password_v4 aws_iam_server_certificate.private_key aws_kms_ciphertext.plaintext
        aws_mq_broker.user.password
        aws_opensearch_domain.advanced_security_options.master_user_options.master_user_password
        aws_rds_cluster.master_password aws_redshift_cluster.master_password
        aws_secretsmanager_secret_version.secret_binary aws_secretsmanager_secret_version.secret_string
        aws_ssm_parameter.value""",
    "data_sources": """
        aws_api_gateway_api_key.value aws_cognito_user_pool_client.client_secret
        aws_ecr_authorization_token.authorization_token aws_ecr_authorization_token.password
        aws_eks_cluster_auth.token aws_secretsmanager_secret_version.secret_binary
        aws_secretsmanager_secret_version.secret_string aws_ssm_parameter.value""",
}


def mark_sensitive(schema: Any) -> None:
    """Add the flag s to what SENSITIVE lists."""
    for kind, paths in SENSITIVE.items():
        for path in paths.split():
            typ, *steps, attr = path.split(".")
            block = schema[kind][typ]
            for step in steps:
                block = block["b"][step][3]
            block["a"][attr][0] += "s"


def storage_type(hcl_type: str, storage: str) -> Any:
    """'stringList' with type 'set' -> ["set", "string"]; 'stringMapMap' -> map of maps."""
    outer: list[str] = []
    while m := re.fullmatch(r"(\w+)(List|Map)", storage):
        storage = m[1]
        outer.append(m[2].lower())
    typ: Any = STORAGE[storage]
    for i, kind in reversed(list(enumerate(outer))):
        typ = ["set" if kind == "list" and i == 0 and hcl_type == "set" else kind, typ]
    return typ


def match(pattern: str | re.Pattern[str], text: str) -> re.Match[str]:
    """The first match.

    Raises:
        ValueError: there is none; the bindings are not what this was written for.
    """
    if found := re.search(pattern, text):
        return found
    raise ValueError(f"no {pattern} in {text[:200]}")


def hcl_entries(code: str) -> Hcl:
    """What the code that writes HCL tells of each attribute."""
    return {m[1]: (m[2], m[3], m[4]) for m in HCL.finditer(code)}


class Package:
    """The bindings of one resource, data source, ephemeral resource or provider."""

    def __init__(self, text: str) -> None:
        self.classes = {m[1]: (m[2], m[3]) for m in CLASS.finditer(text)}
        self.hcl = {m[1]: hcl_entries(m[2]) for m in STRUCT.finditer(text)}

    def members(self, name: str) -> Iterator[tuple[str, str, str, Any]]:
        """(attribute name, flags, rest of its code, hcl facts or None) of a class."""
        kind, body = self.classes[name]
        hcl = hcl_entries(body)
        if kind == "ComplexObject":
            base = name.removesuffix("OutputReference")
            hcl = self.hcl.get(base[0].lower() + base[1:], {})
        marks = list(FLAG.finditer(body))
        for m, nxt in zip(marks, [*marks[1:], None], strict=False):
            computed, optional, required = (v == "true" for v in m.groups()[1:])
            flags = ("r" if required else "") + ("o" if optional else "") + ("c" if computed else "")
            yield m[1], flags, body[m.end() : nxt.start() if nxt else None], hcl.get(m[1])

    def object_type(self, ref: str) -> Any:
        """The type of an attribute that is an object."""
        return ["object", {n: self.attr_type(code, hcl) for n, _, code, hcl in self.members(ref)}]

    def attr_type(self, code: str, hcl: Any) -> Any:
        """The type of an attribute."""
        if f := FIELD.search(code):
            base, kind, is_set = f.groups()
            if base in ("String", "Boolean", "Number"):  # cdktn.StringMap and the like
                return ["map", STORAGE[base.lower()]]
            obj = self.object_type(base + "OutputReference")
            return {"OutputReference": obj, "Map": ["map", obj], "List": ["set" if is_set == "true" else "list", obj]}[
                kind
            ]
        getter = match(GETTER, code)[1]
        if typ := GETTERS.get(match(r"this\.(\w+)", getter)[1]):
            return ["set", typ[1]] if "Fn.tolist" in getter else typ
        return storage_type(hcl[1], hcl[2]) if hcl else "dynamic"

    def block(self, name: str) -> Any:
        """The schema of a class."""
        attrs: dict[str, Any] = {}
        blocks: dict[str, Any] = {}
        for n, flags, code, hcl in self.members(name):
            f = FIELD.search(code)
            if n in LOGICAL_STATEMENTS:
                continue
            if nested := f and self.nested_block(f, flags, hcl):
                blocks[n] = nested
            else:
                if n.endswith("_wo") and "c" not in flags:
                    flags += "sw"
                attrs[n] = [flags, self.attr_type(code, hcl)]
        return make_block(attrs, blocks)

    def nested_block(self, field: re.Match[str], flags: str, hcl: Any) -> Any:
        """A nested block is never computed. Lists carry an is-block mark as the mapper's second
        argument; a single reference is a list/set block with max_items 1, or a 'struct' block."""
        base, kind, _ = field.groups()
        if "c" in flags or not hcl or kind == "Map":
            return None
        value, hcl_type, _ = hcl
        if kind == "List" and not re.search(r"listMapperHcl\(\w+(\.\w+)?, true\)", value):
            return None
        single = hcl_type == "struct"
        return [
            "single" if single else hcl_type,
            int("r" in flags),
            int(kind == "OutputReference" and not single),
            self.block(base + "OutputReference"),
        ]

    def provider_block(self, hcl: Hcl) -> Any:
        """The provider's arguments have no reference classes; all of them are optional."""
        attrs: dict[str, Any] = {}
        blocks: dict[str, Any] = {}
        for n, (value, hcl_type, storage) in hcl.items():
            if m := re.search(r"(\w+)ToHclTerraform, true\)", value):
                blocks[n] = [hcl_type, 0, 0, self.provider_block(self.hcl[m[1]])]
            elif n != "alias":
                attrs[n] = ["o", storage_type(hcl_type, storage)]
        return make_block(attrs, blocks)


def waf_statement(base: Any, level: int, top: bool = True) -> Any:
    """The recursion of WAFv2 statements, as many levels of and/or/not deep as asked.

    The bindings fold it in aws_wafv2_web_acl_rule, and leave it out in aws_wafv2_web_acl and aws_wafv2_rule_group.
    """
    keep = {n: b for n, b in base["b"].items() if top or n not in TOP_LEVEL_STATEMENTS}
    for n, (nesting, low, high, inner) in list(keep.items()):
        if "scope_down_statement" in inner.get("b", {}):
            scope = ["list", 0, 1, waf_statement(base, level - 1, False)]
            keep[n] = [nesting, low, high, inner | {"b": inner["b"] | {"scope_down_statement": scope}}]
    for n in LOGICAL_STATEMENTS if level else ():
        keep[n] = ["list", 0, 1, {"b": {"statement": ["list", 1, 0, waf_statement(base, level - 1, False)]}}]
    return {"b": keep}


def graft_waf(resources: Any) -> None:
    """Put the WAFv2 statements in."""
    base = resources["aws_wafv2_web_acl_rule"]["b"]["statement"][3]
    for typ in ("aws_wafv2_web_acl_rule", "aws_wafv2_web_acl", "aws_wafv2_rule_group"):
        block, high = resources[typ], 0
        if typ != "aws_wafv2_web_acl_rule":
            block, high = block["b"]["rule"][3], 1
            del block["a"]["statement"]
        block["b"]["statement"] = ["list", high, high, waf_statement(base, 3)]


def make_block(attrs: dict[str, Any], blocks: dict[str, Any]) -> dict[str, Any]:
    """A BLOCK, without what is empty."""
    return {k: v for k, v in (("a", attrs), ("b", blocks)) if v}


def main(package: str, out: str = "schema/aws.json.gz") -> None:
    """Write the schema of an unpacked package."""
    lib = Path(package) / "lib"
    schema: dict[str, Any] = {"version": None, "provider": None, "resources": {}, "data_sources": {}, "ephemeral": {}}
    for folder in sorted(p for p in lib.iterdir() if p.is_dir()):
        files = [*sorted(folder.glob("index-structs/structs*.js")), folder / "index.js"]
        text = "\n".join(f.read_text().split("\n//# sourceMappingURL")[0] for f in files)
        pkg = Package(text)
        for name, (kind, body) in pkg.classes.items():
            if kind == "Provider":
                schema["provider"] = pkg.provider_block(hcl_entries(body))
                schema["version"] = match(r"providerVersion: '([\d.]+)'", body)[1]
            elif kind in KINDS:
                typ = match(r'static tfResourceType = "(\w+)"', body)[1]
                schema[KINDS[kind]][typ] = pkg.block(name)
    graft_waf(schema["resources"])
    mark_sensitive(schema)
    entries = {"version": schema["version"], "provider": schema["provider"]}
    entries |= {
        f"{kind}/{typ}": block for kind in KINDS.values() if kind != "provider" for typ, block in schema[kind].items()
    }
    lines = (f'"{k}":' + json.dumps(v, separators=(",", ":"), sort_keys=True) for k, v in sorted(entries.items()))
    text = "{\n" + ",\n".join(lines) + "\n}\n"
    # wbits 31 is gzip, without a time and alike in every version of Python: the same package gives the same bytes.
    Path(out).write_bytes(zlib.compress(text.encode(), 9, wbits=31))
    print({k: len(v) for k, v in schema.items() if k != "version"}, "version", schema["version"])


if __name__ == "__main__":
    main(*sys.argv[1:])
