"""Secrets in command lines whose options have no telling names (`mysql -pX`, `curl -u user:X`), and in SQL. Pure."""

import re

from ferryman.redaction.values import HIDDEN, everyday

_GAP = r"(?:[ \t]++|[\"'],?[ \t]*+[\"'])"
_LONG = rf"[^\n|;]{{0,160}}?{_GAP}"
_VALUE = r"[^\s\"',]{2,200}+"
_FORMS = tuple(
    (hints.split(), re.compile(f"(?P<head>{head})(?P<value>{value})"))
    for hints, head, value in (
        ("mysql mariadb mycli", rf"(?i:(?<![\w-])(?:mysql\w{{0,12}}|mariadb\w{{0,12}}|mycli)\b{_LONG}-p)", _VALUE),
        ("sshpass", rf"(?<![\w-])sshpass{_GAP}-p{_GAP}?[\"']?", _VALUE),
        ("redis-cli", rf"(?<![\w-])redis-cli\b{_LONG}(?:-a|--pass){_GAP}[\"']?", _VALUE),
        (
            "login cqlsh mongo",
            rf"(?<![\w-])(?:login|cqlsh|mongo\w{{0,8}})\b{_LONG}-p(?:{_GAP}|=)[\"']?",
            r"[^\s\"',:]{3,200}+",
        ),
        ("zip 7z", rf"(?<![\w-])(?:7z|zip|unzip)\b{_LONG}-[pP]{_GAP}?[\"']?", _VALUE),
        ("ldap", rf"(?<![\w-])ldap(?:search|modify|add|whoami|passwd|delete)\b{_LONG}-w{_GAP}[\"']?", _VALUE),
        ("sqlcmd bcp", rf"(?<![\w-])(?:sqlcmd|bcp)\b{_LONG}-P{_GAP}?[\"']?", _VALUE),
        ("htpasswd", r"(?<![\w-])htpasswd[ ]-\w{0,4}b\w{0,4}[ ]\S{1,100}[ ]\S{1,60}[ ]", _VALUE),
        ("rabbitmqctl", r"(?<![\w-])rabbitmqctl[ ](?:add_user|change_password)[ ]\S{1,60}[ ]", _VALUE),
        ("requirepass masterauth", rf"(?<![\w-])(?:requirepass|masterauth){_GAP}[\"']?", _VALUE),
        (
            "-u -U --user --proxy-user --creds --auth",
            rf"(?<![\w-])(?:-u|-U|--user|--proxy-user|--creds|--auth)(?:{_GAP}|=)[\"']?[\w.@+-]{{1,80}}:",
            # Neither an address of a host with its port, nor user and group by number.
            r"(?!\d{1,5}\b)[^\s\"'@/]{3,200}+",
        ),
        (
            "password for PASSWORD FOR",
            r"\b(?i:password[ \t]+for[ \t]+\S{1,80}[ \t]*=[ \t]*(?:password\()?)[\"']",
            r"[^\s\"';\\]{1,200}+",
        ),
        (
            "PLAIN XOAUTH2 LOGIN",
            r"\b(?:PLAIN|XOAUTH2|AUTH LOGIN)[ \t]++",
            r"(?=\S{0,60}[a-z])[A-Za-z0-9+/]{12,}+={0,2}",
        ),
        ("auth AUTH", r"\"(?i:auth)\"[ \t]++\"(?:[\w.-]{1,60}\"[ \t]++\")?", r"[^\s\"]{1,200}+"),
        ("--password-stdin", r"\b(?:echo|printf)[ \t]++(?:-n[ \t]++)?[\"']?", r"[^\s\"'|]{3,200}+(?=[\"']?[ \t]*\|)"),
        ("pass:", r"(?<![\w-])-{1,2}pass(?:in|out)?[ \t=]++pass:", r"[^\s\"']{1,200}+"),
        (
            "identified IDENTIFIED Identified",
            (
                r"\b(?i:(?:user|role|to|default|exists)[ \t]+\S{1,80}[ \t]+identified"
                r"(?:[ \t]+with[ \t]+\S{1,60})?[ \t]+(?:by|as)[ \t]+(?:password[ \t]+)?)\\*[\"']?"
            ),
            r"[^\s\"';\\]{1,200}+",
        ),
    )
)
"""Words of which a line has one where the form may be in it; the form."""


def without_arguments(line: str) -> str:
    """Return a line whose commands have no passwords among their arguments."""
    for hints, form in _FORMS:
        if any(hint in line for hint in hints):
            line = form.sub(_masked, line)
    return line


def _masked(found: re.Match[str]) -> str:
    return found[0] if everyday(found["value"]) else f"{found['head']}{HIDDEN}"
