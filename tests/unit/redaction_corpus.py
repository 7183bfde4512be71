"""The corpus on which the recognition of secrets is measured: shapes of secrets, and lines that have none.

`corpora/secrets.txt` has one case after each line that begins with `=`: its name, and below it the text, with what
must be masked between « and ». No secret is written out, so that no scanner of a code host takes one for real:
`<alnum:20>` stands for 20 drawn characters, the same at each run. `corpora/ordinary.txt` has one line of a log in each.

Print the rates with `python tests/unit/redaction_corpus.py`.
"""

import random
import re
import string
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

CORPORA = Path(__file__).parent / "corpora"
_DRAWN = re.compile(r"<(alnum|hex|HEX|b64|b64url|upper|digits|lower|b32):(\d+)>")
_ALPHABETS = {
    "alnum": string.ascii_letters + string.digits,
    "hex": "0123456789abcdef",
    "HEX": "0123456789ABCDEF",
    "b64": f"{string.ascii_letters}{string.digits}+/",
    "b64url": f"{string.ascii_letters}{string.digits}-_",
    "upper": string.ascii_uppercase + string.digits,
    "b32": f"{string.ascii_uppercase}234567",
    "digits": string.digits,
    "lower": string.ascii_lowercase + string.digits,
}


@dataclass(frozen=True)
class Case:
    """A text, what of it is secret, and what is to be shown."""

    name: str
    text: str
    secrets: tuple[str, ...]
    shown: str


def secrets() -> list[Case]:
    """Return the shapes of secrets."""
    return [_case(name, text) for name, text in _written()]


def ordinary() -> list[str]:
    """Return the lines without secrets."""
    return (CORPORA / "ordinary.txt").read_text(encoding="utf-8").splitlines()


def _written() -> Iterator[tuple[str, str]]:
    name, lines = "", []
    for line in (CORPORA / "secrets.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("= "):
            if name:
                yield name, "\n".join(lines)
            name, lines = line[2:], []
        else:
            lines.append(line)
    yield name, "\n".join(lines)


def _case(name: str, written: str) -> Case:
    draw = random.Random(name)
    text = _DRAWN.sub(lambda found: "".join(draw.choices(_ALPHABETS[found[1]], k=int(found[2]))), written)
    hidden = tuple(
        part
        for secret in re.findall(r"«(.*?)»", text, re.DOTALL)
        for part in re.split(r"\n|\\n", secret)
        if len(part) > 2
    )
    shown = re.sub(r"«.*?»", "[hidden]", text, flags=re.DOTALL)
    return Case(name, text.replace("«", "").replace("»", ""), hidden, shown)


def main() -> None:
    """Print how many secrets are masked, and how many ordinary lines change."""
    from ferryman.redaction import redacted

    cases, lines = secrets(), ordinary()
    leaked = [case for case in cases if any(secret in redacted(case.text) for secret in case.secrets)]
    blurred = [case for case in cases if case not in leaked and redacted(case.text) != case.shown]
    changed = [line for line in lines if redacted(line) != line]
    for case in leaked:
        print(f"LEAKED   {case.name}: {redacted(case.text)}")
    for case in blurred:
        print(f"BLURRED  {case.name}: {redacted(case.text)}\n    wanted: {case.shown}")
    for line in changed:
        print(f"CHANGED  {line}\n      to {redacted(line)}")
    print(f"secrets masked: {len(cases) - len(leaked)} of {len(cases)}")
    print(f"  and all else readable: {len(cases) - len(leaked) - len(blurred)} of {len(cases)}")
    print(f"ordinary lines changed: {len(changed)} of {len(lines)} ({100 * len(changed) / len(lines):.2f} %)")


if __name__ == "__main__":
    main()
