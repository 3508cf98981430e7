"""Whose bucket it is, and what is never told: over a whole job, as typed."""

from collections.abc import Mapping
from contextlib import chdir
from typing import Any

import pytest

from orchestrator.cli import run
from orchestrator.common.aws_sessions import session
from tests.end_to_end.conftest import BUCKET, User

OWNER = "123456789012"
SECRETS = {"AWS_SECRET_ACCESS_KEY": "canary/secret+key", "AWS_SESSION_TOKEN": "canary//token=="}


def test_every_request_of_every_command_names_the_buckets_owner(
    user: User, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Once `bucket_owner` is set: a bucket of the same name, made by somebody else, is never read or written."""
    user.archives(["a", "b"])
    user.writes("keys.txt", "a\nb\n")
    user.writes(
        "s3reclass.toml",
        f'bucket = "{BUCKET}"\nstorage_class = "STANDARD_IA"\nplace = "local"\nbucket_owner = "{OWNER}"\n',
    )
    for name, value in user.environ.items():
        monkeypatch.setenv(name, value)
    sent: list[tuple[str, str | None]] = []

    def note(params: Mapping[str, Any], model: Any, **_: Any) -> None:
        owner = params["headers"].get("x-amz-expected-bucket-owner")
        sent.append((model.name, owner.decode() if isinstance(owner, bytes) else owner))

    session.cache_clear()
    session().events.register("before-call.s3", note)
    with chdir(user.folder):
        codes = [
            run(line.split())
            for line in (
                "list",
                "split keys.txt",
                "estimate",
                "run --phase restore",
                "run --phase copy --wait",
                "verify",
            )
        ]

    assert codes == [0] * len(codes), capfd.readouterr()
    assert {"HeadBucket", "HeadObject", "ListObjectsV2", "GetBucketVersioning"} <= {name for name, _ in sent}
    assert [name for name, owner in sent if owner != OWNER] == []


def test_no_secret_is_told_or_kept(user: User) -> None:
    """Neither credentials nor a session's token are in any output, log, file or state, whether all goes well or not."""
    user.environ |= SECRETS
    user.archives(["a"])
    user.writes("keys.txt", "a\nmissing\n")

    told = [
        user.types(f"s3reclass {line}")
        for line in (
            "split keys.txt",
            "run --phase restore --dry-run",
            "run --phase restore --no-estimate",
            "run --phase copy --audit --no-estimate",
            "report --csv report.csv",
            "status --json",
            "logs 0",
            "verify",
            "list s3://no-such-bucket --output listed.csv",
        )
    ]

    assert [typed.code for typed in told] == [0, 0, 3, 3, 3, 3, 0, 3, 1]
    kept = [file.read_bytes().decode(errors="replace") for file in user.folder.rglob("*") if file.is_file()]
    assert len(kept) > 10
    assert [text for text in [*kept, *(typed.out + typed.err for typed in told)] if "canary" in text] == []
