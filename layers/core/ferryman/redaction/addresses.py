"""Secrets in addresses: the password before a host, a token as its user, the path of a webhook. Pure."""

import re

from ferryman.redaction.shapes import HOOK, HOOK_HINTS
from ferryman.redaction.values import HIDDEN, mixed, random

_URL = re.compile(r"(?i)\b(?P<scheme>[a-z][a-z0-9+.-]{0,30}+)(?P<sep>:(?:\\?/){2})(?P<rest>[^\s\"'<>`]*+)")
_SHORT = re.compile(
    r"(?<![\w.@%+-])(?P<user>[\w.+-]{1,64}+):(?P<password>[^\s:@\"'<>`]{2,256}+)@(?P<at>(?:tcp|unix)\()"
)
# `user:password@host:port` without a scheme; an address in a list of mails has no port.
_BARE = re.compile(
    r"(?<![\w.@%+/:-])(?P<user>[\w.+-]{1,64}+):(?P<password>[^\s:@\"'<>`/,;]{3,256}+)@"
    r"(?P<at>(?:[\w-]{1,63}\.){0,8}[\w-]{1,63}(?::\d{2,5}|/\w))"
)
_ORACLE = re.compile(
    r"(?i)(?P<head>\b(?:thin:|sqlplus[ \t]+(?:-\w+[ \t]+){0,4}|(?:sqlldr|expdp|impdp)[ \t]+)\w{1,60}/)"
    r"[^\s@\"'/]{1,200}+(?=@)"
)
_HOST = re.compile(
    r"(?:\[[0-9a-fA-F:.]{2,60}\]|[\w.-]{1,255}(?::\d{1,5})?(?:,[\w.-]{1,255}(?::\d{1,5})?){0,20})"
    r"(?=$|[/?#\\,;)\]}|&.:])"
)
_PORT = re.compile(r"\d{2,5}(?=$|[/?#])")
_WEB = ("http", "https", "ws", "wss", "ftp", "git", "s3", "file", "npm")
_HARMLESS_USERS = ("git", "user", "oauth2", "x-access-token", "x-token-auth", "ec2-user", "admin", "root")
_LONGEST = 4_096


def without_passwords(text: str) -> str:
    """Return text whose addresses have no passwords, tokens nor webhooks' paths."""
    if "://" in text or ":\\/\\/" in text:
        text = _URL.sub(_masked, text)
    if "@" in text:
        text = _SHORT.sub(rf"\g<user>:{HIDDEN}@\g<at>", text)
        text = _BARE.sub(_bare, text)
        text = _ORACLE.sub(rf"\g<head>{HIDDEN}", text)
    low = text.lower()
    return HOOK.sub(rf"\1{HIDDEN}", text) if any(hint in low for hint in HOOK_HINTS) else text


def _bare(found: re.Match[str]) -> str:
    if (
        found["user"].lower() in ("mailto", "from", "to", "cc", "email", "user", "sha256")
        or found["password"] == HIDDEN
    ):
        return found[0]
    return f"{found['user']}:{HIDDEN}@{found['at']}"


def _masked(found: re.Match[str]) -> str:
    rest = found["rest"][:_LONGEST]
    end = _userinfo_end(found["scheme"].lower(), rest)
    if end < 0:
        return _cut_off(found)
    userinfo, after = rest[:end], found["rest"][end:]
    user, colon, password = userinfo.partition(":")
    if _token(user):
        # A token in the place of the user: what stands for its password says nothing.
        user = HIDDEN
    if colon and password and password not in (HIDDEN, "x-oauth-basic"):
        password = HIDDEN
    return f"{found['scheme']}{found['sep']}{user}{colon}{password}{after}"


def _cut_off(found: re.Match[str]) -> str:
    """Mask a password whose host was cut off, where it can't be a port."""
    user, colon, password = found["rest"].partition(":")
    cut = colon and found.end() == len(found.string.rstrip("….")) and re.fullmatch(r"[\w.-]{1,80}", user)
    if not cut or found["scheme"].lower().startswith(_WEB) or not mixed(password) or password[0].isdigit():
        return found[0]
    return f"{found['scheme']}{found['sep']}{user}:{HIDDEN}"


def _token(user: str) -> bool:
    if user.lower() in _HARMLESS_USERS or user == HIDDEN:
        return False
    return random(user, least=16, hexadecimal=True) or (
        len(user) >= 20 and any(char.isdigit() for char in user) and "." not in user
    )


def _userinfo_end(scheme: str, rest: str) -> int:
    """Return where the `@` stands that ends user and password, or -1. Passwords may have `/`, `@`, `?` and `#`."""
    if "@" not in rest:
        return -1
    stop = min((at for sign in "/?#\\" if (at := rest.find(sign)) >= 0), default=len(rest))
    authority = rest[:stop]
    inside = authority.rfind("@")
    if inside >= 0 and _HOST.match(rest, inside + 1):
        if scheme.startswith(_WEB):
            return inside
        # A database has no `@` in its path, so a later one belongs to the password.
        later = rest.rfind("@")
        _, query, behind = rest[inside:later].partition("?")
        return later if not (query and "=" in behind) and _HOST.match(rest, later + 1) else inside
    user, colon, behind = authority.partition(":")
    if not colon and inside < 0:
        return -1
    if scheme.startswith(_WEB) and inside < 0 and (_PORT.match(rest, len(user) + 1) or "." in user or not behind):
        return -1
    at = len(rest)
    for _ in range(8):
        at = rest.rfind("@", 0, at)
        if at < 0:
            break
        if _HOST.match(rest, at + 1):
            return at
    return inside
