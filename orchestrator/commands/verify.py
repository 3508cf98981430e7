"""`s3reclass verify`: look at every object of the job and say which aren't in the target class."""

import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random

import click

from orchestrator.clients.objects import head_objects
from orchestrator.commands.counting import counting
from orchestrator.commands.options import uses_settings
from orchestrator.errors import S3ReclassError
from orchestrator.lots_folder import iter_entries, read_lots, sample_entries, verify_lots
from orchestrator.model import Lots
from orchestrator.planning.sample import DEFAULT_SEED, choose_indexes
from orchestrator.planning.verdict import Verdict, format_verdict_rows, judge_head, verdict_line
from orchestrator.settings import Settings
from worker.contract import ExitCode, LotEntry

SHOWN = 20
"""Keys that are named on standard output; `--csv` takes them all."""


@click.command()
@uses_settings("storage_class", "lots")
@click.option(
    "--csv",
    "csv_file",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write a row for each key that isn't in the class: Bucket, Key (URL-encoded), VersionId, Verdict, "
    "StorageClass, ResultMessage; no header.",
)
@click.option(
    "--sample",
    "size",
    metavar="N",
    type=click.IntRange(1),
    help="Look at N keys only, chosen at random, always the same ones.",
)
def command(*, settings: Settings, csv_file: Path | None, size: int | None) -> int:
    """
    Look at every object of the job in lots/ and say which aren't in the target class.

    Sends a HEAD request for the current version of every key, whatever version the lot names: a copy on a
    versioned bucket is the current one. A key that couldn't be looked at is never taken for good:
    it is `missing`, `denied` or `error`.

    Exit codes: 0 every key looked at is in the class; 3 some aren't, or couldn't be looked at.
    """
    target = settings.require_storage_class()
    folder = Path(settings.lots)
    lots = read_lots(folder)
    verify_lots(folder, lots)
    entries, total = _entries(folder, lots, size)
    found = Counter[Verdict]()
    shown: list[str] = []
    with _rows(csv_file) as write, counting("looked at", total) as count:
        for head in head_objects(entries, versions=False):
            verdict = judge_head(head, target)
            found[verdict] += 1
            if verdict is not Verdict.IN_CLASS:
                write(format_verdict_rows([head], target))
                if len(shown) < SHOWN:
                    shown.append(verdict_line(head, target))
            count(found.total())
    if found.total() != total:
        raise S3ReclassError(f"{total:,} keys were to be looked at and {found.total():,} were: run verify again")
    for line in _summary(lots, target, found, shown):
        click.echo(line)
    if csv_file and total > found[Verdict.IN_CLASS]:
        click.echo(f"all of them: {csv_file}")
    return ExitCode.GOOD if found[Verdict.IN_CLASS] == total else ExitCode.SOME_FAILED


def _entries(folder: Path, lots: Lots, size: int | None) -> tuple[Iterable[LotEntry], int]:
    """The entries to look at, and how many they are."""
    if size is None or size >= lots.keys:
        return iter_entries(folder, lots), lots.keys
    chosen = sample_entries(folder, lots, choose_indexes(lots.keys, size, Random(DEFAULT_SEED)))  # noqa: S311 (no secret)
    return chosen, len(chosen)


def _summary(lots: Lots, target: str, found: Counter[Verdict], shown: list[str]) -> Iterator[str]:
    total = found.total()
    of = f"all {total:,} keys" if total == lots.keys else f"{total:,} of {lots.keys:,} keys, chosen at random,"
    yield f"looked at {of} of job {lots.job}: {found[Verdict.IN_CLASS]:,} in {target}"
    yield from (f"  {verdict:<12} {found[verdict]:,}" for verdict in Verdict if found[verdict])
    yield from shown
    if (more := total - found[Verdict.IN_CLASS] - len(shown)) > 0:
        yield f"... and {more:,} more"


@contextmanager
def _rows(path: Path | None) -> Iterator[Callable[[str], None]]:
    """
    A function that writes to the file, which appears under its name when it is whole; without a path it does nothing.

    Raises S3ReclassError when the file can't be written.
    """
    if path is None:
        yield lambda _: None
        return
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    with _written(path):
        file = partial.open("w", encoding="utf-8", newline="")

    def write(rows: str) -> None:
        with _written(path):
            file.write(rows)

    try:
        yield write
        with _written(path):
            file.close()
            partial.replace(path)
    finally:
        with _written(path):
            file.close()
            partial.unlink(missing_ok=True)


@contextmanager
def _written(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise S3ReclassError(f"{path} can't be written: {error.strerror or error}") from error
