"""A user's folder with an AWS behind it: commands run as typed, against moto's server."""

import io
import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import chdir, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from unittest.mock import patch

import boto3
import pytest

from orchestrator.cli import run
from orchestrator.common.aws_sessions import session

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

BUCKET = "photos"


@dataclass
class Typed:
    """What a command left: its exit code, standard output and standard error."""

    code: int
    out: str
    err: str


class User:
    """Somebody with a folder, a bucket and a command line."""

    def __init__(self, folder: Path, endpoint: str) -> None:
        """Make the user's bucket."""
        self.folder = folder
        self._started: list[subprocess.Popen[str]] = []
        self.environ = {name: value for name, value in os.environ.items() if not name.startswith("S3RECLASS_")}
        self.endpoint = endpoint
        self.s3: S3Client = boto3.client("s3", endpoint_url=endpoint)
        self.s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})

    def types(self, line: str) -> Typed:
        """Run a command line as typed; in this process, which spares each the wait for its imports."""
        out, err = io.StringIO(), io.StringIO()
        session.cache_clear()
        with (
            chdir(self.folder),
            patch.dict(os.environ, self.environ, clear=True),
            redirect_stdout(out),
            redirect_stderr(err),
        ):
            code = run(shlex.split(line)[1:])
        return Typed(code, out.getvalue(), err.getvalue())

    def starts(self, line: str) -> subprocess.Popen[str]:
        """Start a command line as typed, and don't wait."""
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "orchestrator", *shlex.split(line)[1:]],
            cwd=self.folder,
            env=self.environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._started.append(process)
        return process

    def leaves(self) -> None:
        """End what was started and runs on, as a test that fails leaves it: with its tasks, which Ctrl-C ends."""
        for process in [one for one in self._started if one.poll() is None]:
            process.send_signal(signal.SIGINT)
            try:
                process.communicate(timeout=30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.communicate(timeout=30)

    def archives(self, keys: Iterable[str], storage_class: str = "GLACIER") -> None:
        """Put an object under each key, in this class, with metadata and tags."""
        for key in keys:
            self.s3.put_object(
                Bucket=BUCKET,
                Key=key,
                Body=key.encode(),
                StorageClass=storage_class,  # type: ignore[arg-type]  # a str here, a Literal in the stubs
                Metadata={"made-by": "camera"},
                Tagging="keep=yes",
                ContentType="image/jpeg",
            )

    def writes(self, name: str, text: str) -> None:
        """Write a file in the folder."""
        (self.folder / name).write_text(text, encoding="utf-8", newline="\n")

    def classes(self, keys: Iterable[str]) -> set[str]:
        """The classes that these objects are in."""
        return {self.s3.head_object(Bucket=BUCKET, Key=key).get("StorageClass", "STANDARD") for key in keys}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give each of these tests five minutes: a dozen Pythons, one after another, take minutes on a busy machine."""
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent) and not item.get_closest_marker("timeout"):
            item.add_marker(pytest.mark.timeout(300))


@pytest.fixture
def user(aws: str, tmp_path: Path) -> Iterator[User]:
    """A user of the local place, in an empty folder."""
    folder = tmp_path / "folder"
    folder.mkdir()
    user = User(folder, aws)
    user.writes("s3reclass.toml", f'bucket = "{BUCKET}"\nstorage_class = "STANDARD_IA"\nplace = "local"\n')
    yield user
    user.leaves()
