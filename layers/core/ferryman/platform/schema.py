"""The JSON Schema of the platform document: `python -m ferryman.platform.schema` prints it.

`docs/schema/platform.v1.json` is its output. Editors use it to complete and check documents. It describes single
fields; only `ferryman apply` checks rules that involve several fields (`platform.validation`).
"""

import json
import sys
from datetime import timedelta
from typing import Any

from pydantic.json_schema import GenerateJsonSchema

from ferryman.durations import format_duration
from ferryman.platform.document import Platform
from ferryman.suggestions import suggest

ID = "urn:ferryman:schema:platform:v1"


class _Generator(GenerateJsonSchema):
    """pydantic's generator, with durations in the notation of the document."""

    def encode_default(self, dft: Any) -> Any:
        return format_duration(dft) if isinstance(dft, timedelta) else super().encode_default(dft)


def schema() -> dict[str, Any]:
    """Return the schema, JSON Schema draft 2020-12."""
    made = Platform.model_json_schema(by_alias=True, schema_generator=_Generator)
    made = _closed(made)
    # `parse` ignores it.
    made["properties"]["status"] = {
        "title": "Status",
        "description": f"Written by {suggest('get', 'platform')}; `apply` ignores it.",
    }
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": ID, **made}


def text() -> str:
    """Return the schema in the format of the committed file."""
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"


def _closed(node: Any) -> Any:
    """Reject keys that don't match: pydantic describes the keys of a mapping, but allows others."""
    if isinstance(node, list):
        return [_closed(item) for item in node]
    if not isinstance(node, dict):
        return node
    node = {name: _closed(value) for name, value in node.items()}
    if "patternProperties" in node:
        node["additionalProperties"] = False
    return node


if __name__ == "__main__":
    sys.stdout.write(text())
