"""Lots on paper: how many keys each gets, their digest, `lots.json`, and a table of their keys. Pure."""

import hashlib
import json
from collections.abc import Iterable
from typing import Protocol, TypeVar

from orchestrator.errors import S3ReclassError
from orchestrator.model import Lot, Lots
from worker.contract import LotEntry, lot_name, parse_object, whole_number, word

MAX_LOTS = 100_000
"""A lot's name has five digits."""

DEFAULT_LOT_KEYS = 50_000
"""Keys in a lot by default: some minutes' work for a task, so that its start (about a minute) hardly counts."""

FORMAT_VERSION = 1

Value = TypeVar("Value")


class Table(Protocol[Value]):
    """A value for each entry of a lot; a dict is one, `disk_table.py` has another."""

    def get(self, entry: LotEntry, /) -> Value | None:
        """The entry's value, or None."""

    def __setitem__(self, entry: LotEntry, value: Value, /) -> None:
        """Set the entry's value."""


def lot_sizes(keys: int, *, lots: int | None = None, lot_keys: int | None = None) -> tuple[int, ...]:
    """
    How many keys each lot gets, in order; never 0.

    keys: in all lots, at least 1.
    lots: how many lots. Their sizes differ by one at most; with fewer keys than lots, each lot gets one key.
    lot_keys: keys in every lot but the last, which gets the rest; DEFAULT_LOT_KEYS when neither is given.
    Raises S3ReclassError for more than MAX_LOTS lots.
    """
    if lots is not None:
        size, larger = divmod(keys, min(lots, keys))
        sizes = (size + 1,) * larger + (size,) * (min(lots, keys) - larger)
    else:
        size = lot_keys or DEFAULT_LOT_KEYS
        full, rest = divmod(keys, size)
        sizes = (size,) * full + ((rest,) if rest else ())
    if len(sizes) > MAX_LOTS:
        least = -(-keys // MAX_LOTS)
        raise S3ReclassError(
            f"{len(sizes):,} lots are too many, {MAX_LOTS:,} is the most: give --lot-size {least} or more; "
            "nothing was written"
        )
    return sizes


def lots_digest(lots: Iterable[Lot]) -> str:
    r"""
    The digest of lots, in hex: sha256 over `<name> <sha256>\n` of each, in order.

    Its first 12 digits are the job's id.
    """
    return hashlib.sha256("".join(f"{lot.name} {lot.sha256}\n" for lot in lots).encode()).hexdigest()


def format_lots(lots: Lots) -> str:
    """The text of lots.json."""
    document = {
        "version": FORMAT_VERSION,
        "job": lots.job,
        "digest": lots.digest,
        "keys": lots.keys,
        "buckets": list(lots.buckets),
        "source": {"name": lots.source, "path": lots.source_path, "sha256": lots.source_sha256},
        "blank_lines": lots.blank_lines,
        "duplicates": lots.duplicates,
        "lots": [
            {"name": lot.name, "file": f"{lot.name}.csv", "keys": lot.keys, "sha256": lot.sha256} for lot in lots.lots
        ],
    }
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def parse_lots(text: str | bytes) -> Lots:
    """The lots that a lots.json names. Raises ValueError, saying what is wrong, when it isn't ours or isn't whole."""
    try:
        document = parse_object(text)
        if document["version"] != FORMAT_VERSION:
            raise ValueError(f"its version is {document['version']!r}, and this s3reclass knows {FORMAT_VERSION}")
        lots = Lots(
            lots=tuple(
                Lot(name=word(lot["name"]), keys=whole_number(lot["keys"]), sha256=word(lot["sha256"]))
                for lot in document["lots"]
            ),
            digest=word(document["digest"]),
            buckets=tuple(map(word, document["buckets"])),
            source=word(document["source"]["name"]),
            source_path=word(document["source"]["path"]),
            source_sha256=word(document["source"]["sha256"]),
            blank_lines=whole_number(document["blank_lines"]),
            duplicates=whole_number(document["duplicates"]),
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{error!r} is missing or isn't what it should be") from error
    if [lot.name for lot in lots.lots] != [lot_name(number) for number in range(len(lots.lots))] or not lots.lots:
        raise ValueError("its lots aren't numbered from 0 without a gap")
    if lots_digest(lots.lots) != lots.digest:
        raise ValueError("its digest isn't that of its lots")
    return lots
