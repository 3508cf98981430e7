"""`s3reclass --version`."""

import platform
import sys
from importlib.metadata import version

import pytest

from orchestrator.cli import run


def test_the_versions_of_what_matters_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    """s3reclass's own first, for scripts; what it builds on, Python and the system, for reports."""
    code = run(["--version"])
    lines = capsys.readouterr().out.splitlines()

    assert code == 0
    assert lines == [
        *(f"{name} {version(name)}" for name in ("s3reclass", "boto3", "botocore", "click", "docker", "rich")),
        f"Python {sys.version}",
        f"platform {platform.platform()}",
    ]
