"""The versions that matter when something isn't as it should be: ours, Python's, the libraries'. Calls AWS."""

import platform
import sys
from importlib.metadata import PackageNotFoundError, version

PACKAGES = ("s3reclass", "boto3", "botocore", "click", "docker", "rich")


def versions() -> list[str]:
    """A line for each: s3reclass first, what it builds on, Python, the system."""
    return [
        *(f"{package} {_version(package)}" for package in PACKAGES),
        f"Python {sys.version}",
        f"platform {platform.platform()}",
    ]


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        # As when a clone is run without being installed.
        return "isn't installed"
