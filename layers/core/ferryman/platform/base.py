"""The base of everything in a platform document."""

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel


class Model(BaseModel):
    """Frozen, camelCase in documents, no unknown field and no silent conversion: a typo must not pass.

    Python names are for our own code; `parse` takes the document's names only.
    """

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        strict=True,
        alias_generator=to_camel,
        populate_by_name=True,
        field_title_generator=lambda name, info: name.replace("_", " ").capitalize(),
    )
