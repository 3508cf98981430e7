"""
The disk side of `split`: batches of lot lines become the folder of lots, or nothing changes.

Lines go to a spool file first, as the number of keys decides the lots' sizes. Everything is made in
`<folder>/.splitting/` and moved into place at the end, so that a kill at any point leaves either the
old lots, whole, or no lots.json. What others keep in the folder is never touched.
"""

import errno
import fcntl
import hashlib
import os
import re
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from orchestrator.errors import S3ReclassError
from orchestrator.lots.folder import LOTS_JSON, lot_path, read_lots, verify_lots
from orchestrator.lots.manifest import format_lots, lots_digest
from orchestrator.model import Lot, Lots
from orchestrator.split.dedupe import Fingerprints, remove_duplicates
from orchestrator.split.key_lines import Batch, add_prefix
from orchestrator.split.line_files import LineFile, LinePieces, write_all
from worker.contract import lot_name

SCRATCH = ".splitting"
COMING = f"{LOTS_JSON}.new"
"""The lots.json to be, while the lots are moved into place: it tells a killed split's lots from a stranger's files."""

_LOT_FILE = re.compile(r"lot-\d{5}\.csv")
FEW_LOTS = 1_000
"""Up to so many lots, each file is synced to disk; with more, one sync of everything is sooner done."""

MANY_LINES, FEW_KEYS_IN = 100, 20
"""Where one line in FEW_KEYS_IN, or less, is a key of its own, another column of a table was read."""

Sizes = Callable[[int], Sequence[int]]
OnStep = Callable[[str], None]


@dataclass(frozen=True, kw_only=True, slots=True)
class Origin:
    """
    The key file that lots are made of.

    name: as the user named it. path: absolute, or "" when it has none.
    sha256: gives the digest of its bytes, in hex, once they have been read.
    repeats: whether nearly all of its lines may be duplicates.
    """

    name: str
    path: str
    sha256: Callable[[], str]
    repeats: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Written:
    """
    What `write_lots` did.

    lots: what the folder now holds.
    changed: whether anything was written; not when the same lots were there already.
    replaced: the job whose lots these replaced, or "".
    """

    lots: Lots
    changed: bool
    replaced: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Spooled:
    """
    What went into the spool.

    prefix: what each lot line begins with, and no line of the spool.
    fingerprints: of the lines, to look for duplicates; None when every key is greater than the one before it, so
        that none repeats.
    """

    keys: int
    blank_lines: int
    buckets: tuple[str, ...]
    prefix: bytes
    fingerprints: Fingerprints | None


def write_lots(
    batches: Iterable[Batch], folder: Path, *, origin: Origin, sizes: Sizes, force: bool, on_step: OnStep
) -> Written:
    """
    What was written: these batches' lines, without duplicates, cut into lots.

    sizes: gives each lot's number of keys for the number of all.
    force: replace lots that another key file made.
    on_step: told now and then what is being done.
    Raises S3ReclassError, with the folder as it was, when there is no key, when a line can't be read (what
    `batches` raises), when the lots of another key file are there, and when the disk refuses.
    """
    try:
        with _scratch(folder) as scratch:
            lots = _make(batches, scratch, origin=origin, sizes=sizes, on_step=on_step)
            old = _lots_there(folder)
            if old and old.digest == lots.digest and _are_whole(folder, old):
                return Written(lots=old, changed=False)
            if not force:
                _refuse_to_replace(folder, old, lots)
            _publish(lots, scratch, folder)
            return Written(lots=lots, changed=True, replaced=old.job if old and old.job != lots.job else "")
    except OSError as error:
        raise S3ReclassError(f"{folder}/ can't be written: {error.strerror or error}") from error


def _make(batches: Iterable[Batch], scratch: Path, *, origin: Origin, sizes: Sizes, on_step: OnStep) -> Lots:
    """The lots that these batches make, their files in `scratch`. Raises S3ReclassError when there is no key."""
    with LineFile(scratch / "spool") as spool, LineFile(scratch / "unique") as unique:
        spooled = _spool(batches, spool, scratch, on_step)
        if not spooled.keys:
            raise S3ReclassError(f"there is no key in {origin.name}; nothing was written")
        duplicates = 0
        if spooled.fingerprints:
            duplicates = remove_duplicates(spool, unique, spooled.fingerprints, scratch, on_step=on_step)
        if not origin.repeats:
            _refuse_duplicates(origin.name, spooled.keys, spooled.keys - duplicates)
        if duplicates:
            spool.path.unlink()
        lines = unique if duplicates else spool
        cut = _cut(lines, spooled.prefix, sizes(spooled.keys - duplicates), scratch, on_step)
    return Lots(
        lots=cut,
        digest=lots_digest(cut),
        buckets=spooled.buckets,
        source=origin.name,
        source_path=origin.path,
        source_sha256=origin.sha256(),
        blank_lines=spooled.blank_lines,
        duplicates=duplicates,
    )


def _refuse_duplicates(name: str, lines: int, keys: int) -> None:
    """Raise S3ReclassError when many lines name few keys: hardly the keys were read."""
    if lines >= MANY_LINES and keys * FEW_KEYS_IN <= lines:
        raise S3ReclassError(
            f"{name}: its {lines:,} lines name {keys:,} {'key' if keys == 1 else 'keys'}, over and over: is that the "
            "key's column? Say --key-column N, or --as-is if it is; nothing was written"
        )


@contextmanager
def _scratch(folder: Path) -> Iterator[Path]:
    """
    An empty folder in the folder of lots, ours alone while it lasts; a new folder of lots goes with it if left empty.

    In there, as the lots can then be moved and not copied, and nothing else of the user's is written to.
    Raises S3ReclassError when another split is at work in it; what a killed one left is removed.
    """
    made = not folder.exists()
    folder.mkdir(parents=True, exist_ok=True)
    scratch = folder / SCRATCH
    lock = os.open(folder, os.O_RDONLY)
    try:
        _lock(lock, folder)
        try:
            shutil.rmtree(scratch, ignore_errors=True)
            scratch.mkdir()
            yield scratch
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
            if made and not any(folder.iterdir()):
                folder.rmdir()
    finally:
        os.close(lock)


def _lock(opened: int, folder: Path) -> None:
    """Lock the opened folder until it is closed. Raises S3ReclassError when another split has."""
    try:
        fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise S3ReclassError(f"another `s3reclass split` is writing to {folder}/: wait for it") from None
    except OSError as error:
        # Some network file systems have no locks: do without.
        if error.errno not in (errno.ENOLCK, errno.ENOTSUP, errno.ENOSYS):
            raise


def _spool(batches: Iterable[Batch], spool: LineFile, scratch: Path, on_step: OnStep) -> _Spooled:
    """What was written to the spool: all batches' lines."""
    keys = blank_lines = 0
    prefix, last, buckets = b"", b"", set[str]()
    fingerprints: Fingerprints | None = None
    for batch in batches:
        if batch.keys:
            if not fingerprints and not (batch.ascending and (not keys or last < batch.first)):
                fingerprints = Fingerprints(scratch)
                for block, _ in spool.blocks():
                    fingerprints.add(block[:-1].split(b"\n"))
            if fingerprints:
                fingerprints.add(batch.split_lines())
            spool.append(batch.lines, batch.keys)
            prefix, last = batch.prefix, batch.last
            keys += batch.keys
            buckets |= batch.buckets
        blank_lines += batch.blank_lines
        on_step(f"{keys:,} keys read")
    return _Spooled(
        keys=keys,
        blank_lines=blank_lines,
        buckets=tuple(sorted(buckets)),
        prefix=prefix,
        fingerprints=fingerprints,
    )


def _cut(lines: LineFile, prefix: bytes, sizes: Sequence[int], scratch: Path, on_step: OnStep) -> tuple[Lot, ...]:
    """The lots that these lines make, the prefix before each, written to `scratch`."""
    pieces = LinePieces(lines)
    lots = []
    for number, size in enumerate(sizes):
        name, digest = lot_name(number), hashlib.sha256()
        with (scratch / f"{name}.csv").open("wb", buffering=0) as file:
            for piece in pieces.take(size):
                lot_lines = add_prefix(piece, prefix)
                digest.update(lot_lines)
                write_all(file, lot_lines)
            if len(sizes) <= FEW_LOTS:
                os.fsync(file.fileno())
        lots.append(Lot(name=name, keys=size, sha256=digest.hexdigest()))
        on_step(f"{number + 1:,} of {len(sizes):,} lots written")
    if len(sizes) > FEW_LOTS:
        os.sync()
    return tuple(lots)


def _lots_there(folder: Path) -> Lots | None:
    """The lots that the folder holds now, or None when it has no lots.json, or a damaged one."""
    try:
        return read_lots(folder)
    except S3ReclassError:
        return None


def _are_whole(folder: Path, lots: Lots) -> bool:
    """Whether every lot's file is what lots.json says."""
    try:
        verify_lots(folder, lots)
    except S3ReclassError:
        return False
    return True


def _refuse_to_replace(folder: Path, old: Lots | None, new: Lots) -> None:
    """
    Raise S3ReclassError when the folder holds what isn't ours to replace.

    | in the folder | replaced |
    |---|---|
    | lots of the same key file: its path or its content | yes |
    | lots of another key file | no |
    | no lots, or what a killed split left | yes |
    | lot files, or a damaged lots.json, of unknown origin | no |
    """
    if old:
        same_path = old.source_path and old.source_path == new.source_path
        if not same_path and old.source_sha256 != new.source_sha256:
            raise S3ReclassError(
                f"{folder}/ holds the lots of another key file ({old.source}, job {old.job}): say --force to replace "
                "them, or --lots-dir for another folder"
            )
    elif not (folder / COMING).exists() and (_lot_files(folder) or (folder / LOTS_JSON).exists()):
        raise S3ReclassError(
            f"{folder}/ holds lots that no sound {LOTS_JSON} names: say --force to replace them, "
            "or --lots-dir for another folder"
        )


def _lot_files(folder: Path) -> list[Path]:
    """The lots' files in a folder."""
    return [path for path in folder.iterdir() if _LOT_FILE.fullmatch(path.name)]


def _publish(lots: Lots, scratch: Path, folder: Path) -> None:
    """Move the lots from `scratch` into the folder; lots.json goes first and comes back last."""
    whole, coming = scratch / COMING, folder / COMING
    with whole.open("wb") as file:
        file.write(format_lots(lots).encode())
        _sync(file)
    whole.replace(coming)
    (folder / LOTS_JSON).unlink(missing_ok=True)
    _sync_folder(folder)
    for path in _lot_files(folder):
        path.unlink()
    for lot in lots.lots:
        lot_path(scratch, lot).rename(lot_path(folder, lot))
    _sync_folder(folder)
    coming.replace(folder / LOTS_JSON)
    _sync_folder(folder)


def _sync(file: BinaryIO) -> None:
    """Have what was written on the disk before going on."""
    file.flush()
    os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    """Have the folder's names on the disk before going on."""
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
