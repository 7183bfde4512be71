"""The part of Terraform's plugin protocol 6 that the stub needs: messages, schema and value encoding."""

import gzip
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgpack
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

SCHEMA_FILE = Path(__file__).parents[1] / "schema/aws.json.gz"
# message: number name type, ...   (* = repeated). A map<string, X> is a repeated entry {1 key, 2 value}. An
# indented line continues the one above.
MESSAGES = """
DynamicValue: 1 msgpack bytes, 2 json bytes
Step: 1 attribute_name string
AttributePath: 1 steps *Step
Diagnostic: 1 severity int32, 2 summary string, 3 detail string, 4 attribute AttributePath
RawState: 1 json bytes
Attribute: 1 name string, 2 type bytes, 4 required bool, 5 optional bool, 6 computed bool, 7 sensitive bool,
    11 write_only bool
Block: 1 version int64, 2 attributes *Attribute, 3 block_types *NestedBlock
NestedBlock: 1 type_name string, 2 block Block, 3 nesting int32, 4 min_items int64, 5 max_items int64
Schema: 1 version int64, 2 block Block
SchemaEntry: 1 key string, 2 value Schema
Parameter: 1 name string, 2 type bytes
Return: 1 type bytes
Function: 1 parameters *Parameter, 3 return_ Return, 4 summary string
FunctionEntry: 1 key string, 2 value Function
FunctionError: 1 text string
Capabilities: 1 plan_destroy bool, 2 get_provider_schema_optional bool
ImportedResource: 1 type_name string, 2 state DynamicValue
GetProviderSchemaResponse: 1 provider Schema, 2 resource_schemas *SchemaEntry,
    3 data_source_schemas *SchemaEntry, 5 provider_meta Schema, 6 server_capabilities Capabilities,
    7 functions *FunctionEntry, 8 ephemeral_resource_schemas *SchemaEntry
ValidateProviderConfigRequest: 1 config DynamicValue
ValidateProviderConfigResponse: 2 diagnostics *Diagnostic
ValidateResourceConfigRequest: 1 type_name string, 2 config DynamicValue
ValidateResourceConfigResponse: 1 diagnostics *Diagnostic
ValidateDataResourceConfigRequest: 1 type_name string, 2 config DynamicValue
ValidateDataResourceConfigResponse: 1 diagnostics *Diagnostic
ValidateEphemeralResourceConfigRequest: 1 type_name string, 2 config DynamicValue
ValidateEphemeralResourceConfigResponse: 1 diagnostics *Diagnostic
UpgradeResourceStateRequest: 1 type_name string, 3 raw_state RawState
UpgradeResourceStateResponse: 1 upgraded_state DynamicValue, 2 diagnostics *Diagnostic
ConfigureProviderRequest: 2 config DynamicValue
ConfigureProviderResponse: 1 diagnostics *Diagnostic
ReadResourceRequest: 1 type_name string, 2 current_state DynamicValue, 3 private bytes
ReadResourceResponse: 1 new_state DynamicValue, 2 diagnostics *Diagnostic, 3 private bytes
PlanResourceChangeRequest: 1 type_name string, 2 prior_state DynamicValue, 3 proposed_new_state DynamicValue,
    4 config DynamicValue, 5 prior_private bytes
PlanResourceChangeResponse: 1 planned_state DynamicValue, 2 requires_replace *AttributePath,
    3 planned_private bytes, 4 diagnostics *Diagnostic
ApplyResourceChangeRequest: 1 type_name string, 3 planned_state DynamicValue, 5 planned_private bytes
ApplyResourceChangeResponse: 1 new_state DynamicValue, 2 private bytes, 3 diagnostics *Diagnostic
ImportResourceStateRequest: 1 type_name string, 2 id string
ImportResourceStateResponse: 1 imported_resources *ImportedResource, 2 diagnostics *Diagnostic
ReadDataSourceRequest: 1 type_name string, 2 config DynamicValue
ReadDataSourceResponse: 1 state DynamicValue, 2 diagnostics *Diagnostic
OpenEphemeralResourceRequest: 1 type_name string, 2 config DynamicValue
OpenEphemeralResourceResponse: 1 diagnostics *Diagnostic, 3 result DynamicValue
RenewEphemeralResourceResponse: 1 diagnostics *Diagnostic
CloseEphemeralResourceResponse: 1 diagnostics *Diagnostic
GetFunctionsResponse: 1 functions *FunctionEntry, 2 diagnostics *Diagnostic
CallFunctionRequest: 1 name string, 2 arguments *DynamicValue
CallFunctionResponse: 1 result DynamicValue, 2 error FunctionError
StopProviderResponse: 1 Error string
Empty:
"""


def _build_messages() -> dict[str, Any]:
    """The message classes by name."""
    field = descriptor_pb2.FieldDescriptorProto
    scalars = {n: getattr(field, f"TYPE_{n.upper()}") for n in ("string", "bytes", "bool", "int32", "int64")}
    file = descriptor_pb2.FileDescriptorProto(name="stub.proto", package="stub", syntax="proto3")
    for line in MESSAGES.replace(",\n    ", ", ").strip().splitlines():
        message, _, fields = line.partition(":")
        added = file.message_type.add(name=message)
        for number, name, kind in (entry.split() for entry in fields.split(",") if entry.strip()):
            label = field.LABEL_REPEATED if kind.startswith("*") else field.LABEL_OPTIONAL
            type_name = kind.removeprefix("*")
            one = added.field.add(name=name, number=int(number), label=label)
            one.type = scalars.get(type_name, field.TYPE_MESSAGE)
            if type_name not in scalars:
                one.type_name = f".stub.{type_name}"
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    names = [message.name for message in file.message_type]
    return {name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"stub.{name}")) for name in names}


MSG = _build_messages()

# ---- values: None, bool, int/float, str, list, dict and msgpack.ExtType for "unknown"
UNKNOWN = msgpack.ExtType(0, b"\x00")


def is_unknown(value: object) -> bool:
    """Whether Terraform will know this value after apply only."""
    return isinstance(value, msgpack.ExtType)


def decode(dynamic: Any) -> Any:
    """The value in a DynamicValue."""
    if dynamic.msgpack:
        return msgpack.unpackb(dynamic.msgpack, raw=False, strict_map_key=False)
    return json.loads(dynamic.json) if dynamic.json else None


def encode(value: Any) -> Any:
    """A DynamicValue."""
    return MSG["DynamicValue"](msgpack=msgpack.packb(value))


def error(summary: str, detail: str = "", attribute: str | None = None) -> Any:
    """A Diagnostic, about one attribute or about all."""
    diagnostic = MSG["Diagnostic"](severity=1, summary=summary, detail=detail)
    if attribute:
        diagnostic.attribute.steps.add(attribute_name=attribute)
    return diagnostic


# ---- schema
NESTING = {"single": 1, "list": 2, "set": 3}


class Schemas:
    """The schema file; entries are parsed when they are asked for (it has one a line)."""

    def __init__(self) -> None:
        lines = gzip.decompress(SCHEMA_FILE.read_bytes()).decode().splitlines()[1:-1]
        self.lines = {key.strip('"'): text.rstrip(",") for key, _, text in (line.partition(":") for line in lines)}
        self._blocks: dict[str, Any] = {}

    def block(self, key: str) -> Any:
        """The block of `resources/TYPE`, `data_sources/TYPE`, `ephemeral/TYPE` or `provider` (see extract.py)."""
        if key not in self._blocks:
            self._blocks[key] = json.loads(self.lines[key])
        return self._blocks[key]


def _block(out: Any, block: Any) -> None:
    """Fill a Block message."""
    out.SetInParent()  # an empty block must be sent, too
    for name, (flags, typ) in block.get("a", {}).items():
        out.attributes.add(
            name=name,
            type=json.dumps(typ).encode(),
            required="r" in flags,
            optional="o" in flags,
            computed="c" in flags,
            sensitive="s" in flags,
            write_only="w" in flags,
        )
    for name, (nesting, low, high, inner) in block.get("b", {}).items():
        nested = out.block_types.add(type_name=name, nesting=NESTING[nesting], min_items=low, max_items=high)
        _block(nested.block, inner)


def schema_response(schemas: Schemas, functions: Iterable[Any]) -> bytes:
    """A GetProviderSchemaResponse, encoded."""
    res = MSG["GetProviderSchemaResponse"]()
    targets = {
        "resources": res.resource_schemas,
        "data_sources": res.data_source_schemas,
        "ephemeral": res.ephemeral_resource_schemas,
    }
    _block(res.provider.block, schemas.block("provider"))
    _block(res.provider_meta.block, {"a": {"user_agent": ["o", ["list", "string"]]}})
    res.server_capabilities.get_provider_schema_optional = True
    res.functions.extend(functions)
    for key in schemas.lines:
        kind, slash, name = key.partition("/")
        if slash:
            _block(targets[kind].add(key=name).value.block, schemas.block(key))
    encoded: bytes = res.SerializeToString()
    return encoded
