"""The commands that people are told to run, quoted for a shell. Pure.

Nothing else writes one: a contract test parses each call with the real command line. A suggestion names the platform
(`p`), so that it can be run as it stands where there are several, now or later.
"""

import shlex

Value = str | bool | list[str] | None


def command(*words: str | None, **options: Value) -> str:
    """Return a `ferryman` command for a shell, without words and options that are None, False or empty.

    Of an option with a list of values there is one for each. `p`: `-p`; `accept_schema_mismatch`:
    `--accept-schema-mismatch`.
    """
    found = ["ferryman", *filter(None, words)]
    # The platform last: what the command is about comes first.
    for name, value in sorted(options.items(), key=lambda option: option[0] == "p"):
        flag = f"-{name}" if len(name) == 1 else f"--{name.replace('_', '-')}"
        for item in value if isinstance(value, list) else [value]:
            if item:
                found += [flag, *([] if item is True else [str(item)])]
    return shlex.join(found)


def suggest(*words: str | None, **options: Value) -> str:
    """Return a command as it stands within a sentence, in backticks."""
    return f"`{command(*words, **options)}`"
