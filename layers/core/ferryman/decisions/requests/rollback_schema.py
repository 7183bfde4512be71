"""Whether an older release can run on the databases as they are, and where a downgrade takes them first. Pure.

Called by `decisions.requests.rollback`. An older release can run only if every migration says so.
"""

from ferryman.decisions.schema_compatibility import Schema
from ferryman.errors import Refused
from ferryman.platform import Environment


def mismatch_of(version: str, environment: Environment, schemas: list[Schema], *, accepted: bool) -> str:
    """Return why the release may not run on the databases as they are, if that is accepted; "" if it can run.

    Raise Refused if it is not accepted.
    """
    wrong = [schema for schema in schemas if schema.since.unsafe or schema.since.status == "Unclear"]
    why = "; ".join(schema.named(_mismatch(schema)) for schema in wrong)
    if not wrong or accepted:
        return why
    every = environment.every_migration
    can = any(every[schema.name].downgrade for schema in wrong if schema.name in every)
    down = "To downgrade the database first, use `--downgrade`. " if can else ""
    raise Refused(
        f"{version} may not work with the current database: {why}. {down}To roll back anyway, use "
        "`--accept-schema-mismatch`; or fix the problem and push"
    )


def _mismatch(schema: Schema) -> str:
    if schema.since.status == "Unclear":
        return schema.since.message
    return f"the database has migrations that are marked as not rollback-safe: {', '.join(schema.since.unsafe)}"


def revision_without_name(
    env: str, version: str, environment: Environment, schemas: list[Schema], given: str | None, named: dict[str, str]
) -> str:
    """Return where the one database of an environment goes back to. Raise Refused where that is unknown.

    `given` and `named` are the revisions that a person asked for, for the migration without a name and by name.
    """
    migration = environment.migration
    if migration is None or migration.downgrade is None:
        raise Refused(f"the document defines no downgrade for the database of {env}; set migration.downgrade")
    if named:
        raise Refused(f"the migration of {env} has no name: give `--revision REVISION` without one")
    knows = next((schema.knows for schema in schemas), None)
    if given is None and not knows:
        raise Refused(
            f"{version} does not list its migrations, so the target revision for the database of {env} is unknown; "
            "give it with `--revision`"
        )
    return given or (knows or [""])[-1]


def revisions_by_name(
    env: str, version: str, environment: Environment, schemas: list[Schema], given: str | None, named: dict[str, str]
) -> dict[str, str]:
    """Return which of several databases go back, and to where: those that a newer release has migrated, or that are
    named. In the order in which they go back, the last migration first. Raise Refused where none has to, or one can't.
    """
    names = ", ".join(environment.every_migration)
    unknown = [name for name in named if name not in environment.every_migration]
    if given is not None or unknown:
        wrong = f"there is no migration {unknown[0]!r}" if unknown else "a revision needs the name of its migration"
        raise Refused(f"{wrong} in {env}: give `--revision NAME=REVISION` for one of {names}")
    found = {}
    for schema in reversed(schemas):
        if schema.name not in named and not schema.goes_back:
            continue
        if environment.every_migration[schema.name].downgrade is None:
            raise Refused(f"the document defines no downgrade for migration {schema.name} of {env}; set its downgrade")
        if schema.name not in named and not schema.knows:
            raise Refused(
                f"{version} does not list the migrations of {schema.name}, so the target revision for its database in "
                f"{env} is unknown; give it with `--revision {schema.name}=REVISION`"
            )
        found[schema.name] = named.get(schema.name) or (schema.knows or [""])[-1]
    if not found:
        raise Refused(
            f"no database of {env} has migrations of a release newer than {version}, so there is nothing to "
            "downgrade; roll back without `--downgrade`"
        )
    return found
