"""Hand-made wheels without a module in them, in a folder that pip takes for its index."""

import base64
import hashlib
import re
import zipfile
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import NamedTuple

NEWER = "9999.1"
"""A release newer than any that a lock pins."""


class Pin(NamedTuple):
    """A line of a lock."""

    name: str
    version: str
    marker: str

    @property
    def line(self) -> str:
        """The line, its hash left out."""
        return f"{self.name}=={self.version}" + (f" ; {self.marker}" if self.marker else "")


def pins(lock: str) -> list[Pin]:
    """What a lock names, in its order."""
    lines = re.findall(r"^([\w.-]+)==([^ ]+)(?: ; (.*?))? \\$", lock, re.MULTILINE)
    return [Pin(*line) for line in lines]


def requirements_of(name: str) -> list[str]:
    """What the package itself says that it needs, if it is installed here."""
    try:
        return distribution(name).requires or []
    except PackageNotFoundError:
        return []


def installed_version(name: str) -> str:
    """The version of the package that is installed here, or ""."""
    try:
        return distribution(name).version
    except PackageNotFoundError:
        return ""


def with_extras(requirements: Iterable[str]) -> set[str]:
    """The names of the packages that are required with an extra, as in `coverage[toml]>=7`."""
    return {found[1] for one in requirements if (found := re.match(r"([\w.-]+)\[", one))}


def write_wheel(folder: Path, name: str, version: str, requirements: Iterable[str] = ()) -> str:
    """Write a wheel that has nothing but its name, version and requirements: its sha256."""
    stem = re.sub(r"[-_.]+", "_", name).lower()
    known = {one for line in requirements for one in re.findall(r"extra == ['\"]([\w.-]+)['\"]", line)}
    metadata = [
        *("Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}"),
        *(f"Provides-Extra: {one}" for one in sorted(known)),
        *(f"Requires-Dist: {one}" for one in requirements),
    ]
    files = {
        "METADATA": "\n".join(metadata) + "\n",
        "WHEEL": "Wheel-Version: 1.0\nGenerator: hand\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{stem}-{version}.dist-info/{path},{_digest(text)},{len(text)}\n" for path, text in files.items())
    path = folder / f"{stem}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as wheel:
        for inside, text in {**files, "RECORD": f"{record}{stem}-{version}.dist-info/RECORD,,\n"}.items():
            # Dated 1980, as ZipInfo begins: the same wheel has the same digest.
            wheel.writestr(zipfile.ZipInfo(f"{stem}-{version}.dist-info/{inside}"), text)
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _digest(text: str) -> str:
    return "sha256=" + base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).decode().rstrip("=")
