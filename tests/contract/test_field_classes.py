"""Every field of the platform document says whether a change of it waits for approval."""

from pydantic import BaseModel

from ferryman.platform import Platform
from ferryman.platform.field_classes import CLASSES, class_of, models_in


def reachable(model: type[BaseModel], seen: dict[str, type[BaseModel]] | None = None) -> dict[str, type[BaseModel]]:
    """The models that a document can contain, by name."""
    found = {} if seen is None else seen
    if model.__name__ not in found:
        found[model.__name__] = model
        for field in model.model_fields.values():
            for part in [field.annotation, *field.metadata]:
                for inner in models_in(part):
                    reachable(inner, found)
    return found


MODELS = reachable(Platform)


def own(model: type[BaseModel]) -> list[str]:
    """The fields that a model declares itself; it inherits the others' classes."""
    bases = [base for base in model.__mro__[1:] if issubclass(base, BaseModel)]
    inherited = {name for base in bases for name in base.model_fields}
    return [name for name in model.model_fields if name not in inherited]


def test_every_field_of_the_document_is_classified() -> None:
    fields = [f"{name}.{field}" for name, model in MODELS.items() for field in own(model)]
    missing = [field for field in fields if field not in CLASSES]
    assert not missing, f"say in ferryman.platform.field_classes whether these are gate, plan or free: {missing}"


def test_no_other_field_is_classified() -> None:
    known = {f"{name}.{field}" for name, model in MODELS.items() for field in model.model_fields}
    assert not CLASSES.keys() - known


def test_the_walk_finds_models_in_lists_maps_and_unions() -> None:
    assert {"Approver", "ChatChannel", "FreezeWindow", "NamedMigration", "Expectation", "GitHubApp"} <= MODELS.keys()


def test_a_field_that_nobody_classified_is_a_gate() -> None:
    class Unknown(BaseModel):
        field: int

    assert class_of(Unknown, "field") == "gate"
    assert class_of(MODELS["NamedMigration"], "command") == "plan"
