"""Search everything in an image for data of an environment: addresses, keys, build arguments.

python check_addresses.py FOLDER_OR_IMAGE...

A folder, a file from `docker save` or `docker export`, or the name of an image. The same bytes run in staging and in
production, so they must contain nothing of either. Uses only the standard library.
"""

import gzip
import io
import re
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from release import ReleaseError

# A build that is given these must not keep them. `baked-in` is in each, so that one look finds any.
MARKER = "baked-in-by-mistake"
POISON = {
    "NEXT_PUBLIC_API_URL": f"https://next-public-api.{MARKER}.example",
    "NEXT_PUBLIC_CLERK_PUBLISHABLE_KEY": f"pk_test_{MARKER}_1",
    "API_URL": f"https://api.{MARKER}.example",
    "PUBLIC_API_URL": f"https://public-api.{MARKER}.example",
    "CLERK_PUBLISHABLE_KEY": f"pk_test_{MARKER}_2",
    "CLERK_SECRET_KEY": f"sk_test_{MARKER}",
    "ADMIN_TOKEN": f"admin-{MARKER}",
    "DATABASE_URL": f"postgresql://user:{MARKER}@database.{MARKER}.example/scr",
    "REDIS_URL": f"redis://:{MARKER}@redis.{MARKER}.example:6379/0",
}
# The hosts of platform.yaml and of the deployment guide, whatever stands before them.
WANTED = re.compile(rb"[\w.-]{0,60}(?:" + MARKER.encode() + rb"|scr-platform\.(?:example|com)\b)[\w.-]{0,20}", re.I)
# Part of whatever WANTED finds, and found a hundred times faster.
SIGNS = (MARKER.encode(), b"scr-platform.")

CHUNK = 1 << 20
OVERLAP = 256
GZIP = b"\x1f\x8b"


class Search:
    """Counts what it looked at; tells what it found."""

    def __init__(self) -> None:
        self.files = 0

    def folder(self, folder: Path) -> Iterator[str]:
        for path in sorted(folder.rglob("*")):
            if path.is_file() and not path.is_symlink():
                with path.open("rb") as stream:
                    yield from self.stream(str(path.relative_to(folder)), stream)

    def stream(self, name: str, stream: IO[bytes]) -> Iterator[str]:
        """Into archives, too: a saved image is one of its layers, which are archives."""
        buffered = stream if isinstance(stream, io.BufferedReader) else io.BufferedReader(stream)  # type: ignore[type-var]
        start = buffered.peek(512)
        if start.startswith(GZIP):
            with gzip.GzipFile(fileobj=buffered) as content:
                yield from self.stream(name, io.BufferedReader(content))
        elif start[257:262] == b"ustar":
            with tarfile.open(fileobj=buffered, mode="r|") as archive:
                for member in archive:
                    content_of = archive.extractfile(member) if member.isfile() else None
                    if content_of:
                        yield from self.stream(f"{name}: {member.name}", content_of)
        else:
            self.files += 1
            yield from (f"{name}: {text}" for text in dict.fromkeys(found(buffered)))
        yield from (f"{name} (its name): {match[0].decode()}" for match in WANTED.finditer(name.encode()))


def found(stream: IO[bytes]) -> Iterator[str]:
    """Also what lies across two chunks."""
    before = b""
    while chunk := stream.read(CHUNK):
        both = before + chunk
        lower = both.lower()
        if any(sign in lower for sign in SIGNS):
            yield from (match[0].decode(errors="replace") for match in WANTED.finditer(both))
        before = both[-OVERLAP:]


def look(what: str) -> bool:
    """Whether nothing was found; says so either way."""
    search = Search()
    path = Path(what)
    if path.is_dir():
        problems = list(search.folder(path))
    elif path.is_file():
        with path.open("rb") as stream:
            problems = list(search.stream(path.name, stream))
    else:
        with tempfile.NamedTemporaryFile(suffix=".tar") as saved:
            save(what, saved.name)
            with Path(saved.name).open("rb") as stream:
                problems = list(search.stream(what, stream))
    for problem in problems:
        print(f"check_addresses: {problem}", file=sys.stderr)
    if not search.files:
        raise ReleaseError(f"{what} contains no files, so there is nothing to search.")
    outcome = f"{len(problems)} findings" if problems else "no data of an environment in them"
    print(f"check_addresses: {what}: {search.files} files, {outcome}")
    return not problems


def save(image: str, target: str) -> None:
    try:
        command = ["docker", "save", "--output", target, image]
        done = subprocess.run(command, stderr=subprocess.PIPE, text=True, check=False)
    except FileNotFoundError:
        raise ReleaseError(f"{image} is neither a folder nor a file, and docker is not installed.") from None
    if done.returncode:
        raise ReleaseError(f"{image} is neither a folder nor a file, and docker cannot save it: {done.stderr.strip()}")


def main(what: list[str]) -> int:
    if not what:
        print("usage: check_addresses.py FOLDER_OR_IMAGE...", file=sys.stderr)
        return 2
    try:
        good = [look(one) for one in what]
    except ReleaseError as error:
        print(f"check_addresses: {error}", file=sys.stderr)
        return 2
    return 0 if all(good) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
