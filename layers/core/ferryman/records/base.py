"""The common ground of all records: frozen, camelCase, tolerant of newer writers. Pure."""

from typing import Any, Self

from pydantic import ConfigDict
from pydantic.alias_generators import to_camel

from ferryman.lazy_model import LazyModel


class Record(LazyModel):
    """Frozen; camelCase outside; reads records that a newer minor version wrote."""

    model_config = ConfigDict(frozen=True, extra="ignore", alias_generator=to_camel, populate_by_name=True)

    def dump(self) -> dict[str, Any]:
        """Return plain data as it is stored and sent."""
        return self.model_dump(mode="json", by_alias=True)

    def but(self, **changes: Any) -> Self:
        """Return a copy with some fields replaced."""
        return self.model_copy(update=changes)
