"""Our signatures are botocore's, whatever is signed."""

import datetime as dt
import hashlib
from types import SimpleNamespace
from urllib.parse import quote

import pytest
from botocore import auth
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import ReadOnlyCredentials
from hypothesis import given
from hypothesis import strategies as st

from worker.s3.fast.signing import Signer

AT = dt.datetime(2026, 2, 28, 23, 59, 59, tzinfo=dt.UTC)
PRINTABLE = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=60)
KEYS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=80)
NAMES = st.sampled_from(["if-match", "x-amz-copy-source", "x-amz-meta-a", "x-amz-storage-class", "x-amz-acl"])


@pytest.fixture(scope="module", autouse=True)
def _frozen_time() -> object:
    """Botocore signs as of now: as of AT, here."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(auth, "get_current_datetime", lambda: AT.replace(tzinfo=None))
        yield


@given(
    method=st.sampled_from(["HEAD", "PUT", "POST", "GET"]),
    key=KEYS,
    query=st.dictionaries(st.sampled_from(["versionId", "restore", "a"]), KEYS, max_size=3),
    headers=st.dictionaries(NAMES, PRINTABLE, max_size=4),
    token=st.none() | st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=40),
    secret=st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=40),
    region=st.sampled_from(["us-east-1", "eu-west-1", "cn-north-1"]),
    body=st.binary(max_size=50),
)
def test_every_signature_is_botocores(  # noqa: PLR0913 (what there is to sign)
    *,
    method: str,
    key: str,
    query: dict[str, str],
    headers: dict[str, str],
    token: str | None,
    secret: str,
    region: str,
    body: bytes,
) -> None:
    """Any key, any query, any header, any credentials, any Region, any body: the same Authorization header."""
    credentials = SimpleNamespace(access_key="AKIA", secret_key=secret, token=token)
    path = quote(f"/{key}", safe="/~")
    sent = "&".join(f"{name}={quote(value, safe='-_.~')}" for name, value in query.items())
    theirs = AWSRequest(
        method, f"https://bucket.s3.amazonaws.com{path}" + (f"?{sent}" if sent else ""), headers=headers, data=body
    )
    S3SigV4Auth(ReadOnlyCredentials("AKIA", secret, token), "s3", region).add_auth(theirs)

    digest = hashlib.sha256(body).hexdigest()
    all_headers = {
        **headers,
        "host": "bucket.s3.amazonaws.com",
        "x-amz-date": "20260228T235959Z",
        "x-amz-content-sha256": digest,
        **({"x-amz-security-token": token} if token else {}),
    }
    ours = Signer(region, "s3").authorization(
        credentials, "20260228T235959Z", (method, path, "&".join(sorted(sent.split("&")))), all_headers, digest
    )

    assert ours == theirs.headers["Authorization"]


def test_the_key_of_a_day_is_not_used_on_the_next() -> None:
    """The same request at midnight has another signature than a second before, as its key is another."""
    credentials = SimpleNamespace(access_key="AKIA", secret_key="secret", token=None)
    headers = {"host": "h"}
    signer = Signer("eu-west-1", "s3")

    signed = [
        signer.authorization(credentials, at, ("HEAD", "/k", ""), headers, "hash")
        for at in ("20260228T235959Z", "20260301T000000Z")
    ]

    assert ["/20260228/" in signed[0], "/20260301/" in signed[1]] == [True, True]
    assert signed[0].rpartition("=")[2] != signed[1].rpartition("=")[2]
