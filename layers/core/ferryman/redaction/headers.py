"""Headers that carry credentials: Authorization, Cookie and their kind. Pure."""

import re
from collections.abc import Callable

from ferryman.redaction.values import HIDDEN, everyday, mixed, quoted_end

_VALUE = r"[ \t]*+(?:=>|->|[:=]|%3D|(?P<comma>,))[ \t]*+\[?(?:(?P<slashes>\\*)(?P<quote>[\"']))?"
_AUTHORIZATION = re.compile(
    rf"(?i)(?<![a-z0-9])(?:proxy-|x-(?:forwarded-|amz-|original-)?)?authorization(?P<q>\\*[\"']?)\]?{_VALUE}"
)
_COOKIE = re.compile(rf"(?i)(?<![a-z0-9])(?:set-)?cookie2?(?P<q>\\*[\"']?)\]?{_VALUE}")
_SCHEME = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9-]{1,30}+)(?:[ \t]++|%20|\+)(?=\S)")
_ONE_WORD = (
    "bearer",
    "basic",
    "token",
    "negotiate",
    "apikey",
    "ntlm",
    "bot",
    "key",
    "ssws",
    "splunk",
    "geniekey",
    "jwt",
)
_SEVERAL = (
    "digest",
    "oauth",
    "hawk",
    "mac",
    "aws",
    "aws4-hmac-sha256",
    "signature",
    "sharedkey",
    "sharedaccesssignature",
)
_WORD = re.compile(r"[^\s\"']++")
_PAIR = re.compile(r"(?P<name>[^\s=;,\"'\\]{1,128}+)=(?P<value>[^;\s,\"']*+)")
_ATTRIBUTES = ("path", "domain", "expires", "max-age", "samesite", "version", "priority", "comment")
_BEARER = re.compile(
    r"(?i)\b(?P<scheme>bearer|basic|negotiate|ntlm|apikey)(?P<gap>[ \t]{1,4}|%20)(?P<value>[A-Za-z0-9._~+/=-]{6,}+)"
)
_FURTHEST = 16_384


def without_credentials(line: str) -> str:
    """Return a line whose headers of authorization and cookies have no values; schemes and names stay."""
    low = line.lower()
    if "authorization" in low:
        line = _replaced(line, _AUTHORIZATION, _credentials)
    if "cookie" in low:
        line = _replaced(line, _COOKIE, lambda value, _: _PAIR.sub(_cookie, value))
    return _BEARER.sub(_bearer, line)


def _replaced(line: str, pattern: re.Pattern[str], mask: Callable[[str, bool], str]) -> str:
    """Replace the values behind what the pattern finds; `mask` is told whether a quote holds the value."""
    shown: list[str] = []
    at = 0
    while found := pattern.search(line, at):
        if found["comma"] and not (found["q"] and found["quote"]):
            # A list of names.
            shown.append(line[at : found.end()])
            at = found.end()
            continue
        start, quote = found.end(), found["quote"]
        end = quoted_end(line, start, quote, len(found["slashes"])) if quote else _bare_end(line, start)
        if not quote and (scheme := _SCHEME.match(line, start)) and scheme["scheme"].lower() in _SEVERAL:
            # Its parts are in quotes of their own.
            end = len(line)
        end = len(line) if end < 0 else end
        shown += [line[at:start], mask(line[start:end], bool(quote or found["q"]))]
        at = end
    return "".join((*shown, line[at:]))


def _bare_end(line: str, start: int) -> int:
    """Return where a header's value without a quote of its own ends: at the next quote or escaped line end."""
    signs = ("\\n", "\\r", '"', "'", '\\"')
    return min((at for sign in signs if (at := line.find(sign, start, start + _FURTHEST)) >= 0), default=len(line))


def _credentials(value: str, quoted: bool) -> str:
    if not value.strip() or everyday(value) or value.startswith(HIDDEN):
        return value
    found = _SCHEME.match(value)
    if found is None:
        word = _WORD.match(value)
        end = len(word[0].rstrip(",;])}")) if word and not quoted else len(value)
        return f"{HIDDEN}{value[end:]}"
    scheme, start = found["scheme"], found.end()
    if scheme.lower() in _ONE_WORD:
        word = _WORD.match(value, start)
        if word is None or word[0].startswith(HIDDEN) or (not quoted and _prose(value[start : start + 200])):
            return value
        # `Token token="x", id="y"`
        one = not quoted and "=" not in word[0][:-2]
        end = start + len(word[0].rstrip(",;])}")) if one else len(value)
        return f"{value[:start]}{HIDDEN}{value[end:]}"
    if value.startswith(HIDDEN, start):
        return value
    if scheme.lower() in _SEVERAL or (scheme.isalpha() and scheme.istitle() and len(scheme) <= 16 and quoted):
        return f"{value[:start]}{HIDDEN}"
    return value if not quoted and _prose(value[:200]) else HIDDEN


def _prose(text: str) -> bool:
    """Tell whether text is a sentence rather than credentials."""
    words = [word.strip(".,:;!?()") for word in text.split()[:4]]
    return len(words) >= 2 and all(word.isalpha() and len(word) < 20 and not mixed(word) for word in words)


def _cookie(found: re.Match[str]) -> str:
    if found["name"].lower() in _ATTRIBUTES or not found["value"] or found["value"] == HIDDEN:
        return found[0]
    return f"{found['name']}={HIDDEN}"


def _bearer(found: re.Match[str]) -> str:
    value = found["value"]
    bare = value.rstrip("=")
    # `Bearer realm="api"`, and another item behind the word.
    if "=" in bare or everyday(bare) or (bare.isalpha() and bare.islower()):
        return found[0]
    if not (mixed(value) or value.endswith("=") or (len(value) > 24 and not value.isalpha())):
        return found[0]
    return f"{found['scheme']}{found['gap']}{HIDDEN}"
