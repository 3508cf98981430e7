"""
What the worker image is built from: the worker's source, the Dockerfile, the pinned requirements, and perhaps lots.

The files are in the repository; an installed package carries the same ones.
"""

import io
import tarfile
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import IO

from orchestrator.errors import S3ReclassError
from orchestrator.image.tag import ContextFile
from orchestrator.lots.folder import LOTS_JSON, lot_path
from orchestrator.model import Lots

_PACKAGE = Path(__file__).resolve().parents[1]

SPOOL_BYTES = 16 << 20
"""A context up to this size stays in memory; the lots of 10 million keys are a gigabyte."""


def read_worker_files(package: Path = _PACKAGE) -> tuple[ContextFile, ...]:
    """
    Every file that the image is built from, lots aside, sorted by path.

    package: the folder of the `orchestrator` package; `worker` stands beside it.
    Raises S3ReclassError when the installation lacks one.
    """
    files = [
        _read(path, path.relative_to(package.parent).as_posix())
        for path in (package.parent / "worker").rglob("*")
        # Python and editors leave other files there.
        if path.is_file() and "__pycache__" not in path.parts and not path.name.startswith(".")
        if not path.name.endswith(("~", ".pyc"))
    ]
    for name in ("Dockerfile", "requirements/worker.txt"):
        # A wheel carries them inside the package; in the repository they are at its root.
        inside, beside = package / name, package.parent / name
        files.append(_read(inside if inside.is_file() else beside, name))
    return tuple(sorted(files, key=lambda file: file.path))


def _read(path: Path, name: str) -> ContextFile:
    try:
        return ContextFile(path=name, data=path.read_bytes())
    except OSError as error:
        raise S3ReclassError(
            f"the worker's {name} can't be read at {path} ({error.strerror}): install s3reclass again"
        ) from error


def pack_context(
    files: Sequence[ContextFile], *, lots: Lots | None = None, lots_folder: Path | None = None
) -> IO[bytes]:
    """
    The build context as an open tar file, at its beginning; the caller closes it.

    The same content makes the same bytes: sorted, no times, no owners, every file readable by all.
    lots, lots_folder: the lots to put into `lots/`, which `verify_lots` has checked.
    """
    context = tempfile.SpooledTemporaryFile(max_size=SPOOL_BYTES)  # noqa: SIM115 (the caller closes it)
    with tarfile.open(fileobj=context, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for file in sorted(files, key=lambda file: file.path):
            tar.addfile(_header(file.path, len(file.data)), io.BytesIO(file.data))
        if lots and lots_folder:
            for path in (*(lot_path(lots_folder, lot) for lot in lots.lots), lots_folder / LOTS_JSON):
                with path.open("rb") as stream:
                    tar.addfile(_header(f"lots/{path.name}", path.stat().st_size), stream)
    context.seek(0)
    return context


def _header(name: str, size: int) -> tarfile.TarInfo:
    """A file's entry: mode 644, and TarInfo's defaults: owned by root, dated 1970."""
    header = tarfile.TarInfo(name)
    header.size = size
    header.mode = 0o644
    return header
