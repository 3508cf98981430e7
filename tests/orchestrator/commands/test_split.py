"""`s3reclass split`, as typed."""

import gzip
import io
import os
import shlex
import sys
from pathlib import Path

import pytest

from orchestrator.cli import run
from orchestrator.commands.split import progress
from orchestrator.common.clock import Clock
from orchestrator.lots.folder import read_lots
from tests.orchestrator.lots.lots_on_disk import iter_entries


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder with a settings file, and the process in it."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "s3reclass.toml").write_text('bucket = "my-bucket"\n', encoding="utf-8")
    return tmp_path


def split(line: str, files: dict[str, bytes] | None = None) -> int:
    """The exit code of `s3reclass split` with these arguments; the files are written first."""
    for name, content in (files or {}).items():
        Path(name).write_bytes(content)
    return run(["split", *shlex.split(line)])


def entries(folder: str = "lots") -> list[tuple[str, str, str]]:
    """Bucket, key and version of every entry."""
    return [(one.bucket, one.key, one.version_id) for one in iter_entries(folder, read_lots(Path(folder)))]


def test_the_card(capsys: pytest.CaptureFixture[str]) -> None:
    """`s3reclass split keys.txt --lots 20` cuts, sums up and says what comes next."""
    keys = b"".join(b"key-%05d\n" % number for number in range(5_000)) + b"\nkey-00000\n"

    assert split("keys.txt --lots 20", {"keys.txt": keys}) == 0

    lots = read_lots(Path("lots"))
    out, err = capsys.readouterr()
    assert out == (
        f"20 lots of 250 keys in lots/; 5,000 keys, 1 blank line and 1 duplicate left out; job {lots.job}\n"
        "next: s3reclass push-image\n"
    )
    assert err == ""
    assert len(list(Path("lots").glob("lot-*.csv"))) == 20
    assert entries()[0] == ("my-bucket", "key-00000", "")


def test_again_is_unchanged(capsys: pytest.CaptureFixture[str]) -> None:
    """The same command again says that nothing changed; with other lots, whose it replaced."""
    split("keys.txt --lots 2", {"keys.txt": b"a\nb\nc\n"})
    job = read_lots(Path("lots")).job
    capsys.readouterr()

    assert split("keys.txt --lots 2") == 0
    assert "2 lots of 1 to 2 keys in lots/ (unchanged); 3 keys" in capsys.readouterr().out
    assert split("keys.txt --lots 5 --place local") == 2
    assert split("keys.txt --lots 5") == 0
    assert f"note: 3 keys can't fill 5 lots\nnote: these lots replace those of job {job}\n" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("expected", "toml"),
    [
        ("push-image", ""),
        ("push-image", 'storage_class = "GLACIER"\n'),
        ("run --phase restore", 'place = "local"\n'),
        ("run --phase restore", 'place = "local"\nstorage_class = "STANDARD_IA"\n'),
        (
            "run --phase copy (--phase restore before it if any of the objects are archived now)",
            'place = "local"\nstorage_class = "DEEP_ARCHIVE"\n',
        ),
    ],
)
def test_what_comes_next(here: Path, capsys: pytest.CaptureFixture[str], expected: str, toml: str) -> None:
    """The next command follows from the place, and from whether the objects are to be archived."""
    (here / "s3reclass.toml").write_text(f'bucket = "my-bucket"\n{toml}', encoding="utf-8")

    assert split("keys.txt", {"keys.txt": b"a\n"}) == 0
    assert capsys.readouterr().out.endswith(f"\nnext: s3reclass {expected}\n")


@pytest.mark.parametrize(
    ("expected", "line", "name", "content"),
    [
        ([("my-bucket", "a,1", "")], "keys", "keys", b"a,1\n"),
        ([("my-bucket", "a", "")], "keys.csv", "keys.csv", b"a,1\n"),
        ([("my-bucket", "a", "")], "keys.csv.gz", "keys.csv.gz", gzip.compress(b"a,1\n", mtime=0)),
        ([("my-bucket", "a", "")], "keys.txt", "keys.txt", gzip.compress(b"a\n", mtime=0)),
        ([("my-bucket", "1", "v1")], "k.tsv --key-column 2 --version-column v", "k.tsv", b"k\tn\tv\na\t1\tv1\n"),
        ([("my-bucket", "a", "")], "k.txt --format csv --header", "k.txt", b"k\na\n"),
        ([("my-bucket", "k", "")], "k.csv --no-header", "k.csv", b"k\n"),
        ([("other", "a", "")], "keys.txt --bucket other", "keys.txt", b"a\n"),
        ([("own", "a b", "")], "i.csv --bucket-column 1 --key-column 2 --url-encoded", "i.csv", b'"own","a+b","9"\n'),
        ([("my-bucket", "s3://my-bucket/a", "")], "k.txt --keep-uris", "k.txt", b"s3://my-bucket/a\n"),
        ([("my-bucket", "a", "")], "k.txt", "k.txt", b"a,12,GLACIER,2024-01-02T03:04:05Z\n"),
    ],
)
def test_formats(expected: list[tuple[str, str, str]], line: str, name: str, content: bytes) -> None:
    """The key file is read as its name, its look or the flags say."""
    assert split(line, {name: content}) == 0
    assert entries() == expected


def test_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    """`s3reclass split - --lot-size 2 --lots-dir elsewhere/lots` reads standard input."""
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"a\nb\nc\n")))

    assert split("- --lot-size 2 --lots-dir elsewhere/lots") == 0
    assert [lot.keys for lot in read_lots(Path("elsewhere/lots")).lots] == [2, 1]


def test_a_bucket_column_needs_no_bucket(here: Path) -> None:
    """Nobody need name a bucket when the key file does."""
    (here / "s3reclass.toml").unlink()

    assert split("k.csv --bucket-column 1 --key-column 2", {"k.csv": b"own,a\n"}) == 0
    assert entries() == [("own", "a", "")]


@pytest.mark.parametrize(
    ("code", "message", "line"),
    [
        (2, "--lots and --lot-size don't go together", "keys.txt --lots 2 --lot-size 3"),
        (2, "0 is not in the range", "keys.txt --lots 0"),
        (2, "100001 is not in the range", "keys.txt --lots 100001"),
        (2, "keys.txt is taken for a file of lines, which has no columns", "keys.txt --key-column 2"),
        (2, "'0' is no column", "keys.csv --key-column 0"),
        (2, "the column 'x' is not in its first row (é)", "keys.csv --key-column x"),
        (2, "--bucket: 's3://b/' is no bucket's name", "keys.txt --bucket s3://b/"),
        (1, "missing.txt can't be read: No such file or directory", "missing.txt"),
        (1, "folder is a directory: name a key file", "folder"),
        (1, "empty.txt; nothing was written", "empty.txt"),
        (1, "keys.txt, line 2: it isn't UTF-8 (byte 0xe9)", "keys.txt"),
        (1, "utf16.txt is UTF-16", "utf16.txt"),
        (2, "uris.txt, line 1: 's3://other-bucket/a' is an object of other-bucket, not of my-bucket", "uris.txt"),
    ],
)
def test_what_cannot_be_split(
    here: Path, capsys: pytest.CaptureFixture[str], code: int, message: str, line: str
) -> None:
    """Bad input and wrong usage are one line that says what, the right exit code, and no lots."""
    (here / "folder").mkdir()
    files = {
        "keys.txt": b"a\n\xe9\n",
        "keys.csv": "é\n".encode(),
        "empty.txt": b"\n",
        "utf16.txt": "a\n".encode("utf-16"),
        "uris.txt": b"s3://other-bucket/a\n",
    }

    assert split(line, files) == code

    out, err = capsys.readouterr()
    assert out == ""
    assert message in err
    assert "Traceback" not in err
    assert not (here / "lots").exists()


def test_no_bucket(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Without a bucket the error says where to name it."""
    (here / "s3reclass.toml").unlink()

    assert split("keys.txt", {"keys.txt": b"a\n"}) == 2
    assert "no bucket is named" in capsys.readouterr().err


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A key file that may not be read is told."""
    (here / "keys.txt").touch(mode=0)

    assert split("keys.txt") == 1
    assert "keys.txt can't be read: Permission denied" in capsys.readouterr().err


def test_notes_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    """What the user should know about the file goes to standard error."""
    assert split("k.txt", {"k.txt": b"a\r\nb\r\n"}) == 0
    assert split("k.csv --force", {"k.csv": b"Key,Size\na,1\n"}) == 0
    assert split("b.csv --force", {"b.csv": b"\xef\xbb\xbfa,1\n"}) == 0
    assert entries() == [("my-bucket", "a", "")]
    assert split("h.csv --force", {"h.csv": b"Key\na\n"}) == 0
    assert entries() == [("my-bucket", "Key", ""), ("my-bucket", "a", "")]
    assert split("l.txt --force", {"l.txt": b"a,1,GLACIER,2024-01-02T03:04:05Z\n"}) == 0

    err = capsys.readouterr().err
    assert r"note: its lines end in \r\n: the \r was taken off" in err
    assert err.count("byte order mark") == 1
    assert "note: b.csv begins with a byte order mark, which was taken off: no key has it" in err
    assert "note: l.txt is what `s3reclass list` prints, and read as CSV" in err
    assert "note: the first row is a header ('Key, Size'): say --no-header if it isn't" in err
    assert "note: the first row was taken for the key 'Key': say --header if it is a header" in err


def test_progress_comes_now_and_then(capsys: pytest.CaptureFixture[str]) -> None:
    """A step is printed when the last line is five seconds old, with how much of the file is read while it is."""
    times = iter((4.0, 6.0, 7.0, 12.0))
    now = 0.0
    fractions = iter((0.5, 1.0))
    show = progress(Clock(monotonic=lambda: now), lambda: next(fractions))

    for step in ("1 key read", "2 keys read", "3 keys read", "3 lots"):
        now = next(times)
        show(step)

    assert capsys.readouterr().err == "2 keys read, 50% of the file\n3 lots\n"


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        ("a,v1\na,\nb,v1\nc,\n", "1 object named by several lines"),
        ("a,v1\na,v2\na,v3\nb,v1\nb,\n", "2 objects named by several lines"),
        ("a,v1\nb,v1\nc,\na,v1\n", ""),
    ],
)
def test_an_object_that_several_lines_name_is_told(
    rows: str, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A key and its current version's id are one object, and two lines: `split` says so."""
    monkeypatch.chdir(tmp_path)
    Path("k.csv").write_text(rows)

    assert run(["split", "k.csv", "--version-column", "2", "--bucket", "my-bucket", "--lots", "2"]) == 0

    err = capsys.readouterr().err
    assert told in err
    assert ("named by several lines" in err) == bool(told)
    assert sorted(path.name for path in Path("lots").iterdir()) == ["lot-00000.csv", "lot-00001.csv", "lots.json"]
