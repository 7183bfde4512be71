"""Base class of all models of the platform document."""

from pydantic import ConfigDict
from pydantic.alias_generators import to_camel

from ferryman.lazy_model import LazyModel


class Model(LazyModel):
    """Frozen, camelCase in documents, without unknown fields and without type conversion, so that typos are found.

    Our code may use the Python names; `parse` accepts only the document's names.
    """

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        strict=True,
        alias_generator=to_camel,
        populate_by_name=True,
        field_title_generator=lambda name, info: name.replace("_", " ").capitalize(),
    )
