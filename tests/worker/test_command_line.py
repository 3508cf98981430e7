"""The worker's command line, as the launcher and people type it."""

from typing import Any

import pytest

from worker.command_line import parse_command_line
from worker.contract import MAX_COPY_BYTES, MIB, Options, Phase, command_line

WHAT = ["--lot", "s3://state/lot.csv", "--results", "s3://state/r/", "--attempt", "2"]


def test_restore_takes_days_and_tier() -> None:
    """`restore` with all of its options."""
    expected = Options(
        phase=Phase.RESTORE,
        lot="s3://state/lot.csv",
        results="s3://state/r/",
        attempt=2,
        rate=12.5,
        threads=8,
        days=3,
        tier="Standard",
    )

    options = parse_command_line(
        ["restore", *WHAT, "--days", "3", "--tier", "Standard", "--rate", "12.5", "--threads", "8"]
    )

    assert expected == options


def test_the_lot_that_is_wanted() -> None:
    """By its digest and its lines; without them, any."""
    wanted = parse_command_line(["restore", *WHAT, "--lot-digest", "ab" * 32, "--lot-keys", "7"])
    any_lot = parse_command_line(["restore", *WHAT])

    assert (wanted.lot_digest, wanted.lot_keys) == ("ab" * 32, 7)
    assert (any_lot.lot_digest, any_lot.lot_keys) == ("", None)


@pytest.mark.parametrize("more", [["--lot-digest", "ab"], ["--lot-digest", "AB" * 32], ["--lot-keys", "-1"]])
def test_a_lot_that_cannot_be(more: list[str]) -> None:
    """A digest cut short would match nothing, and say so too late."""
    with pytest.raises(SystemExit):
        parse_command_line(["restore", *WHAT, *more])


def test_copy_takes_class_and_part_sizes() -> None:
    """`copy` with all of its options."""
    options = parse_command_line(
        ["copy", *WHAT, "--storage-class", "STANDARD_IA", "--multipart-threshold", "100", "--part-size", str(8 * MIB)]
    )

    assert options.phase is Phase.COPY
    assert (options.storage_class, options.multipart_threshold_bytes, options.part_size_bytes) == (
        "STANDARD_IA",
        100,
        8 * MIB,
    )


def test_copy_takes_what_it_may_do() -> None:
    """Everything that is off unless asked for by name, and what both phases take of whose bucket it is."""
    more = ["--audit", "--allow-noncurrent", "--delete-superseded"]
    whose = ["--request-payer", "requester", "--bucket-owner", "012345678901"]

    options = parse_command_line(["copy", *WHAT, "--storage-class", "STANDARD", *more, *whose])
    plain = parse_command_line(["copy", *WHAT, "--storage-class", "STANDARD"])
    restore = parse_command_line(["restore", *WHAT, *whose])

    assert (options.audit, options.allow_noncurrent, options.delete_superseded) == (True, True, True)
    assert (options.request_payer, options.bucket_owner) == ("requester", "012345678901")
    assert (plain.audit, plain.allow_noncurrent, plain.delete_superseded) == (False, False, False)
    assert (plain.request_payer, plain.bucket_owner) == ("", "")
    assert (restore.request_payer, restore.bucket_owner) == ("requester", "012345678901")


LOT: Any = {"lot": "lot.csv", "results": "r/", "attempt": 1}


@pytest.mark.parametrize(
    "options",
    [
        Options(phase=Phase.RESTORE, **LOT),
        Options(phase=Phase.COPY, storage_class="STANDARD", **LOT),
        Options(phase=Phase.RESTORE, **LOT, days=3, tier="Expedited", rate=12.5, rate_from="rate.json", lot_keys=0),
        Options(
            phase=Phase.COPY,
            storage_class="GLACIER_IR",
            **LOT,
            lot_digest="ab" * 32,
            audit=True,
            allow_noncurrent=True,
            delete_superseded=True,
            request_payer="requester",
            bucket_owner="012345678901",
            threads=8,
            s3_client="boto3",
            multipart_threshold_bytes=100,
            part_size_bytes=8 * MIB,
        ),
    ],
)
def test_what_the_launcher_writes_is_what_the_worker_reads(options: Options) -> None:
    """Each option comes back as it was."""
    assert parse_command_line(command_line(options)) == options


def test_defaults_are_the_designs() -> None:
    """Seven days, Bulk, no limit of the rate, and parts only where S3 demands them."""
    restore = parse_command_line(["restore", *WHAT])
    copy = parse_command_line(["copy", *WHAT, "--storage-class", "STANDARD"])

    assert (restore.days, restore.tier, restore.rate) == (7, "Bulk", 0)
    assert copy.multipart_threshold_bytes == MAX_COPY_BYTES == 5 * 1024**3


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["move", *WHAT],
        ["restore", *WHAT, "--bucket-owner", "1234"],
        ["restore", *WHAT, "--bucket-owner", "my-account-id"],
        ["restore", *WHAT, "--request-payer", "somebody"],
        ["restore", *WHAT, "--audit"],
        ["restore"],
        ["restore", *WHAT[:4]],
        ["restore", *WHAT[:5], "0"],
        ["restore", *WHAT, "--days", "0"],
        ["restore", *WHAT, "--days", "seven"],
        ["restore", *WHAT, "--tier", "Fast"],
        ["restore", *WHAT, "--rate", "-1"],
        ["restore", *WHAT, "--rate", "nan"],
        ["restore", *WHAT, "--rate", "inf"],
        ["restore", *WHAT, "--threads", "0"],
        ["restore", *WHAT, "--storage-class", "STANDARD"],
        ["copy", *WHAT],
        ["copy", *WHAT, "--storage-class", "standard_ia"],
        ["copy", *WHAT, "--storage-class", "STANDARD", "--multipart-threshold", str(MAX_COPY_BYTES + 1)],
        ["copy", *WHAT, "--storage-class", "STANDARD", "--part-size", str(5 * MIB - 1)],
        ["copy", *WHAT, "--storage", "STANDARD"],
    ],
)
def test_wrong_usage_exits_with_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """What can't be meant is refused before anything is done, and standard error says how it is used."""
    with pytest.raises(SystemExit) as caught:
        parse_command_line(arguments)

    assert caught.value.code == 2
    assert "usage: python -m worker" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["--help"], ["restore", "--help"], ["copy", "--help"]])
def test_help_explains_the_exit_codes(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """`--help` says, with the options, what each exit code means."""
    with pytest.raises(SystemExit) as caught:
        parse_command_line(arguments)

    assert caught.value.code == 0
    assert "75  interrupted by SIGTERM" in capsys.readouterr().out
