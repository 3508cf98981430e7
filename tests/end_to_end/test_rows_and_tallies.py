"""What is finished agrees with the rows that say so: over a whole job, as typed."""

import json
from pathlib import Path

import pytest

from tests.end_to_end.conftest import User

KEYS = [f"k{number}" for number in range(9)]


@pytest.fixture
def copied(user: User) -> Path:
    """The folder in the state of a job of three lots, all of whose keys are copied."""
    user.archives(KEYS)
    user.writes("keys.txt", "".join(f"{key}\n" for key in KEYS))
    for line in ("split keys.txt --lots 3", "run --phase restore --no-estimate", "run --phase copy --no-estimate"):
        typed = user.types(f"s3reclass {line}")
        assert typed.code == 0, typed
    [state] = [path.parent for path in (user.folder / ".s3reclass").glob("*/job.json")]
    return state


def test_a_part_that_was_moved_away_is_seen_by_all_and_done_again(user: User, copied: Path) -> None:
    """The tally that says otherwise isn't believed; its keys are looked at again, and copied once in all."""
    [part] = (copied / "copy/lot-00001").glob("results-*")
    part.rename(user.folder / "aside.csv")

    status, report = user.types("s3reclass status"), user.types("s3reclass report --csv report.csv")
    counted = json.loads(user.types("s3reclass status --json").out)["phases"]["copy"]
    again = user.types("s3reclass run --phase copy --no-estimate")

    assert (status.code, report.code, again.code) == (3, 3, 0)
    for told in (status.out, again.err):
        assert "lot-00001 isn't finished, though a tally says so: 0 of 1 parts of the results of attempt 1" in told
        assert "`s3reclass run --phase copy` does again what is missing" in told
    assert "lot-00001 isn't finished, though a tally says so" in report.err
    assert (user.folder / "report.csv").read_text().count("unprocessed") == 3
    assert (counted["unprocessed"], counted["lots"]) == (3, {"all": 3, "complete": 2, "begun": 3, "in_doubt": 1})
    assert [user.types(f"s3reclass {line}").code for line in ("status", "report", "run --phase copy")] == [0, 0, 0]
    assert (copied / "copy/lot-00001/done-2.json").exists()


def test_a_report_rests_on_what_was_proven(user: User, copied: Path) -> None:
    """Whatever became of the state since: no key is left out, and what doesn't agree is told, with what to do."""
    lot, done = copied / "lots/lot-00001.csv", copied / "copy/lot-00000/done-1.json"
    [part] = (copied / "copy/lot-00000").glob("results-*")
    [other] = (copied / "restore/lot-00000").glob("results-*")
    stray = copied / "copy/lot-00000/results-2-00001.csv"
    rows, lines, tally = part.read_text(), lot.read_text(), done.read_text()
    cut = "".join(rows.splitlines(keepends=True)[:-1])
    old = json.dumps({name: value for name, value in json.loads(tally).items() if name != "parts"})
    shorter = "".join(lines.splitlines(keepends=True)[:2])
    cases: list[tuple[Path, str, dict[Path, str], int, str]] = [
        (part, rows, {part: cut}, 3, "lot-00000 isn't finished, though a tally says so"),
        (part, rows, {part: rows.replace("to STANDARD_IA", "to STANDARD_IX")}, 3, "aren't those that its worker wrote"),
        (part, rows, {part: cut, done: old}, 3, "lot-00000 has 1 keys without a result, though its tally says that "),
        (lot, lines, {lot: shorter}, 1, f"{lot} has 2 lines, and lot-00001 of the job 3: move it away"),
        (lot, lines, {lot: lines.replace("photos,", "photoz,")}, 1, "photoz is none of the job's buckets"),
        (lot, lines, {lot: lines.replace("k3", "kX")}, 1, f"{lot} isn't lot-00001 of the job, its sha256 is another"),
        (lot, lines, {lot: lines + "x" * 20_000}, 1, f"{lot}, line 4: over 16,384 bytes long"),
        (stray, "", {stray: other.read_text()}, 1, "results-2-00001.csv is damaged (line 1: "),
    ]
    for path, whole, changes, code, told in cases:
        for file, content in changes.items():
            file.write_text(content)
        report = user.types("s3reclass report --csv report.csv")
        assert (report.code, told in report.err) == (code, True), (path, report)
        assert (user.folder / "report.csv").exists() == (code == 3)
        (user.folder / "report.csv").unlink(missing_ok=True)
        done.write_text(tally)
        path.write_text(whole)
        stray.unlink(missing_ok=True)

    lot.unlink()
    assert user.types("s3reclass report --csv report.csv").code == 0
    assert len((user.folder / "report.csv").read_text().splitlines()) == 9


def test_no_key_of_a_foreign_lot_is_worked_on(user: User, copied: Path) -> None:
    """A lot as long as the job's, with another bucket's keys: the worker ends before it asks for any of them."""
    lot = copied / "lots/lot-00001.csv"
    lot.write_text(lot.read_text().replace("photos,", "photoz,"))
    (copied / "copy/lot-00001/done-1.json").unlink()
    [part] = (copied / "copy/lot-00001").glob("results-*")
    part.unlink()

    run, report = user.types("s3reclass run --phase copy --no-estimate"), user.types("s3reclass report")

    assert run.code in (1, 3)
    assert "isn't the lot that it should be" in user.types("s3reclass logs 1").out
    assert list((copied / "copy/lot-00001").glob("results-*")) == []
    assert report.code == 1
    assert "photoz is none of the job's buckets" in report.err
