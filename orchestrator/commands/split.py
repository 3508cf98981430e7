"""`s3reclass split`: a key file becomes the folder of lots."""

import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import click

from orchestrator.common.clock import Clock
from orchestrator.common.output import say, tell
from orchestrator.errors import S3ReclassError, UsageError
from orchestrator.lots.folder import lot_path
from orchestrator.lots.manifest import DEFAULT_LOT_KEYS, MAX_LOTS, lot_sizes
from orchestrator.model import Lots
from orchestrator.settings.options import uses_settings
from orchestrator.settings.settings import Settings
from orchestrator.split.dedupe import FEW_REPEATS, Fingerprints, OnStep, objects_named_again
from orchestrator.split.key_lines import Batch, Kind, check_bucket, read_lines
from orchestrator.split.key_sample import Choices
from orchestrator.split.key_source import CHUNK_BYTES, KeySource, open_key_source
from orchestrator.split.key_table import read_table
from orchestrator.split.recognise import recognise
from orchestrator.split.write_lots import Origin, Written, write_lots
from worker.contract import ARCHIVE_CLASSES

PROGRESS_EVERY_S = 5


@click.command()
@click.argument("key_file", metavar="KEY_FILE")
@click.option(
    "--lots", "lot_count", type=click.IntRange(1, MAX_LOTS), metavar="N", help="Cut into N lots of the same size."
)
@click.option(
    "--lot-size",
    "lot_keys",
    type=click.IntRange(1),
    metavar="K",
    help=f"Cut into lots of K keys (default, without --lots: {DEFAULT_LOT_KEYS:,}).",
)
@click.option(
    "--format",
    "kind",
    type=click.Choice([kind.value for kind in Kind]),
    help="How KEY_FILE is written; guessed from its name (.csv, .tsv, else lines).",
)
@click.option("--delimiter", metavar="CHARACTER", help="CSV: what stands between two cells (default: a comma).")
@click.option(
    "--key-column",
    metavar="COLUMN",
    help="CSV and TSV: the key's column, by name or number (default: the header's, or 1).",
)
@click.option("--version-column", metavar="COLUMN", help="CSV and TSV: the version id's column (default: none).")
@click.option("--bucket-column", metavar="COLUMN", help="CSV and TSV: the bucket's column (default: --bucket for all).")
@click.option(
    "--header/--no-header", default=None, help="CSV and TSV: whether row 1 is a header (default: as it looks)."
)
@click.option("--url-encoded", is_flag=True, help="Keys are URL-encoded, as in S3 Inventory's reports.")
@click.option("--keep-uris", is_flag=True, help="Take keys that begin with s3://BUCKET/ as they are.")
@click.option("--as-is", is_flag=True, help="Take lines, or the key's column, for keys, whatever they look like.")
@click.option("--force", is_flag=True, help="Replace lots that another key file made.")
@uses_settings("bucket", "lots")
def command(
    *,
    key_file: str,
    lot_count: int | None,
    lot_keys: int | None,
    force: bool,
    settings: Settings,
    **choices: Any,
) -> None:
    """
    Cut KEY_FILE into lots: each is the work of one task. `-` is standard input; gzip is unpacked.

    \b
        s3reclass split keys.txt --lots 20
        s3reclass split keys.csv --key-column key --version-column version_id
        s3reclass split inventory.csv.gz --bucket-column 1 --key-column 2 --url-encoded

    split tells what KEY_FILE holds by its name and its first lines. It reads the columns that a header names,
    reports of S3 Batch Operations and s3reclass with their version ids, and URIs of the bucket. What isn't a
    list of keys (`aws s3 ls`, JSON, another encoding, ...) or needs a flag is refused with what to type.
    --as-is takes keys that merely look so.

    Lots are written to lots/ as S3 Batch Operations CSV manifests, in the key file's order. Blank lines
    and duplicates are left out and counted; a line that can't be a key (over 1,024 bytes, not UTF-8,
    empty in its column) is an error that names it, and then nothing is written. In a file of lines
    everything up to the newline is the key, spaces included; if the first line ends in CR LF, as on
    Windows, the CR is no part of any key.

    Memory doesn't grow with the key file. Duplicates are found exactly: keys in ascending order, as S3
    lists them, can't repeat; of other lines 64-bit fingerprints are kept on disk, in lots/, and lines whose
    fingerprints are equal are compared. For a while the disk holds the lots' size again, and another time
    when there are very many duplicates.

    With --version-column, objects are counted that several lines name, with other version ids or without one:
    each of these lines is worked on by itself.

    The lots of the same key file, by its path or its content, are replaced; another key file's only
    with --force.
    """  # noqa: D301 (click reads the backspace itself: "don't rewrap")
    if lot_count is not None and lot_keys is not None:
        raise UsageError("--lots and --lot-size don't go together: give one of them")
    chosen = Choices(**choices)
    if chosen.delimiter is not None and (len(chosen.delimiter.encode()) != 1 or chosen.delimiter in '"\r\n'):
        raise UsageError(f"--delimiter: {chosen.delimiter!r} is not one ASCII character, or is a quote or a line's end")
    if settings.bucket and check_bucket(settings.bucket):
        raise UsageError(f"--bucket: {check_bucket(settings.bucket)}")
    with open_key_source(key_file, sys.stdin.buffer) as source:
        on_step = progress(Clock(), lambda: source.fraction_read)
        batches, versions = _batches(source, chosen, settings)
        written = write_lots(
            _remarked(batches),
            Path(settings.lots),
            origin=Origin(name=source.name, path=source.path, sha256=lambda: source.sha256, repeats=chosen.as_is),
            sizes=partial(lot_sizes, lots=lot_count, lot_keys=lot_keys),
            force=force,
            on_step=on_step,
        )
        if versions:
            _note_versions(written.lots, Path(settings.lots), on_step)
    _sum_up(written, settings, lot_count)


def _batches(source: KeySource, chosen: Choices, settings: Settings) -> tuple[Iterator[Batch], bool]:
    """The key file's batches, read as the user said or as it looks, and whether they may name versions."""
    whole = len(source.start) < CHUNK_BYTES
    reading = recognise(source.start, whole=whole, name=source.name, bucket=settings.bucket, chosen=chosen)
    table = reading.table
    bucket = "" if table and table.bucket is not None else settings.require_bucket()
    for note in reading.notes:
        _note(note)
    if table is None:
        keep = chosen.keep_uris or chosen.as_is
        return read_lines(source.chunks(), name=source.name, bucket=bucket, keep_uris=keep), False
    return read_table(source.chunks(), name=source.name, bucket=bucket, table=table), table.version is not None


def _remarked(batches: Iterator[Batch]) -> Iterator[Batch]:
    """The batches, their remarks told as they come."""
    for batch in batches:
        for remark in batch.remarks:
            _note(remark)
        yield batch


def _note(remark: str) -> None:
    """Print a remark."""
    say(f"note: {remark}")


def progress(clock: Clock, fraction: Callable[[], float | None]) -> Callable[[str], None]:
    """What prints a step's line, at most one every few seconds: small key files are done before the first."""
    last = clock.monotonic()

    def show(step: str) -> None:
        nonlocal last
        if clock.monotonic() - last < PROGRESS_EVERY_S:
            return
        last, read = clock.monotonic(), fraction()
        say(step if read is None or read >= 1 else f"{step}, {read:.0%} of the file")

    return show


def _note_versions(lots: Lots, folder: Path, on_step: OnStep) -> None:
    """Say how many objects are named by several lines: the worker of each takes them for objects of their own."""
    try:
        with TemporaryDirectory(dir=folder, prefix=".versions-") as scratch:
            paths = (lot_path(folder, lot) for lot in lots.lots)
            again = objects_named_again(paths, Fingerprints(Path(scratch)), on_step)
    except OSError as error:
        raise S3ReclassError(f"{folder} can't be used: {error.strerror}") from error
    if again:
        more = "more than " if again > FEW_REPEATS else ""
        _note(
            f"{more}{_count(min(again, FEW_REPEATS), 'object')} named by several lines, with other version ids or "
            "without one: each line may become a copy, one after the other in one lot, perhaps at once in two"
        )


def _sum_up(written: Written, settings: Settings, lot_count: int | None) -> None:
    """Say what was written and what comes next."""
    lots = written.lots
    if lot_count and len(lots.lots) < lot_count:
        _note(f"{_count(lots.keys, 'key')} can't fill {lot_count:,} lots")
    if lots.duplicates > lots.keys:
        _note(f"more than half of the lines are duplicates: is {settings.lots}/ what you expect?")
    if written.replaced:
        _note(f"these lots replace those of job {written.replaced}")
    state = "" if written.changed else " (unchanged)"
    tell(
        f"{_count(len(lots.lots), 'lot')} of {_sizes(lots)} in {Path(settings.lots)}/{state}; "
        f"{_count(lots.keys, 'key')}, {_count(lots.blank_lines, 'blank line')} and "
        f"{_count(lots.duplicates, 'duplicate')} left out; job {lots.job}"
    )
    tell(f"next: s3reclass {following_command(settings)}")


def following_command(settings: Settings) -> str:
    """The command that comes after `split`; objects that are to be archived seldom are already."""
    if settings.place == "fargate":
        return "push-image"
    if settings.storage_class in ARCHIVE_CLASSES:
        return "run --phase copy (--phase restore before it if any of the objects are archived now)"
    return "run --phase restore"


def _sizes(lots: Lots) -> str:
    """How many keys the lots hold, each."""
    least, most = min(lot.keys for lot in lots.lots), max(lot.keys for lot in lots.lots)
    return _count(most, "key") if least == most else f"{least:,} to {most:,} keys"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" + ("" if number == 1 else "s")
