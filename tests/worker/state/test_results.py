"""Results: what earlier attempts left, and what this one writes."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.worker.clock import FakeClock
from worker.contract import (
    COPY_DIFFERS,
    ExitCode,
    LotEntry,
    ObjectSnapshot,
    Outcome,
    Parts,
    PartsDigest,
    Phase,
    ResultRow,
    StatePaths,
    Tally,
    format_result_rows,
    parse_result_rows,
    parse_snapshot_lines,
)
from worker.errors import WorkerError
from worker.state.results import FLUSH_ROWS, FLUSH_S, Recorder, read_earlier
from worker.state.results_store import DirectoryStore


def row(key: str, outcome: Outcome = Outcome.COPIED, version: str = "") -> ResultRow:
    """A result."""
    return ResultRow(entry=LotEntry(bucket="b", key=key, version_id=version), outcome=outcome, http_status=200)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A results folder, not there yet."""
    return tmp_path / "results"


@pytest.fixture
def record(folder: Path, clock: FakeClock) -> Callable[..., Recorder]:
    """Makes recorders of the folder."""

    def make(attempt: int = 1, last_seq: int = 0) -> Recorder:
        return Recorder(
            DirectoryStore(folder),
            attempt=attempt,
            last_seq=last_seq,
            requests=lambda: 7,
            clock=clock,
            now=lambda: datetime(2026, 11, 22, 10, tzinfo=UTC),
        )

    return make


@pytest.fixture
def clock() -> FakeClock:
    """A clock that stands still."""
    return FakeClock()


def names(folder: Path) -> list[str]:
    """The files in the folder, sorted."""
    return sorted(path.name for path in folder.iterdir())


def write(folder: Path, name: str, *rows: ResultRow) -> None:
    """A part that an earlier attempt left."""
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(format_result_rows(rows))


def parts_of(folder: Path, attempt: int) -> Parts:
    """What the parts of an attempt amount to."""
    contents = [path.read_bytes() for path in sorted(folder.glob(f"results-{attempt}-*"))]
    content = b"".join(contents)
    return Parts(
        attempt=attempt, count=len(contents), size_bytes=len(content), sha256=hashlib.sha256(content).hexdigest()
    )


def test_no_earlier_attempt_leaves_everything_to_do(folder: Path) -> None:
    """Without a results folder no key is finished."""
    earlier = read_earlier(DirectoryStore(folder), 1)

    assert earlier.outcome(LotEntry(bucket="b", key="k")) is None
    assert earlier.last_seq == 0


def test_succeeded_keys_are_finished_and_others_are_not(folder: Path) -> None:
    """Keys that succeeded in any attempt are finished, whatever a later one said; failed and pending ones aren't."""
    write(
        folder,
        "results-1-00001.csv",
        row("good"),
        row("already", Outcome.ALREADY),
        row("pending", Outcome.PENDING),
        row("failed", Outcome.DENIED),
        row("later good", Outcome.ERROR),
        row("versioned", version="v1"),
    )
    write(folder, "results-2-00001.csv", row("good", Outcome.CHANGED), row("later good"))

    earlier = read_earlier(DirectoryStore(folder), 3)

    finished = {
        key: earlier.outcome(LotEntry(bucket="b", key=key))
        for key in ("good", "already", "pending", "failed", "later good", "versioned", "never seen")
    }
    assert finished == {
        "good": Outcome.COPIED,
        "already": Outcome.ALREADY,
        "pending": None,
        "failed": None,
        "later good": Outcome.COPIED,
        "versioned": None,
        "never seen": None,
    }
    assert earlier.outcome(LotEntry(bucket="b", key="versioned", version_id="v1")) is Outcome.COPIED
    assert earlier.outcome(LotEntry(bucket="other", key="good")) is None


def test_a_copy_that_differed_is_told_again(folder: Path) -> None:
    """The next attempt finds it in its class: that is no good news of an object that isn't as it was."""
    found = replace(row("k", Outcome.ERROR), error_code=COPY_DIFFERS, message="its tags are lost")
    store = DirectoryStore(folder)
    store.create(StatePaths.part_name(1, 1), format_result_rows([found, row("other", Outcome.ERROR)]).encode())

    earlier = read_earlier(store, 2)

    assert earlier.outcome(found.entry) is None
    assert earlier.told_again(row("k", Outcome.ALREADY)) == found
    for unlike in (row("k"), row("k", version="v"), row("other", Outcome.ALREADY)):
        assert earlier.told_again(unlike) == unlike


def test_strangers_files_are_passed_over(folder: Path) -> None:
    """Progress, tallies, temporary files and a stranger's notes are no parts."""
    write(folder, "results-1-00001.csv", row("good"))
    for name in ("progress.json", "done-1.json", "started-1.json", ".results-1-00002.csv.tmp", "notes.txt"):
        (folder / name).write_text("{")

    assert len(read_earlier(DirectoryStore(folder), 2).finished) == 1


@pytest.mark.parametrize(
    "content",
    [b"", b"b,k,,succeeded\n", b"\xff\n", format_result_rows([row("k")]).encode()[:-1]],
)
def test_a_damaged_part_is_named(content: bytes, folder: Path) -> None:
    """A part that is empty, cut off or something else is an error that names it, not a silent skip."""
    write(folder, "results-1-00001.csv", row("good"))
    (folder / "results-1-00002.csv").write_bytes(content)

    with pytest.raises(WorkerError, match=r"results-1-00002\.csv is damaged"):
        read_earlier(DirectoryStore(folder), 2)


def test_rows_are_written_when_there_are_enough(record: Callable[..., Recorder], folder: Path) -> None:
    """A part is full at FLUSH_ROWS rows, and holds them in their order."""
    recorder = record()
    rows = [row(f"k{number}") for number in range(FLUSH_ROWS)]

    for one in rows:
        recorder.add(one)

    assert names(folder) == ["results-1-00001.csv"]
    assert list(parse_result_rows((folder / "results-1-00001.csv").read_text())) == rows


def test_rows_are_written_when_they_have_waited(
    record: Callable[..., Recorder], folder: Path, clock: FakeClock
) -> None:
    """A few rows wait no longer than FLUSH_S seconds; the progress is written then too; no rows, no part."""
    recorder = record()
    recorder.add(row("a"))
    recorder.tick()
    assert not folder.exists()

    clock.wait(FLUSH_S)
    recorder.tick()

    assert names(folder) == ["progress.json", "results-1-00001.csv"]
    clock.wait(FLUSH_S)
    recorder.tick()
    assert names(folder) == ["progress.json", "results-1-00001.csv"]


def test_parts_of_the_same_attempt_are_never_overwritten(record: Callable[..., Recorder], folder: Path) -> None:
    """An attempt that is run twice goes on after its own last part, and past one that another run just wrote."""
    write(folder, "results-2-00004.csv", row("a"))
    write(folder, "results-1-00009.csv", row("b"))
    last_seq = read_earlier(DirectoryStore(folder), 2).last_seq
    recorder = record(2, last_seq)
    write(folder, "results-2-00005.csv", row("c"))

    recorder.add(row("d"))
    recorder.flush()

    assert "results-2-00006.csv" in names(folder)
    assert len(read_earlier(DirectoryStore(folder), 3).finished) == 4


def test_the_tally_is_written_last_and_counts_everything(record: Callable[..., Recorder], folder: Path) -> None:
    """done-N.json counts this attempt's keys and those finished earlier, and carries the exit code."""
    recorder = record()
    recorder.pass_over(Outcome.ALREADY)
    recorder.add(row("a"))
    recorder.add(row("b", Outcome.PENDING))

    code = recorder.finish(complete=True)

    expected = Tally(
        attempt=1,
        keys=3,
        outcomes={Outcome.ALREADY: 1, Outcome.COPIED: 1, Outcome.PENDING: 1},
        processed=2,
        requests=7,
        started_at="2026-11-22T10:00:00Z",
        at="2026-11-22T10:00:00Z",
        exit_code=4,
        parts=(parts_of(folder, 1),),
    )
    assert code is ExitCode.SOME_PENDING
    assert names(folder) == ["done-1.json", "progress.json", "results-1-00001.csv"]
    assert Tally.from_json((folder / "done-1.json").read_bytes()) == expected
    assert (folder / "progress.json").read_bytes() == (folder / "done-1.json").read_bytes()


def test_an_interrupted_attempt_leaves_its_rows_and_no_tally(record: Callable[..., Recorder], folder: Path) -> None:
    """What was done is recorded, and nothing says that the lot is finished."""
    recorder = record()
    recorder.add(row("a"))

    code = recorder.finish(complete=False)

    assert code is ExitCode.INTERRUPTED
    assert names(folder) == ["progress.json", "results-1-00001.csv"]
    assert json.loads((folder / "progress.json").read_text())["exit_code"] == 75


PICTURE = ObjectSnapshot(size_bytes=1, etag="e")


class Ordered(DirectoryStore):
    """A folder that remembers in which order its files were made."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.order: list[str] = []

    def create(self, name: str, content: bytes) -> bool:
        """Make the file."""
        self.order.append(name)
        return super().create(name, content)


def test_pictures_are_written_before_their_results(folder: Path, clock: FakeClock) -> None:
    """Whatever kill comes in between, a recorded copy has its picture."""
    store = Ordered(folder)
    recorder = Recorder(store, attempt=2, last_seq=0, requests=lambda: 0, clock=clock)
    for key in ("a", "b"):
        recorder.take_snapshot(LotEntry(bucket="b", key=key), PICTURE)
        recorder.add(row(key))
        recorder.flush()
    recorder.take_snapshot(LotEntry(bucket="b", key="in flight"), PICTURE)
    recorder.finish(complete=False)

    assert store.order == [
        "audit-2-00001.jsonl",
        "results-2-00001.csv",
        "audit-2-00002.jsonl",
        "results-2-00002.csv",
        "audit-2-00003.jsonl",
    ]
    told = [parse_snapshot_lines((folder / name).read_text()) for name in store.order[::2]]
    assert [[(entry.key, snapshot) for entry, snapshot in lines] for lines in told] == [
        [("a", PICTURE)],
        [("b", PICTURE)],
        [("in flight", PICTURE)],
    ]


def test_pictures_of_the_same_attempt_are_never_overwritten(record: Callable[..., Recorder], folder: Path) -> None:
    """An attempt that is run twice writes past what is there."""
    folder.mkdir()
    (folder / "audit-1-00001.jsonl").write_text("kept")
    recorder = record()

    recorder.take_snapshot(LotEntry(bucket="b", key="a"), PICTURE)
    recorder.flush()

    assert names(folder) == ["audit-1-00001.jsonl", "audit-1-00002.jsonl"]
    assert (folder / "audit-1-00001.jsonl").read_text() == "kept"


def test_pictures_are_no_results(record: Callable[..., Recorder], folder: Path) -> None:
    """Neither they nor notes of uploads are read as parts by the next attempt."""
    recorder = record()
    recorder.take_snapshot(LotEntry(bucket="b", key="a"), PICTURE)
    recorder.flush()
    (folder / StatePaths.upload_name(1, 5)).write_text("{}")

    earlier = read_earlier(DirectoryStore(folder), 1)

    assert (len(earlier.finished), earlier.last_seq) == (0, 0)
    assert earlier.notes_of_uploads == (StatePaths.upload_name(1, 5),)


def test_the_tally_names_the_parts_that_it_rests_on(folder: Path, clock: FakeClock) -> None:
    """Those of earlier attempts that were read, and this one's own, those of an earlier run of it included."""
    write(folder, "results-1-00001.csv", row("a"))
    write(folder, "results-1-00002.csv", row("b"))
    write(folder, "results-2-00001.csv", row("c"))
    store = DirectoryStore(folder)
    earlier = read_earlier(store, 2)
    recorder = Recorder(
        store, attempt=2, last_seq=earlier.last_seq, requests=lambda: 0, parts=earlier.parts, clock=clock
    )
    recorder.add(row("d"))
    write(folder, "results-1-00003.csv", row("too late"))

    recorder.finish(complete=True)

    tally = Tally.from_json((folder / "done-2.json").read_bytes())
    (folder / "results-1-00003.csv").unlink()
    assert tally.parts == (parts_of(folder, 1), parts_of(folder, 2))


@pytest.mark.parametrize(("phase", "outcome"), [(Phase.COPY, Outcome.REQUESTED), (Phase.RESTORE, Outcome.COPIED)])
def test_a_row_of_the_other_phase_is_damage(phase: Phase, outcome: Outcome, folder: Path) -> None:
    """A part that was put into the wrong folder says nothing of this phase's keys."""
    write(folder, "results-1-00001.csv", row("a", outcome))

    with pytest.raises(WorkerError, match=rf"results-1-00001\.csv is damaged: line 1: {outcome} is no outcome of the"):
        read_earlier(DirectoryStore(folder), 2, phase)


def test_the_digest_of_parts_goes_attempt_by_attempt() -> None:
    """In the order in which each attempt wrote them; nothing for none."""
    digest = PartsDigest()
    assert digest.parts() == ()
    for attempt, content in [(2, b"a"), (1, b"b"), (2, b"c")]:
        digest.add(attempt, content)

    assert digest.parts() == (
        Parts(attempt=1, count=1, size_bytes=1, sha256=hashlib.sha256(b"b").hexdigest()),
        Parts(attempt=2, count=2, size_bytes=2, sha256=hashlib.sha256(b"ac").hexdigest()),
    )
