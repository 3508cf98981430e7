"""
The folder of lots on disk, for those who read it; `lots_writer.py` writes it.

`lots.json` names every lot and is there only while the lots are whole.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from orchestrator.errors import S3ReclassError
from orchestrator.model import Lot, Lots
from orchestrator.planning.lots import parse_lots
from worker.contract import ContractError, LotEntry, parse_lot_line

LOTS_JSON = "lots.json"
BLOCK_BYTES = 1 << 20


def lot_path(folder: Path | str, lot: Lot) -> Path:
    """The lot's file."""
    return Path(folder) / f"{lot.name}.csv"


def read_lots(folder: Path | str) -> Lots:
    """
    The lots that the folder's lots.json names; their files aren't looked at.

    Raises S3ReclassError when the folder or its lots.json isn't there or is damaged.
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
    """Raise S3ReclassError naming the first lot whose file isn't there or isn't what lots.json says."""
    for lot in lots.lots:
        if _sha256(lot_path(folder, lot)) != lot.sha256:
            raise S3ReclassError(
                f"{lot_path(folder, lot)} isn't the lot that {LOTS_JSON} names: it was changed after `split`; "
                "split the key file again"
            )


def _sha256(path: Path) -> str:
    """The digest of a lot's bytes, in hex."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError:
        raise S3ReclassError(f"{path} is missing: split the key file again") from None
    except OSError as error:
        raise S3ReclassError(f"{path} can't be read: {error.strerror}") from error


def iter_lot(folder: Path | str, lot: Lot) -> Iterator[LotEntry]:
    """The lot's entries, in order, read as a stream. Raises S3ReclassError naming a line that isn't a lot's."""
    path = lot_path(folder, lot)
    number = 0
    try:
        with path.open(encoding="utf-8", newline="\n") as file:
            for number, line in enumerate(file, start=1):  # noqa: B007 (used in the message below)
                yield parse_lot_line(line.removesuffix("\n"))
    except FileNotFoundError:
        raise S3ReclassError(f"{path} is missing: split the key file again") from None
    except OSError as error:
        raise S3ReclassError(f"{path} can't be read: {error.strerror}") from error
    except (ContractError, UnicodeDecodeError) as error:
        raise S3ReclassError(f"{path}, line {number}: {error}: split the key file again") from error


def iter_entries(folder: Path | str, lots: Lots) -> Iterator[LotEntry]:
    """Every entry of the job, in the key file's order, read as a stream."""
    for lot in lots.lots:
        yield from iter_lot(folder, lot)


def sample_entries(folder: Path | str, lots: Lots, indexes: Iterable[int]) -> tuple[LotEntry, ...]:
    """
    The entries at these places in the key file's order, from 0, sorted by place; only their lots are read.

    indexes: below `lots.keys`; given twice, taken once.
    """
    return tuple(entry for _, entries in sample_by_lot(folder, lots, indexes) for entry in entries)


def sample_by_lot(folder: Path | str, lots: Lots, indexes: Iterable[int]) -> Iterator[tuple[Lot, tuple[LotEntry, ...]]]:
    """The same entries, each lot's together; lots without any are left out."""
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
    The entries at these lines of a lot, from 0 and ascending, at least one; the other lines aren't parsed.

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
