"""`s3reclass list`: a bucket's keys, by class, as a key file."""

import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import click

from orchestrator.common.counter import counting
from orchestrator.common.output import say
from orchestrator.common.row_output import row_output
from orchestrator.objects.list_objects import list_objects_v2
from orchestrator.objects.listing_csv import format_listed, parse_classes, parse_prefix
from orchestrator.settings.options import uses_settings
from orchestrator.settings.settings import Settings


@click.command(name="list")
@click.argument("uri", metavar="[S3://BUCKET/PREFIX]", required=False)
@click.option(
    "--storage-class",
    "classes",
    multiple=True,
    metavar="CLASS",
    help="Only objects in this class; may be repeated, or name several: GLACIER,DEEP_ARCHIVE.",
)
@click.option(
    "--output", metavar="FILE", type=click.Path(path_type=Path), help="Write to FILE, gzipped if it ends in .gz."
)
@uses_settings("bucket", "request_payer", "bucket_owner")
def command(*, uri: str | None, classes: tuple[str, ...], output: Path | None, settings: Settings) -> None:
    """
    List the objects of a bucket, or of a prefix: key,size,class,time, as CSV on standard output.

    \b
        s3reclass list s3://my-bucket/backups/ --storage-class GLACIER,DEEP_ARCHIVE --output keys.csv
        s3reclass split keys.csv --lots 20

    The CSV has no header, and split takes it as it is. --output writes the file only when the listing
    is complete; in a pipe, split can't tell a listing that broke off from one that ended. Files and pipes
    get each key exactly; on a terminal, control characters are shown as escapes.

    Listing costs a request for each 1,000 objects under the prefix, whatever their class.
    """  # noqa: D301 (click reads the backspace itself: "don't rewrap")
    bucket, prefix = parse_prefix(uri) if uri else (settings.require_bucket(), "")
    wanted = parse_classes(classes)
    seen = listed = 0
    with row_output(output) as write, _counter(output) as count:
        for seen, found in enumerate(list_objects_v2(bucket, prefix, settings.request_arguments()), start=1):
            if not wanted or found.storage_class in wanted:
                write(format_listed(found))
                listed += 1
            count(seen)
    among = f" in {', '.join(sorted(wanted))}" if wanted else ""
    say(f"{listed:,} of {seen:,} objects under s3://{bucket}/{prefix} listed{among}")
    if output and listed:
        say(f"next: s3reclass split {output}")


def _counter(output: Path | None) -> AbstractContextManager[Callable[[int], None]]:
    """A counter that shows how far the listing is; none when the listing itself goes to a terminal."""
    if output is None and sys.stdout.isatty():
        return nullcontext(lambda _seen: None)
    return counting("looked at", None, what="objects")
