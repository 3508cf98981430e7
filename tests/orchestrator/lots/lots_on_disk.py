"""Lots on disk for tests, made without `split`."""

from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

from orchestrator.lots.folder import iter_lot
from orchestrator.lots.manifest import format_lots, lots_digest
from orchestrator.model import Lot, Lots
from worker.contract import LotEntry, format_lot_line, lot_name


def write_lots(folder: Path, *lots: list[str], bucket: str = "bucket", version_id: str = "") -> Lots:
    """The lots of these keys, written to the folder; each line names the version, if one is given."""
    folder.mkdir(exist_ok=True)
    named = []
    for number, keys in enumerate(lots):
        text = "".join(
            format_lot_line(LotEntry(bucket=bucket, key=key, version_id=version_id)) for key in keys
        ).encode()
        (folder / f"{lot_name(number)}.csv").write_bytes(text)
        named.append(Lot(name=lot_name(number), keys=len(keys), sha256=sha256(text).hexdigest()))
    made = Lots(lots=tuple(named), digest=lots_digest(named), buckets=(bucket,), source="keys.txt")
    (folder / "lots.json").write_text(format_lots(made), encoding="utf-8")
    return made


def iter_entries(folder: Path | str, lots: Lots) -> Iterator[LotEntry]:
    """Every entry of the job, in the key file's order."""
    return (entry for lot in lots.lots for entry in iter_lot(folder, lot, lots.buckets))
