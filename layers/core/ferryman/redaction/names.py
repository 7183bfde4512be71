"""Which names tell that a value beside them is secret. Pure.

A name is taken apart into words (`DB-Passwd`, `apiKey`, `spring.datasource.password` and `client_secret` are all of
one kind), and its words decide.
"""

import functools
import re
import unicodedata
from enum import Enum

from ferryman.redaction.values import listed


class Strength(Enum):
    """How much a name tells."""

    NONE = 0
    RANDOM = 1
    """A value that looks random is secret (`key`, `session`)."""
    SURE = 2
    """Any value is secret, unless it is a word of everyday use (`password`, `client_secret`)."""


_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[^\W\d_A-Z]+|[A-Z]+|\d+")

_LONGEST = 120
"""Characters of a name, its last ones, that are looked at."""
# Words anywhere in a name, also glued to others ("dbpassword").
_STEMS = (
    "password", "passwd", "passphrase", "passwort", "kennwort", "contraseña", "contrasena", "motdepasse", "senha",
    "пароль", "парол", "密码", "密碼", "パスワード", "비밀번호", "wachtwoord", "lösenord", "hasło", "parola",
    "secret", "token", "apikey", "accesskey", "privatekey", "secretkey", "masterkey", "accountkey", "signingkey",
    "encryptionkey", "sharedkey", "authkey", "credential", "xsrf", "csrf", "sharedaccesssignature",
)  # fmt: skip
# Words that tell only when they stand for themselves.
_SURE = listed("pwd pass pw psw passwd userpass userpwd passcode pgpassword jwt")
_NO_PASS = listed("bypass compass surpass trespass encompass overpass underpass multipass")
_RANDOM = listed(
    """
    auth sig signature hmac session sessionid sess sid jsessionid phpsessid cookie cookies otp totp pin
    salt pepper seed credentials creds cred license licence key keys sas dsn webhook hook passwords secrets tokens
    connstr connectionstring nonce assertion verifier psk pat
    """
)
# What makes of a "key" one that opens something.
_OPENS = listed(
    """
    api access private secret master account shared signing encryption encrypt decryption auth app application client
    storage service deploy deployment license licence webhook integration ingest ingestion write read admin consumer
    subscription function functions host fernet jwt aes hmac hash crypto cipher rsa ssh session security user server
    bot bearer publishable anon role sdk project personal developer dev live test stripe sendgrid mailgun twilio datadog
    dd newrelic algolia openai anthropic gemini google maps aws azure gcp cloudflare sentry segment mixpanel pusher
    vault rollbar bugsnag honeybadger airbrake pagerduty opsgenie github gitlab slack discord heroku logdna loggly
    splunk elastic grafana snyk sonar stream rails django flask laravel base sign
    """
)
# What makes of it one that anybody may see.
_OPEN = listed(
    """
    public cache partition sort primary foreign object s3 routing row hash_key group idempotency unique index lookup
    map dict redis message record item column field config json translation i18n locale sorting pub dedup deduplication
    grouping feature resource policy metadata label annotation tag parameter shard kafka hot arrow press
    """
)
# Providers whose 32 or 40 hexadecimal digits beside their names are keys.
_PROVIDERS = listed(
    """
    datadog newrelic twilio sendgrid mailgun mailchimp mandrill algolia stripe pagerduty opsgenie rollbar bugsnag
    honeybadger amplitude mixpanel segment cloudflare heroku postmark loggly logdna
    """
)
# Last words that turn a telling name into one that only speaks about the secret.
_ABOUT = listed(
    """
    count counts length len size limit limits ttl expiry expires expiration expire expired type name names arn path
    paths filename dir directory endpoint policy policies version versions rotation enabled required reset field fields
    age at date time timeout timeouts status state error errors hint algorithm alg method methods valid validity
    invalid changed used usage remaining rule rules strength min max attempts attempt retries retry ref refs manager
    store provider providers class format header headers param label description created updated bucket region scope
    scopes issuer audience lifetime duration url uri urls uris host port user username validator validation encoder
    generator service factory request requests response handler filter middleware exception mode prefix suffix
    budget per total cost rate sec seconds ms minutes hours days position pos index kind parser lexer stream bytes
    mismatch required missing set present source location key_id alias aliases family
    """
)


# Words that make of a "code" one that lets somebody in.
_ONE_TIME = listed("otp totp mfa verification security confirmation login authentication authorization auth backup")
# A file's name tells of no value: `token.go:17`.
_FILES = listed(
    """
    java js mjs cjs ts tsx jsx py pyc go rb erb php rs cs kt scala ex exs c cc cpp h hpp html htm css scss vue svelte
    json yml yaml toml ini conf cfg xml txt md crt cer pem log sh sql lock jar so dll map csv tf tfvars gz zip
    """
)
_ABOUT_ENDS = (
    "manager", "service", "provider", "controller", "server", "encoder", "factory", "validator", "exception", "error",
    "generator", "filter", "handler", "repository", "entity", "model", "view", "form", "page", "test", "config",
)  # fmt: skip


def words(name: str) -> list[str]:
    """Return the words of a name, in lower case: at case changes, digits and signs."""
    return [word.lower() for word in _WORD.findall(name)]


def strength(name: str) -> Strength:
    """Tell how much a name says of the value beside it. `name` may be in any style, and in wide letters."""
    name = name[-_LONGEST:]
    return _strength(name if name.isascii() else unicodedata.normalize("NFKC", name))


@functools.lru_cache(maxsize=4_096)
def _strength(name: str) -> Strength:
    parts = words(name)
    if not parts or name.rpartition(".")[2].lower() in _FILES:
        return Strength.NONE
    while len(parts) > 1 and parts[-1].isdigit():
        parts.pop()
    last, glued = parts[-1], "".join(parts)
    if glued.endswith(("secretid", "connectionstring")):
        return Strength.SURE if glued.endswith("secretid") else Strength.RANDOM
    telling = _telling(parts, glued)
    if telling is Strength.SURE and (
        last in _ABOUT or last.endswith(_ABOUT_ENDS) or (last in ("id", "ids", "in", "file") and len(parts) > 1)
    ):
        return Strength.NONE
    if telling is Strength.SURE and last in ("tokens", "secrets", "passwords", "credentials"):
        return Strength.RANDOM
    return telling


def of_provider(name: str) -> bool:
    """Tell whether a name has a provider's whose keys are bare hexadecimal digits."""
    return not _PROVIDERS.isdisjoint(words(name))


def _telling(parts: list[str], glued: str) -> Strength:
    if parts[-1].endswith("pass") and parts[-1] not in _NO_PASS:
        return Strength.SURE
    if any(stem in glued for stem in _STEMS) or not _SURE.isdisjoint(parts):
        return Strength.SURE
    if (parts[-1] in ("key", "keys", "base") and "key" in parts) or parts[-1] == "keys":
        others = set(parts) - {"key", "keys"}
        if others & _OPENS:
            return Strength.SURE if parts[-1] != "keys" else Strength.RANDOM
        return Strength.NONE if others & _OPEN else Strength.RANDOM
    last = parts[-1]
    if last == "code" and (len(parts) == 1 or not _ONE_TIME.isdisjoint(parts)):
        return Strength.RANDOM
    if last in _RANDOM or glued in _RANDOM or (len(parts) > 1 and parts[0] == "auth"):
        return Strength.NONE if last in _ABOUT else Strength.RANDOM
    return Strength.RANDOM if not _PROVIDERS.isdisjoint(parts) else Strength.NONE
