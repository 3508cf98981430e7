"""
AWS Signature Version 4 for a request to S3. Pure.

Source: "Create a signed AWS API request", https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html;
the tests hold it against botocore's signer.
"""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

ALGORITHM = "AWS4-HMAC-SHA256"
EMPTY_HASH = hashlib.sha256(b"").hexdigest()


class Credentials(Protocol):
    """Whose signature it is; botocore's frozen credentials are these."""

    @property
    def access_key(self) -> str:
        """The access key's id."""

    @property
    def secret_key(self) -> str:
        """The secret."""

    @property
    def token(self) -> str | None:
        """The session token of temporary ones."""


@dataclass(frozen=True, slots=True)
class Signer:
    """
    Signs for one Region and service.

    region, service: as the signature's scope names them.
    """

    region: str
    service: str

    def authorization(
        self,
        credentials: Credentials,
        at: str,
        asked: tuple[str, str, str],
        headers: Mapping[str, str],
        body_hash: str,
    ) -> str:
        """
        The Authorization header.

        at: the time as `x-amz-date` has it, 20260131T235959Z.
        asked: method, path as it is sent (S3 wants it encoded once, and not normalized), canonical query.
        headers: all that are signed, `host` among them, their names in lower case.
        body_hash: the SHA-256 of the body in hex.
        """
        names = sorted(headers)
        signed = ";".join(names)
        told = "\n".join([f"{name}:{' '.join(headers[name].split())}" for name in names])
        method, path, query = asked
        canonical = f"{method}\n{path}\n{query}\n{told}\n\n{signed}\n{body_hash}"
        scope = f"{at[:8]}/{self.region}/{self.service}/aws4_request"
        to_sign = f"{ALGORITHM}\n{at}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
        key = _signing_key(credentials.secret_key, at[:8], self.region, self.service)
        signature = hmac.digest(key, to_sign.encode(), "sha256").hex()
        return f"{ALGORITHM} Credential={credentials.access_key}/{scope}, SignedHeaders={signed}, Signature={signature}"


@lru_cache(maxsize=8)
def _signing_key(secret_key: str, day: str, region: str, service: str) -> bytes:
    """The key that holds for a day."""
    key = f"AWS4{secret_key}".encode()
    for part in (day, region, service, "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    return key
