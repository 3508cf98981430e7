"""Every parser of the launcher, given what it doesn't expect: a value or its own error, and nothing else, ever."""

import contextlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from io import BytesIO
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orchestrator.common.redaction import redact
from orchestrator.common.text import parse_duration, printable
from orchestrator.errors import S3ReclassError
from orchestrator.image.push import read_record
from orchestrator.lots.manifest import format_lots, lots_digest, parse_lots
from orchestrator.model import Lot, Lots
from orchestrator.objects.listing_csv import parse_classes, parse_prefix
from orchestrator.report.report_rows import harmless
from orchestrator.settings.settings_file import load_settings
from orchestrator.split.key_lines import guess_kind, read_lines
from orchestrator.split.key_source import KeySource
from orchestrator.split.key_table import TableFormat, parse_column, read_table
from orchestrator.state.job_file import check_job, lots_in, new_job, restore_in
from orchestrator.state.job_state import JobState, audit_parts_in_order, parts_in_order
from orchestrator.state.lease_file import Holder, Lease
from orchestrator.state.lot_status import files_by_lot
from orchestrator.state.start_note import StartedNote
from orchestrator.state.state_store import DirectoryStore
from worker.contract import (
    ContractError,
    LotEntry,
    LotFileName,
    ObjectSnapshot,
    Phase,
    RateShare,
    Tally,
    format_snapshot_line,
    parse_lot_line,
    parse_object,
    parse_result_rows,
    parse_snapshot_lines,
)

NOW = datetime(2026, 11, 28, tzinfo=UTC)
LOT = Lot(name="lot-00000", keys=2, sha256="ab" * 32)
LOTS = Lots(lots=(LOT,), digest=lots_digest([LOT]), buckets=("bucket",), source="keys.txt")
JOB = {
    **new_job(LOTS, NOW),
    "phases": {
        "restore": {"days": 7, "tier": "Bulk", "begun_at": NOW.isoformat()},
        "copy": {"storage_class": "STANDARD_IA", "begun_at": NOW.isoformat()},
    },
    "again": {"job": "0123456789ab", "days": 7, "tier": "Bulk", "begun_at": NOW.isoformat()},
}
HOLDER = Holder(host="h", machine="m", pid=7, process="9", user="u", command="run", since="2026-11-28T00:00:00Z")
NOTE = StartedNote(command=("copy", "--lot", "x"), place="local", task="0123456789ab/copy/lot-00000-1")
TALLY = {
    "attempt": 1,
    "keys": 2,
    "outcomes": {"copied": 2},
    "processed": 2,
    "requests": 4,
    "started_at": "2026-11-28T00:00:00Z",
    "at": "2026-11-28T00:00:00Z",
    "exit_code": 0,
}
PICTURE = ObjectSnapshot(size_bytes=1, etag="ab", lock={"ObjectLockRetainUntilDate": NOW.isoformat()})


@dataclass(frozen=True, kw_only=True)
class Parser:
    """
    A parser of a JSON file.

    parse: what is done with the bytes, as far as it is part of reading.
    good: a file that it takes. errors: what it says of another.
    """

    parse: Callable[[bytes], Any]
    good: bytes
    errors: tuple[type[Exception], ...]


def read_job(data: bytes) -> None:
    """Read a job.json as `JobState` does."""
    job = parse_object(data)
    if job.get("version") != 1:
        raise ValueError("of another version")
    check_job(job)
    lots_in(job)
    restore_in(job)


PARSERS = {
    "lease.json": Parser(
        parse=Lease.from_json, good=Lease(id="a", holder=HOLDER, turn=3).to_json(), errors=(ValueError,)
    ),
    "started-1.json": Parser(parse=StartedNote.from_json, good=NOTE.to_json(), errors=(ContractError,)),
    "lots.json": Parser(parse=parse_lots, good=format_lots(LOTS).encode(), errors=(ValueError,)),
    "job.json": Parser(parse=read_job, good=json.dumps(JOB).encode(), errors=(ValueError, S3ReclassError)),
    "rate.json": Parser(
        parse=RateShare.from_json,
        good=RateShare(rate=1.5, most=2, tasks=3, at="2026-11-28T00:00:00Z").to_json().encode(),
        errors=(ContractError,),
    ),
    "done-1.json": Parser(parse=Tally.from_json, good=json.dumps(TALLY).encode(), errors=(ContractError,)),
    "audit-1-00001.jsonl": Parser(
        parse=lambda data: list(parse_snapshot_lines(data.decode())),
        good=format_snapshot_line(LotEntry(bucket="b", key="k"), PICTURE).encode(),
        errors=(ContractError, UnicodeDecodeError),
    ),
}

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(), max_size=20)
    | st.sampled_from(
        [10**18, -1, 1e18, 10**400, "../../etc/passwd", "9" * 30, "\ud800", "", "9999-12-31T23:59:59-14:00"]
    )
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of every value within this one."""
    yield path
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, one in inner:
        yield from places(one, (*path, name))


def with_other(value: Any, path: tuple[Any, ...], other: Any) -> Any:
    """The value with another one in this place."""
    if not path:
        return other
    if isinstance(value, dict):
        return {name: with_other(one, path[1:], other) if name == path[0] else one for name, one in value.items()}
    return [with_other(one, path[1:], other) if name == path[0] else one for name, one in enumerate(value)]


@pytest.mark.parametrize("name", PARSERS)
def test_a_file_as_it_was_written_is_read(name: str) -> None:
    """What follows would hold of a parser that refuses everything."""
    PARSERS[name].parse(PARSERS[name].good)


@pytest.mark.parametrize("name", PARSERS)
@given(data=st.data())
@settings(max_examples=150)
def test_any_value_in_any_place_is_read_or_refused(name: str, data: st.DataObject) -> None:
    """Wrong kinds, numbers that no clock or float can hold, texts that lead elsewhere."""
    parser = PARSERS[name]
    good = json.loads(parser.good)
    path = data.draw(st.sampled_from([*places(good)]))
    text = json.dumps(with_other(good, path, data.draw(VALUES))).encode()

    with contextlib.suppress(*parser.errors):
        parser.parse(text + b"\n")


BOMBS = [
    b"",
    b"\0" * 100,
    b"\xff\xfe{}",
    b"\xef\xbb\xbf{}",
    b"[" * 100_000,
    b'{"a":' * 100_000,
    b"[" * 100_000 + b"]" * 100_000,
    b"9" * 5_000,
    b"NaN",
    b"[]",
    b"null",
    b'"\\ud800"',
]


@pytest.mark.parametrize("bomb", BOMBS, ids=lambda bomb: repr(bomb[:12]))
@pytest.mark.parametrize("name", PARSERS)
def test_bombs_are_refused(name: str, bomb: bytes) -> None:
    """Brackets without end, numbers of thousands of digits, other encodings: by themselves, and in each place."""
    parser = PARSERS[name]
    good = json.loads(parser.good)
    texts = [bomb] + [
        json.dumps(with_other(good, path, "BOMB")).encode().replace(b'"BOMB"', bomb) for path in places(good)
    ]
    refused = 0
    for text in texts:
        try:
            parser.parse(text + b"\n")
        except parser.errors:
            refused += 1
    assert refused >= 1


@pytest.mark.parametrize("name", PARSERS)
@given(data=st.binary(max_size=200))
@settings(max_examples=100)
def test_any_bytes_are_read_or_refused(name: str, data: bytes) -> None:
    """And so is any file with some of its bytes replaced."""
    parser = PARSERS[name]
    for text in (data, parser.good[: len(data)] + data, data + parser.good[len(data) :]):
        with contextlib.suppress(*parser.errors):
            parser.parse(text)


@pytest.mark.parametrize(
    "task",
    [
        "../../../etc/passwd",
        "/etc/passwd",
        "a/../../b",
        "a/./b",
        "..",
        "a/.ssh",
        "a\nb",
        "a\0b",
        "a b",
        "ü",
        "x" * 513,
        7,
        None,
    ],
)
def test_a_note_that_leads_elsewhere_is_refused(task: Any) -> None:
    """A place's id of a task becomes a part of names and paths."""
    text = json.dumps({**json.loads(NOTE.to_json()), "task": task}).encode()

    with pytest.raises(ContractError):
        StartedNote.from_json(text)


@pytest.mark.parametrize(
    "task",
    [
        "",
        "0123456789ab/copy/lot-00000-1",
        "arn:aws:ecs:eu-west-1:123456789012:task/s3reclass/0123456789abcdef0123456789abcdef",
        "arn:aws-us-gov:ecs:us-gov-west-1:123456789012:task/0123456789abcdef",
    ],
)
def test_the_ids_that_places_give_are_taken(task: str) -> None:
    """Processes' and ECS's."""
    text = json.dumps({**json.loads(NOTE.to_json()), "task": task}).encode()

    assert StartedNote.from_json(text).task == task


@pytest.mark.parametrize("lasts_s", [1e18, 10**30, -1, "120", None, True, float("nan"), float("inf"), 3_601])
def test_a_lease_that_lasts_too_long_is_none(lasts_s: Any) -> None:
    """It would keep everyone off the job, and no date can hold its end."""
    text = json.dumps({**json.loads(PARSERS["lease.json"].good), "lasts_s": lasts_s}).encode()

    with pytest.raises(ValueError, match=r"3600|is no number"):
        Lease.from_json(text)


@pytest.mark.parametrize("job", ["../../other", "0123456789AB", "", 7, "0123456789ab/.."])
def test_a_job_that_leads_elsewhere_is_refused(job: Any) -> None:
    """The id of the job that asks again becomes a part of paths."""
    noted = {**JOB, "again": {**JOB["again"], "job": job}}

    with pytest.raises(ValueError, match=r"job|text"):
        check_job(noted)


TEXTS = st.text(max_size=60) | st.sampled_from(
    ["9" * 5_000, "[" * 3_000, "a = " + "[" * 3_000, "\0", "\ud800", " " * 9_999]
)


@given(TEXTS)
def test_texts_are_read_or_refused(text: str) -> None:
    """What a user types, or a name in the state says."""
    for parse in (parse_duration, parse_prefix, parse_column, parse_lot_line, lambda words: parse_classes((words,))):
        with contextlib.suppress(ValueError, S3ReclassError):
            parse(text)
    LotFileName.parse(text)
    parts_in_order([text])
    audit_parts_in_order([text])
    files_by_lot([(text, 1)], "job/copy/")
    printable(text).encode()
    harmless(text)
    redact(text, [text])


@given(TEXTS)
def test_result_rows_are_read_or_refused(text: str) -> None:
    """Any text, and any cell in a row that is well otherwise."""
    cells = ["b", "k", "", "succeeded", "", "200", "", "copied", "1", ""]
    for one in (text, *(",".join([*cells[:n], text, *cells[n + 1 :]]) for n in range(len(cells)))):
        with contextlib.suppress(ContractError):
            list(parse_result_rows(one))


@pytest.mark.parametrize("name", [f"results-{'9' * 5_000}-00001.csv", f"done-{'9' * 5_000}.json", "done-\u0661.json"])
def test_a_files_number_without_end_is_no_number(name: str) -> None:
    """Python refuses to read 5,000 digits, with an error of its own."""
    assert LotFileName.parse(name) is None


@given(st.dictionaries(st.text(max_size=10), VALUES, max_size=3), TEXTS)
def test_settings_are_read_or_refused(flags: dict[str, Any], toml: str) -> None:
    """A file of settings, and each setting in it, in a variable and as a flag."""
    for text in (toml, *(f"{place} = {toml}" for place in ("bucket", "restore.days", "run.rate", "fargate.cpu"))):
        with contextlib.suppress(S3ReclassError):
            load_settings(flags={}, environ={"S3RECLASS_DAYS": toml, "S3RECLASS_RATE": toml}, toml=text)
    for value in flags.values():
        for name in ("days", "rate", "threads", "state", "bucket", "tier", "place", "bucket_owner"):
            with contextlib.suppress(S3ReclassError):
                load_settings(flags={name: value}, environ={}, toml="")


@pytest.mark.parametrize(
    "line",
    [
        "run.rate = 0x" + "f" * 400,
        "restore.days = 0x" + "f" * 5_000,
        "fargate.cpu = 0x" + "f" * 5_000,
        "run.rate = true",
        "run.rate = nan",
        "restore.days = " + "9" * 5_000,
        "run.max_tasks = " + "[" * 5_000,
        "bucket = 'a\\u0000b'".replace("'", '"'),
        "run.threads = 1979-05-27",
    ],
    ids=lambda line: line[:24],
)
def test_a_setting_beyond_all_bounds_is_named(line: str) -> None:
    """Never an error of Python's own."""
    with pytest.raises(S3ReclassError, match=r"s3reclass\.toml"):
        load_settings(flags={}, environ={}, toml=line)


TABLE = TableFormat(key=1, version=2, bucket=3, header=None, url_encoded=True, keep_uris=False, delimiter=",")


@given(
    chunks=st.lists(st.binary(max_size=60), max_size=6),
    url_encoded=st.booleans(),
    delimiter=st.sampled_from([",", "\t"]),
)
@settings(suppress_health_check=[HealthCheck.too_slow])
def test_key_files_are_read_or_refused(chunks: list[bytes], delimiter: str, *, url_encoded: bool) -> None:
    """Any bytes, cut anywhere, as lines and as tables."""
    guess_kind("keys", b"".join(chunks))
    table = replace(TABLE, url_encoded=url_encoded, delimiter=delimiter)
    for batches in (
        read_lines(chunks, name="keys", bucket="bucket"),
        read_table(chunks, name="keys", bucket="bucket", table=table),
    ):
        try:
            for batch in batches:
                assert batch.lot_lines().count(b"\n") == batch.keys
        except S3ReclassError:
            pass


@pytest.mark.parametrize(
    "start",
    [b'"' + b"a" * 200_000, b"a," * 200_000, b'"a\n' * 100_000, b"\0" * 200_000, b"k," + b"9" * 5_000 + b",A,B\n"],
    ids=lambda start: repr(start[:6]),
)
def test_a_key_file_of_one_endless_row_is_refused_or_read(start: bytes) -> None:
    """Longer than what the csv module takes for a cell."""
    guess_kind("keys", start)
    for batches in (
        read_lines([start], name="keys", bucket="bucket"),
        read_table([start], name="keys", bucket="bucket", table=TABLE),
    ):
        with contextlib.suppress(S3ReclassError):
            list(batches)


@given(st.binary(max_size=300))
def test_gzip_is_unpacked_or_refused(data: bytes) -> None:
    """Whatever follows its two first bytes."""
    with contextlib.suppress(S3ReclassError):
        list(KeySource(BytesIO(b"\x1f\x8b" + data), name="keys.gz", path="").chunks())


@given(st.binary(max_size=100))
def test_the_record_of_an_image_is_read_or_forgotten(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    """It is a hint, and no more."""
    record = tmp_path_factory.mktemp("record") / "image.json"
    for text in (data, b"[" * 100_000):
        record.write_bytes(text)
        assert isinstance(read_record(record), dict)


@pytest.mark.parametrize("bomb", BOMBS, ids=lambda bomb: repr(bomb[:12]))
def test_a_bomb_in_the_state_is_a_damaged_file(bomb: bytes, tmp_path: Any) -> None:
    """The error names the file, and what to do."""
    store = DirectoryStore(tmp_path)
    for name in (
        "job.json",
        "lease.json",
        "copy/rate.json",
        "copy/lot-00000/started-1.json",
        "copy/lot-00000/done-1.json",
    ):
        store.write(f"0123456789ab/{name}", bomb)
    store.write("0123456789ab/copy/lot-00000/done-1.json", bomb)
    state = JobState(store, "0123456789ab")
    for read in (
        state.read_job,
        state.read_lease,
        lambda: state.share(Phase.COPY),
        lambda: state.started_note(Phase.COPY, "lot-00000", 1),
        lambda: state.lot_status(LOT, Phase.COPY),
    ):
        with pytest.raises(S3ReclassError, match=r"0123456789ab/.* is damaged \("):
            read()
