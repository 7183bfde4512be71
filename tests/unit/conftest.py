"""Fixtures of the unit tests."""

from hypothesis import settings

from ferryman_local import flags
from unit.fixtures import aws, clock, dynamodb, new_id, no_real_aws, scr_document, store

__all__ = ["aws", "clock", "dynamodb", "new_id", "no_real_aws", "scr_document", "store"]

if not flags.on("CI"):  # where it is, Hypothesis loads such a profile by itself
    settings.register_profile("busy machine", deadline=None)
    settings.load_profile("busy machine")
