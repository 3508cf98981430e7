"""Secrets taken out of a text that a user may send to others. Pure."""

import re
from collections.abc import Iterable, Mapping
from urllib.parse import quote, quote_plus

HIDDEN = "[hidden]"

LEAST_SECRET = 4
"""Characters from which on a secret is looked for: a shorter one stands in any text by chance."""

_SECRET_NAME = re.compile(
    r"(^|_)(SECRET|PASSWORD|PASSWD|PASSPHRASE|TOKEN|CREDENTIALS?|AUTHORIZATION|API_?KEY|PRIVATE_KEY|ACCESS_KEY"
    r"|ACCESS_KEY_ID)(_|$)",
    re.IGNORECASE,
)
_NOT_A_SECRET_NAME = re.compile(r"_(FILE|PATH|URI|URL)$", re.IGNORECASE)

_NAMED = re.compile(
    r"(authorization|signature|credential|security[-_]?token|session[-_]?token|access[-_]?token|id[-_]?token"
    r"|refresh[-_]?token|secret[-_]?access[-_]?key|client[-_]?secret|password|passwd)(['\"]?[ \t]{0,8}[:=]|%3D)[^\n]+",
    re.IGNORECASE,
)
"""A header, a field of JSON, a line of a file, an argument of a presigned URL; with its value goes the line's rest."""

_ACCESS_KEY_ID = re.compile(r"(?:AKIA|ASIA)[A-Z0-9]{12,}")
"""IAM User Guide, "IAM identifiers", on unique identifiers; 2026-11."""

_USER_INFO = re.compile(r"(?<=://)[^/@\s]{1,1024}(?=@)")
"""A user, and perhaps a password, of a proxy or an endpoint."""

_LONG = re.compile(r"[A-Za-z0-9+/_-]{40,}={0,2}")
"""A secret access key has 40 such characters, tokens have hundreds."""

_CODE = '  File "'
"""How the line of a traceback begins that names a file: its path may be long, too."""


def is_secret_name(name: str) -> bool:
    """Whether a variable of this name holds a secret; one that holds the name of a file with a secret doesn't."""
    return bool(_SECRET_NAME.search(name)) and not _NOT_A_SECRET_NAME.search(name)


def secrets_of(environ: Mapping[str, str]) -> set[str]:
    """The values of the variables that hold secrets."""
    return {value for name, value in environ.items() if is_secret_name(name)}


def _forms(secret: str) -> tuple[str, ...]:
    """How the secret may be written: as it is, URL-encoded in two ways, and as Python quotes it."""
    encoded = quote(secret, safe="", errors="replace"), quote_plus(secret, errors="replace")
    return (secret, *encoded, repr(secret)[1:-1])


def redact(text: str, secrets: Iterable[str] = ()) -> str:
    """
    The text without secrets: neither these, nor what looks like one of AWS's, or like a password.

    secrets: values that are known to be secret. They are found URL-encoded too, and as Python quotes them.
    """
    known = {one.strip() for one in secrets}
    forms = {form for one in known for form in _forms(one)}
    for form in sorted((form for form in forms if len(form) >= LEAST_SECRET), key=len, reverse=True):
        text = text.replace(form, HIDDEN)
    text = _NAMED.sub(rf"\1\2 {HIDDEN}", text)
    for pattern in (_ACCESS_KEY_ID, _USER_INFO):
        text = pattern.sub(HIDDEN, text)
    return "\n".join(line if line.startswith(_CODE) else _LONG.sub(HIDDEN, line) for line in text.split("\n"))
