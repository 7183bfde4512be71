"""Alembic's history as image labels, oldest first: `approve`, `diff` and `rollback` of Ferryman read them.

A revision whose file says `rollback_safe = False` is one that older code can't live with.
"""

from alembic.config import Config
from alembic.script import ScriptDirectory
from release import FOLDERS, PLATFORM

LIST = "dev.ferryman.migrations"
UNSAFE = "dev.ferryman.migrations.not-rollback-safe"


def labels() -> dict[str, str]:
    config = Config()
    config.set_main_option("script_location", str(PLATFORM / FOLDERS["api"] / "migrations"))
    found = list(ScriptDirectory.from_config(config).walk_revisions())[::-1]
    unsafe = [item for item in found if not getattr(item.module, "rollback_safe", True)]
    return {
        LIST: ",".join(item.revision for item in found),
        UNSAFE: ",".join(item.revision for item in unsafe),
    }


if __name__ == "__main__":
    for name, value in labels().items():
        print(f"{name}={value}")
