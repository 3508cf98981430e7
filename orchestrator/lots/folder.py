"""
The folder of lots on disk, read back; `split/write_lots.py` writes it.

`lots.json` names every lot. It exists only while the lots are whole.
"""

import hashlib
from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path

from orchestrator.errors import S3ReclassError
from orchestrator.lots.manifest import parse_lots
from orchestrator.model import Lot, Lots
from worker.contract import ContractError, LotEntry, parse_lot, parse_lot_line

LOTS_JSON = "lots.json"
BLOCK_BYTES = 1 << 20


def lot_path(folder: Path | str, lot: Lot) -> Path:
    """The lot's file."""
    return Path(folder) / f"{lot.name}.csv"


def read_lots(folder: Path | str) -> Lots:
    """
    The lots that the folder's lots.json names; their files aren't read.

    Raises S3ReclassError when the folder or its lots.json is missing or damaged.
    """
    path = Path(folder) / LOTS_JSON
    try:
        text = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        raise S3ReclassError(f"there are no lots in {folder}/: run `s3reclass split` first") from None
    except OSError as error:
        raise S3ReclassError(f"{path} can't be read: {error.strerror}") from error
    try:
        return parse_lots(text)
    except ValueError as error:
        raise S3ReclassError(f"{path} is damaged ({error}): run `s3reclass split --force`") from error


def verify_lots(folder: Path | str, lots: Lots) -> None:
    """Raise S3ReclassError naming the first lot whose file is missing or isn't what lots.json says."""
    for lot in lots.lots:
        digest = hashlib.sha256()
        for chunk in _chunks(lot_path(folder, lot)):
            digest.update(chunk)
        if digest.hexdigest() != lot.sha256:
            raise S3ReclassError(
                f"{lot_path(folder, lot)} isn't the lot that {LOTS_JSON} names: it was changed after `split`; "
                "split the key file again"
            )


def iter_lot(folder: Path | str, lot: Lot, buckets: Collection[str] = ()) -> Iterator[LotEntry]:
    """
    The lot's entries, in order, read as a stream.

    buckets: the job's; without any, every bucket is taken.
    Raises S3ReclassError naming a line that isn't a lot's, and at the end when the bytes weren't the lot's.
    """
    path = lot_path(folder, lot)
    return entries_in(_chunks(path), lot, buckets, where=str(path), advice="split the key file again")


def _chunks(path: Path) -> Iterator[bytes]:
    try:
        with path.open("rb") as file:
            while chunk := file.read(BLOCK_BYTES):
                yield chunk
    except FileNotFoundError:
        raise S3ReclassError(f"{path} is missing: split the key file again") from None
    except OSError as error:
        raise S3ReclassError(f"{path} can't be read: {error.strerror}") from error


def entries_in(
    chunks: Iterable[bytes], lot: Lot, buckets: Collection[str], *, where: str, advice: str
) -> Iterator[LotEntry]:
    """
    The entries in a lot's bytes, in order.

    buckets: as for `iter_lot`. where, advice: for messages: where the bytes are, and what to do.
    Raises S3ReclassError as `iter_lot` does.
    """
    number, digest = 0, hashlib.sha256()

    def seen() -> Iterator[bytes]:
        for chunk in chunks:
            digest.update(chunk)
            yield chunk

    try:
        for number, entry in enumerate(parse_lot(seen()), start=1):
            if buckets and entry.bucket not in buckets:
                raise ContractError(f"line {number}: {entry.bucket} is none of the job's buckets")  # noqa: TRY301 (one message for all)
            yield entry
    except ContractError as error:
        raise S3ReclassError(f"{where}, {error}: {advice}") from error
    if number != lot.keys:
        raise S3ReclassError(f"{where} has {number:,} lines, and {lot.name} of the job {lot.keys:,}: {advice}")
    if digest.hexdigest() != lot.sha256:
        raise S3ReclassError(f"{where} isn't {lot.name} of the job, its sha256 is another: {advice}")


def sample_entries(folder: Path | str, lots: Lots, indexes: Iterable[int]) -> tuple[LotEntry, ...]:
    """
    The entries at these places in the key file's order, counted from 0 and sorted; only their lots are read.

    indexes: below `lots.keys`; one given twice is taken once.
    """
    return tuple(entry for _, entries in sample_by_lot(folder, lots, indexes) for entry in entries)


def sample_by_lot(folder: Path | str, lots: Lots, indexes: Iterable[int]) -> Iterator[tuple[Lot, tuple[LotEntry, ...]]]:
    """The entries of `sample_entries`, lot by lot; lots without any are left out."""
    wanted = sorted(set(indexes))
    found = first = 0
    for lot in lots.lots:
        here = [index - first for index in wanted[found:] if index < first + lot.keys]
        if here:
            yield lot, tuple(entries_at(folder, lot, here))
        found += len(here)
        first += lot.keys


def entries_at(folder: Path | str, lot: Lot, indexes: Sequence[int]) -> list[LotEntry]:
    """
    The entries at these lines of a lot; the other lines aren't parsed.

    indexes: counted from 0, ascending, at least one.
    Raises S3ReclassError when the lot can't be read.
    """
    found: list[LotEntry] = []
    path = lot_path(folder, lot)
    try:
        with path.open(encoding="utf-8", newline="\n") as file:
            for number, line in enumerate(file):
                if number == indexes[len(found)]:
                    found.append(parse_lot_line(line.removesuffix("\n")))
                    if len(found) == len(indexes):
                        return found
    except (OSError, ContractError, UnicodeDecodeError) as error:
        raise S3ReclassError(f"{path} can't be read ({error}): split the key file again") from error
    raise S3ReclassError(f"{path} has fewer lines than {LOTS_JSON} says: split the key file again")
