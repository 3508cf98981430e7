"""What people give `s3reclass split` for a key file: keys come of it, or a line that says what to do."""

import bz2
import gzip
import json
import lzma
import re
import shlex
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.cli import run
from orchestrator.errors import S3ReclassError
from orchestrator.lots.folder import read_lots
from orchestrator.split.key_sample import Choices
from orchestrator.split.recognise import recognise
from tests.orchestrator.lots.lots_on_disk import iter_entries

VERSION = "3sL4kqtJlcpXroDTDmJ.rmSpXd3dIbrHY"
OTHER_VERSION = "null"
PLAIN = b"photos/a.jpg\nphotos/b 1.jpg\nphotos/c+d.jpg\n"
KEYS = ["photos/a.jpg", "photos/b 1.jpg"]
UUID = "0bdf2a4b-3f8e-4c09-9f6b-2f6c9d8c1a7e"


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder with a settings file, and the process in it."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "s3reclass.toml").write_text('bucket = "my-bucket"\n', encoding="utf-8")
    return tmp_path


def split(name: str, content: bytes, flags: str = "") -> int:
    """The exit code of `s3reclass split` of a file of this name and content."""
    Path(name).write_bytes(content)
    return run(["split", name, *shlex.split(flags)])


def keys() -> list[str]:
    """The keys in the lots, of the bucket of the settings file and without versions."""
    found = [(one.bucket, one.key, one.version_id) for one in iter_entries("lots", read_lots(Path("lots")))]
    assert {(bucket, version) for bucket, _, version in found} == {("my-bucket", "")}
    return [key for _, key, _ in found]


TAKEN = {
    "lines": ("k.txt", PLAIN, [*KEYS, "photos/c+d.jpg"], ""),
    "commas within names": ("k.txt", b"reel, 0\nreel, 1\nreel, 2\n", ["reel, 0", "reel, 1", "reel, 2"], ""),
    "no end of the last line": ("k.txt", b"photos/a.jpg\nphotos/b 1.jpg", KEYS, ""),
    "CRLF": ("k.txt", b"photos/a.jpg\r\nphotos/b 1.jpg\r\n", KEYS, r"its lines end in \r\n"),
    "byte order mark": ("k.txt", b"\xef\xbb\xbfphotos/a.jpg\nphotos/b 1.jpg\n", KEYS, "byte order mark"),
    "two byte order marks": (
        "k.txt",
        b"\xef\xbb\xbfa\nb\n\xef\xbb\xbfc\n",
        ["a", "b", "\ufeffc"],
        "line 3 begins with a byte order mark, as where files were joined",
    ),
    "commas": ("k.txt", b"a, b.txt\nc, d.txt\n", ["a, b.txt", "c, d.txt"], ""),
    "semicolons": ("k.txt", b"a;b\nc;d\n", ["a;b", "c;d"], ""),
    "odd": ("k.txt", b"{a}\n#hash\n50%\n(1).txt\n'x\n", ["{a}", "#hash", "50%", "(1).txt", "'x"], ""),
    "dates": ("k.txt", b"2024-01-02 03:04:05.log\n2024/01/02/x\n", ["2024-01-02 03:04:05.log", "2024/01/02/x"], ""),
    "a percent beside a space": ("k.txt", b"a%20b\nc d\n", ["a%20b", "c d"], ""),
    "magic words": ("k.txt", b"PAR1\nORC/x\n", ["PAR1", "ORC/x"], ""),
    "magic words of bzip2": ("k.txt", b"BZh9\n%PDF-\n", ["BZh9", "%PDF-"], ""),
    "slashes": ("k.txt", b"/a\n/b\n", ["/a", "/b"], "all begin with /"),
    "first line Key": ("k.txt", b"Key\na\n", ["Key", "a"], "take it out if it is a header"),
    "URIs": ("k.txt", b"s3://my-bucket/photos/a.jpg\ns3://my-bucket/photos/b 1.jpg\n", KEYS, "s3://my-bucket/ was"),
    "URIs of Hadoop": ("k.txt", b"s3a://my-bucket/photos/a.jpg\n", ["photos/a.jpg"], "s3a://my-bucket/ was"),
    "ARNs": ("k.txt", b"arn:aws:s3:::my-bucket/photos/a.jpg\n", ["photos/a.jpg"], "arn:aws:s3:::my-bucket/ was"),
    "URIs in CSV": ("k.csv", b"s3://my-bucket/photos/a.jpg,1\n", ["photos/a.jpg"], "s3://my-bucket/ was taken off"),
    "header": ("k.csv", b"Key,Size\nphotos/a.jpg,100\n", ["photos/a.jpg"], "is a header ('Key, Size')"),
    "header, key second": ("k.csv", b"size,KEY\n1,photos/a.jpg\n", ["photos/a.jpg"], "--key-column 2"),
    "header of another language": ("k.csv", "Clé,Taille\na,1\nb,2\n".encode(), ["a", "b"], "is a header"),
    "Athena": (
        "k.csv",
        b'"bucket","key"\n"my-bucket","photos/a.jpg"\n"my-bucket","photos/b 1.jpg"\n',
        KEYS,
        "the columns are taken as --header --bucket-column 1 --key-column 2",
    ),
    "inventory with a header": (
        "k.csv",
        b'"Bucket","Key","Size","LastModifiedDate"\n"my-bucket","photos/a.jpg","1","2024-01-02T03:04:05.000Z"\n',
        ["photos/a.jpg"],
        "--bucket-column 1 --key-column 2",
    ),
    "rclone lsf": ("k.txt", b"photos/\nphotos/a.jpg\n", ["photos/", "photos/a.jpg"], ""),
    "one UUID": ("k.txt", f"{UUID}\n".encode(), [UUID], ""),
}


@pytest.mark.parametrize(("name", "content", "expected", "told"), TAKEN.values(), ids=TAKEN)
def test_what_is_taken(
    capsys: pytest.CaptureFixture[str], name: str, content: bytes, expected: list[str], told: str
) -> None:
    """Lists of keys are read, however odd the keys; what was understood of other shapes is told."""
    assert split(name, content) == 0
    assert keys() == expected
    err = capsys.readouterr().err
    assert told in err
    assert bool(err) == bool(told)


def listing(*lines: str) -> bytes:
    """The lines, each ended."""
    return "".join(f"{line}\n" for line in lines).encode()


CONTENTS = {"Contents": [{"Key": "photos/a.jpg", "Size": 100}]}
MANIFEST = {
    "sourceBucket": "my-bucket",
    "fileFormat": "CSV",
    "fileSchema": "Bucket, Key, VersionId, Size",
    "files": [{"key": "inv/data/x.csv.gz"}],
}
NO_KEYS = {
    "aws s3 ls": (
        "k.txt",
        listing("2022-05-09 19:26:39        100 photos/a.jpg", "                           PRE e/"),
        (
            "line 1: '2022-05-09 19:26:39        100 photos/a.jpg' is a line of `aws s3 ls`, and not a key alone: "
            "`s3reclass list"
        ),
    ),
    "aws s3 ls, for people": ("k.txt", listing("2022-05-09 19:26:39    1.2 GiB a b"), "`aws s3 ls`"),
    "aws s3 ls, of buckets": ("k.txt", listing("2022-05-09 19:26:39 my-bucket"), "`aws s3 ls`, of buckets"),
    "aws s3 ls as .csv": ("k.csv", listing("2022-05-09 19:26:39        100 a"), "`aws s3 ls`"),
    "s5cmd ls": ("k.txt", listing("                    DIR  x/", "2021/11/03 10:00:00    GLACIER   1234  a"), "ls`"),
    "gsutil ls -l": ("k.txt", listing("      2276  2012-03-02T19:25:17Z  gs://b/a"), "`gsutil ls -l`"),
    "rclone lsl": ("k.txt", listing("    60295 2016-06-25 18:55:41.062626927 a"), "`rclone lsl`"),
    "rclone ls": ("k.txt", listing("    60295 a", "      100 b c"), "`rclone ls`"),
    "mc ls": ("k.txt", listing("[2021-11-03 10:00:00 UTC]  12KiB STANDARD a"), "`mc ls`"),
    "ls -l": ("k.txt", listing("total 8", "-rw-r--r-- 1 me me 100 Nov  1 10:00 a.jpg"), "`ls -l`"),
    "one text line": ("k.txt", b"photos/a.jpg\tphotos/b 1.jpg\tphotos/c+d.jpg", "has tabs, as `aws --output text`"),
    "list-objects text": (
        "k.txt",
        b'CONTENTS\t"etag"\tphotos/a.jpg\t2022-05-09T19:26:39+00:00\t100\tSTANDARD\n',
        "of a whole listing (CONTENTS): make it with --query 'Contents[].[Key]' --output text",
    ),
    "list-object-versions text": (
        "k.txt",
        f'VERSIONS\t"etag"\tTrue\ta\t2022-05-09\t1\tSTANDARD\t{VERSION}\n'.encode(),
        "(VERSIONS)",
    ),
    "text of nothing": ("k.txt", b"None\n", "is what --output text writes for nothing"),
    "JSON of keys": ("k.txt", b'[\n    "photos/a.jpg",\n    "photos/b 1.jpg"\n]\n', "line 1: '[' is JSON"),
    "JSON of objects": ("k.json", json.dumps(CONTENTS, indent=4).encode(), "line 1: '{' is JSON: take the keys out"),
    "JSON on one line": ("k.txt", json.dumps(CONTENTS).encode(), "is JSON"),
    "JSON lines": ("k.txt", b'{"key":"s3://b/a"}\n{"key":"s3://b/c"}\n', "is JSON"),
    "JSON as .csv": ("k.csv", json.dumps(CONTENTS).encode(), "is JSON"),
    "rclone lsjson": ("k.txt", b'[\n{"Path":"a","Name":"a","Size":1}\n]\n', "is JSON"),
    "quoted lines": ("k.txt", b'"photos/a.jpg"\n"photos/b 1.jpg"\n', "is a key in quotes: say --format csv"),
    "quoted lines of others": ("k.txt", b"'a'\n'b'\n", "stands in quotes, as all lines do"),
    "inventory manifest": (
        "manifest.json",
        json.dumps(MANIFEST, indent=2).encode(),
        (
            "manifest.json: split the files that it names (s3reclass split FILE --bucket-column 1 --key-column 2 "
            "--version-column 3 --url-encoded)"
        ),
    ),
    "inventory manifest of Parquet": (
        "manifest.json",
        json.dumps({**MANIFEST, "fileFormat": "Parquet", "fileSchema": "message s3 {}"}).encode(),
        "the files that it names are Parquet: write its key column out",
    ),
    "inventory symlink": ("symlink.txt", f"s3://inv/x/data/{UUID}.csv.gz\n".encode(), "is a file of an S3 Inventory"),
    "YAML": ("k.txt", b"Contents:\n- Key: a\n", "is YAML"),
    "a table of aws": ("k.txt", listing("-" * 30, "|  ListObjectsV2  |", "+---+"), "is a table drawn for people"),
    "a table of PowerShell": ("k.txt", listing("Key          Size", "---          ----", "a   1"), "Export-Csv"),
    "Markdown": ("k.txt", b"# Keys\n\n- a\n", "is a comment, or Markdown"),
    "a comment": ("k.txt", b"# of May\na\nb\n", "'# of May' is a comment"),
    "HTML": ("k.txt", b"\n<!DOCTYPE html>\n<html>\n", "line 2: '<!DOCTYPE html>' is XML or HTML"),
    "XML": ("k.txt", b'<?xml version="1.0"?><Error><Code>AccessDenied</Code></Error>', "is XML or HTML"),
    "a script": ("k.txt", b"#!/bin/sh\naws s3 ls\n", "is a program"),
    "an error": (
        "k.txt",
        b"\nAn error occurred (AccessDenied) when calling the ListObjectsV2 operation: Access Denied\n",
        "is a program's error message",
    ),
    "an error among keys": ("k.txt", b"a\nb\nfatal error: Unable to locate credentials\n", "line 3: 'fatal error: "),
    "a shell's error": ("k.txt", b"bash: line 1: aws: command not found\n", "is a program's error message"),
    "Git LFS": ("k.txt", b"version https://git-lfs.github.com/spec/v1\noid sha256:ab\n", "is a Git LFS pointer"),
    "access log": ("k.txt", f"{'0a' * 32} my-bucket [06/Feb/2019:00:00:38 +0000] 192.0.2.3\n".encode(), "access log"),
    "URLs": ("k.txt", b"https://my-bucket.s3.amazonaws.com/a%20b.jpg\n", "is a URL, and a key file has keys"),
    "gsutil URIs": ("k.txt", b"gs://b/a\ngs://b/b\n", "is a URL"),
    "URIs of another bucket": (
        "k.txt",
        b"s3://other-bucket/photos/a.jpg\ns3://other-bucket/photos/b.jpg\n",
        (
            "line 1: 's3://other-bucket/photos/a.jpg' is an object of other-bucket, not of my-bucket: "
            "say --bucket other-bucket, or --as-is"
        ),
    ),
    "URIs of several buckets": ("k.txt", b"s3://my-bucket/a\ns3://other-bucket/a\n", "(my-bucket, other-bucket)"),
    "keys and URIs": ("k.txt", b"a\ns3://my-bucket/b\n", "line 2: 's3://my-bucket/b' is not like the line before it"),
    "find": ("k.txt", b"./a\n./b\n", "begins with ./ as all lines do"),
    "URL-encoded": ("k.txt", b"a\nphotos/b%201.jpg\n", "line 2: 'photos/b%201.jpg' looks URL-encoded: say --url-e"),
    "URL-encoded CSV": ("k.csv", b"a,1\nb+%C3%A9,2\n", "line 2: 'b+%C3%A9' looks URL-encoded: say --url-encoded"),
    "CR": ("k.txt", b"a\rb\rc\r", r"its lines end in \r alone: convert it (`tr '\r' '\n'`)"),
    "NUL": ("k.txt", b"a\0b\0c\0", r"has NUL bytes between its keys, and not newlines: convert it (`tr '\0' '\n'`)"),
    "mixed controls": ("k.txt", b"\x1b[31mAn error\x1b[0m\n<html>\ns3://other-bucket/\x1b[0m\n", "is not like"),
}


@pytest.mark.parametrize(("name", "content", "message"), NO_KEYS.values(), ids=NO_KEYS)
def test_what_is_no_list_of_keys(
    here: Path, capsys: pytest.CaptureFixture[str], name: str, content: bytes, message: str
) -> None:
    """What isn't keys is refused in one safe line, and nothing is written; --as-is takes it all the same."""
    assert split(name, content) in {1, 2}

    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert message in err
    assert "nothing was written" in err
    assert "\x1b" not in err
    assert not (here / "lots").exists()
    assert split(name, content, "--as-is --format lines") == 0


BINARY = {
    "Parquet": (b"PAR1\x15\x04\0\0x\n", "is Parquet, no list of keys: write its key column out as CSV"),
    "ORC": (b"ORC\x0a\0\0\x12", "is ORC"),
    "Avro": (b"Obj\x01\x04\x14", "is Avro"),
    "zip": (b"PK\x03\x04\x14\0\0\0keys.txt", "is a zip archive, no list of keys: unpack it"),
    "xlsx": (b"PK\x03\x04\x14\0\0\0[Content_Types].xml\0\0xl/workbook.xml", "is an Excel workbook (.xlsx)"),
    "ods": (b"PK\x03\x04\0mimetypeapplication/vnd.oasis.opendocument.spreadsheet", "OpenDocument"),
    "zstd": (b"\x28\xb5\x2f\xfd\x04\x58", "is packed with zstd, no list of keys: unpack it"),
    "bzip2": (bz2.compress(PLAIN), "is packed with bzip2"),
    "xz": (lzma.compress(PLAIN), "is packed with xz"),
    "gzip twice": (gzip.compress(gzip.compress(PLAIN, mtime=0), mtime=0), "is packed with gzip twice"),
    "tar": (b"keys.txt".ljust(257, b"\0") + b"ustar\x0000" + b"\0" * 100, "is a tar archive"),
    "tar.gz": (gzip.compress(b"keys.txt".ljust(257, b"\0") + b"ustar\x0000" + b"\0" * 100, mtime=0), "tar archive"),
    "UTF-16": ("ключ\n".encode("utf-16"), "is UTF-16, and a key file is UTF-8: convert it (`iconv -f UTF-16 -t"),
    "UTF-16 unmarked": ("photos/a\r\n".encode("utf-16-le"), "(`iconv -f UTF-16LE -t UTF-8`)"),
    "UTF-16 unmarked, other letters": ("ключ\nлюди\n".encode("utf-16-be"), "(`iconv -f UTF-16BE -t UTF-8`)"),
    "UTF-32": ("a\n".encode("utf-32"), "is UTF-32"),
    "unknown": (b"\x80\x02}q\0(X\x03\n\0\xff\xfe", "is binary, no list of keys"),
    "Latin-1": ("café\n".encode("latin-1"), "line 1: it isn't UTF-8 (byte 0xe9)"),
}


@pytest.mark.parametrize(("content", "message"), BINARY.values(), ids=BINARY)
@pytest.mark.parametrize("name", ["k.txt", "k.csv"])
def test_what_is_no_text(
    here: Path, capsys: pytest.CaptureFixture[str], name: str, content: bytes, message: str
) -> None:
    """Binary files and other encodings are called what they are, whatever their name."""
    assert split(name, content) == 1
    assert message in capsys.readouterr().err
    assert not (here / "lots").exists()


VERSIONED = [("my-bucket", "doc.txt", VERSION), ("my-bucket", "new.txt", "")]
NO_VERSIONS = [("my-bucket", "photos/a.jpg", ""), ("my-bucket", "photos/b 1.jpg", "")]
ADVISED = {
    "manifest": (
        "k.csv",
        listing(f"my-bucket,doc.txt,{VERSION}", "my-bucket,new.txt,"),
        VERSIONED,
        "say --bucket-column 1 --key-column 2 --version-column 3 --url-encoded",
    ),
    "manifest of one row": (
        "k.csv",
        listing(f"my-bucket,doc.txt,{VERSION}"),
        VERSIONED[:1],
        "say --bucket-column 1 --key-column 2 --version-column 3 --url-encoded",
    ),
    "manifest of another bucket": (
        "k.csv",
        listing("their-bucket,a", "their-bucket,b"),
        [("their-bucket", "a", ""), ("their-bucket", "b", "")],
        "say --bucket-column 1 --key-column 2 --url-encoded",
    ),
    "manifest as .txt": (
        "k.txt",
        listing(f"my-bucket,doc.txt,{VERSION}", "my-bucket,new.txt,"),
        VERSIONED,
        "say --format csv --bucket-column 1 --key-column 2 --version-column 3 --url-encoded",
    ),
    "report as .txt": (
        "k.txt",
        listing(f"my-bucket,doc.txt,{VERSION},failed,AccessDenied,403,x,denied,12,"),
        VERSIONED[:1],
        "say --format csv --bucket-column 1 --key-column 2 --version-column 3 --url-encoded",
    ),
    "inventory with versions of a suspended bucket": (
        "k.csv",
        b'"my-bucket","doc%2Ctxt","null","true","12"\n"my-bucket","new.txt","null","true","12"\n',
        [("my-bucket", "doc,txt", "null"), ("my-bucket", "new.txt", "null")],
        "say --bucket-column 1 --key-column 2 --version-column 3 --url-encoded",
    ),
    "inventory": (
        "k.csv",
        b'"my-bucket","photos/a.jpg","100"\n"my-bucket","photos/b+1.jpg","7"\n',
        NO_VERSIONS,
        "say --bucket-column 1 --key-column 2 --url-encoded",
    ),
    "keys and versions": (
        "k.csv",
        listing(f"doc.txt,{VERSION}", "new.txt,"),
        VERSIONED,
        "say --version-column 2",
    ),
    "Athena as .txt": (
        "k.txt",
        b'"bucket","key"\n"my-bucket","photos/a.jpg"\n"my-bucket","photos/b 1.jpg"\n',
        NO_VERSIONS,
        "say --format csv --header --bucket-column 1 --key-column 2",
    ),
    "semicolons": (
        "k.csv",
        b"key;size\r\nphotos/a.jpg;100\r\nphotos/b 1.jpg;100\r\n",
        NO_VERSIONS,
        "say --format csv --delimiter ';' --header --key-column 1",
    ),
    "semicolons as .txt": (
        "k.txt",
        b"photos/a.jpg;100\nphotos/b 1.jpg;100\n",
        NO_VERSIONS,
        "say --format csv --delimiter ';' --key-column 1",
    ),
    "tabs as .txt": (
        "k.txt",
        f"doc.txt\t{VERSION}\nnew.txt\t\n".encode(),
        VERSIONED,
        "say --format tsv --key-column 1 --version-column 2",
    ),
    "tabs as .csv": ("k.csv", b"photos/a.jpg\t1\nphotos/b 1.jpg\t2\n", NO_VERSIONS, "say --format tsv --key-column 1"),
    "CSV as .txt": (
        "k.txt",
        b"photos/a.jpg,100,GLACIER\nphotos/b 1.jpg,100,GLACIER\n",
        NO_VERSIONS,
        "say --format csv --key-column 1",
    ),
    "URIs of another bucket": (
        "k.txt",
        b"s3://their-bucket/a\n",
        [("their-bucket", "a", "")],
        "say --bucket their-bucket",
    ),
    "URL-encoded": (
        "k.txt",
        b"photos/a.jpg\nphotos/b+1.jpg\nc%2Bd\n",
        [*NO_VERSIONS, ("my-bucket", "c+d", "")],
        "say --url-encoded",
    ),
    "quoted lines": ("k.txt", b'"photos/a.jpg"\n"photos/b 1.jpg"\n', NO_VERSIONS, "say --format csv"),
}


@pytest.mark.parametrize(("name", "content", "expected", "advice"), ADVISED.values(), ids=ADVISED)
def test_the_advice_reads_the_file(
    here: Path,
    capsys: pytest.CaptureFixture[str],
    name: str,
    content: bytes,
    expected: list[tuple[str, str, str]],
    advice: str,
) -> None:
    """A refusal names the flags that read the file, and with just these it is read, versions and all."""
    assert split(name, content) == 2
    found = re.search(r"say (--.*?)(,|:| too| if |$)", capsys.readouterr().err)
    assert found
    assert f"say {found[1]}" == advice
    assert not (here / "lots").exists()

    assert split(name, content, found[1]) == 0
    assert [(one.bucket, one.key, one.version_id) for one in iter_entries("lots", read_lots(Path("lots")))] == expected


@pytest.mark.parametrize(
    ("line", "whose", "flags", "rest"),
    [
        ("sep=,", "Excel's", "--format csv --header --key-column 1", b"Key,Size\nphotos/a.jpg,100\n"),
        ("sep=;", "Excel's", "--format csv --delimiter ';' --header --key-column 1", b"Key;Size\nphotos/a.jpg;100\n"),
        (
            "#TYPE Selected.Amazon.S3.Model.S3Object",
            "PowerShell's",
            "--format csv --header --key-column 1",
            b'"Key","Size","StorageClass"\r\n"photos/a.jpg","100","GLACIER"\r\n',
        ),
    ],
)
@pytest.mark.parametrize("name", ["k.csv", "k.txt"])
def test_a_line_before_the_table(
    capsys: pytest.CaptureFixture[str], name: str, line: str, whose: str, flags: str, rest: bytes
) -> None:
    """A line that Excel or PowerShell wrote is to be taken off, and the flags read what is left."""
    assert split(name, line.encode() + b"\r\n" + rest) == 2
    assert (
        f"line 1: '{line}' is a line of {whose}, before the table: take that line off (`tail -n +2`), and say {flags}, "
        in capsys.readouterr().err
    )

    assert split(name, rest, flags) == 0
    assert keys() == ["photos/a.jpg"]


@pytest.mark.parametrize(
    "flags",
    [
        "",
        "--bucket-column 1 --key-column 2 --url-encoded",
        "--bucket-column 1 --key-column 2 --version-column 3 --url-encoded",
    ],
)
@pytest.mark.parametrize("header", ["", "Bucket,Key,VersionId,TaskStatus,ErrorCode,HTTPStatusCode,ResultMessage\n"])
def test_a_report_keeps_its_versions(here: Path, header: str, flags: str) -> None:
    """A completion report is read with its version ids, also those that come after the lines looked at."""
    (here / "s3reclass.toml").unlink()
    rows = [f"own-bucket,k%20{number},,failed,AccessDenied,403,no" for number in range(3_000)]
    rows.append(f"own-bucket,doc.txt,{VERSION},failed,AccessDenied,403,no")

    assert split("report.csv", header.encode() + listing(*rows), flags) == 0

    found = [(one.bucket, one.key, one.version_id) for one in iter_entries("lots", read_lots(Path("lots")))]
    assert found[:1] + found[-1:] == [("own-bucket", "k 0", ""), ("own-bucket", "doc.txt", VERSION)]


def test_what_verify_writes_is_read_with_its_versions() -> None:
    """The report of `verify` is a key file, too: its second column is URL-encoded, its third a version's id."""
    content = listing(f"my-bucket,a%20b,{VERSION},other-class,GLACIER,it is in GLACIER", "my-bucket,c,,missing,,gone")

    assert split("verified.csv", content) == 0
    assert [(one.key, one.version_id) for one in iter_entries("lots", read_lots(Path("lots")))] == [
        ("a b", VERSION),
        ("c", ""),
    ]


def test_a_header_with_versions_is_read_with_them() -> None:
    """Columns that a header names are taken by their names."""
    content = listing("version_id,object_key,size", f"{VERSION},doc.txt,1", ",new.txt,2")

    assert split("k.csv", content) == 0
    assert [(one.key, one.version_id) for one in iter_entries("lots", read_lots(Path("lots")))] == [
        ("doc.txt", VERSION),
        ("new.txt", ""),
    ]


@pytest.mark.parametrize(
    ("message", "content", "flags"),
    [
        (
            f"line 1: '{VERSION}' in column 3 is a version's id: say --version-column 3 too",
            listing(f"my-bucket,doc.txt,{VERSION}", f"my-bucket,b,{OTHER_VERSION}"),
            "--bucket-column 1 --key-column 2 --url-encoded",
        ),
        (
            f"line 2: '{VERSION}' in column 2 is a version's id: say --version-column 2 too",
            listing("key,version_id", f"doc.txt,{VERSION}"),
            "--key-column key",
        ),
        (
            "line 3: 'their-bucket' is another bucket: say --bucket-column 1 too",
            listing("bucket,key", "my-bucket,a", "their-bucket,b"),
            "--key-column key",
        ),
        (
            "is a header, and none of its names is known for the key's: say --header --key-column N",
            "Größe,Datei-Schlüssel\n1,a\n2,b\n".encode(),
            "",
        ),
        (
            "line 2: 'b%20c' looks URL-encoded: say --url-encoded",
            listing("my-bucket,a", "my-bucket,b%20c"),
            "--bucket-column 1 --key-column 2",
        ),
    ],
)
def test_flags_that_leave_something_out(
    here: Path, capsys: pytest.CaptureFixture[str], message: str, content: bytes, flags: str
) -> None:
    """Flags under which versions, buckets or the encoding would get lost are refused; --as-is goes on."""
    assert split("k.csv", content, flags) == 2
    assert message in capsys.readouterr().err
    assert not (here / "lots").exists()

    assert split("k.csv", content, f"{flags} --as-is") == 0


def test_flags_that_find_a_header() -> None:
    """Columns given by number don't make a key of the header."""
    content = b'"bucket","key"\n"my-bucket","photos/a.jpg"\n'

    assert split("k.csv", content, "--bucket-column 1 --key-column 2") == 0
    assert keys() == ["photos/a.jpg"]


@pytest.mark.parametrize(
    ("expected", "flags"), [(["a%20b"], "--as-is"), (["a b"], "--url-encoded"), (["a b"], "--url-encoded --as-is")]
)
def test_encoded_or_not_is_for_the_user_to_say(expected: list[str], flags: str) -> None:
    """Keys that look URL-encoded are taken as the flags say."""
    assert split("k.txt", b"a%20b\n", flags) == 0
    assert keys() == expected


def test_lines_may_be_anything_if_the_user_says_lines() -> None:
    """--format lines takes rows and listings for keys, as the user has looked."""
    content = listing("a,1,GLACIER", "2022-05-09 19:26:39        100 b", "a\tb")

    assert split("k.csv", content, "--format lines") == 0
    assert keys() == content.decode().splitlines()


def test_a_uri_of_another_bucket_far_down_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    """Where all URIs were of the bucket, the first line that isn't is an error."""
    rows = [f"s3://my-bucket/{number}" for number in range(5_000)]

    assert split("k.txt", listing(*rows, "s3://other-bucket/x")) == 1
    assert "k.txt, line 5,001: 's3://other-bucket/x' doesn't begin with s3://my-bucket/" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("code", "lines", "different", "flags"),
    [(1, 2_000, 1, ""), (1, 100, 5, ""), (0, 2_000, 1, "--as-is"), (0, 100, 6, ""), (0, 99, 1, "")],
)
def test_nearly_only_duplicates(
    here: Path, capsys: pytest.CaptureFixture[str], code: int, lines: int, different: int, flags: str
) -> None:
    """Many lines that name few keys are hardly the keys; more than half of duplicates are told."""
    content = listing(*(f"photos/{number % different}" for number in range(lines)))

    assert split("k.txt", content, flags) == code

    err = capsys.readouterr().err
    assert ("over and over: is that the key's column?" in err) == bool(code)
    assert ("more than half of the lines are duplicates" in err) == (not code)
    assert (here / "lots").exists() == (not code)


@pytest.mark.parametrize("delimiter", ["", ";;", '"', "\n", "é"])
def test_a_delimiter_is_one_character(capsys: pytest.CaptureFixture[str], delimiter: str) -> None:
    """What the csv module can't cut by is wrong usage."""
    assert split("k.csv", b"a\n", shlex.join(["--delimiter", delimiter])) == 2
    assert "--delimiter:" in capsys.readouterr().err


PIECES = [
    b"a",
    b",",
    b"\n",
    b"\t",
    b";",
    b'"',
    b"my-bucket",
    b"%20",
    b"\0",
    b"\xff",
    b"\r\n",
    b"s3://my-bucket/",
    b"key",
]
PIECES += [b"key", b"bucket", b"{", b"[", b"12", b"succeeded", b" ", b"sep=", b"GLACIER", b"null", b"\xef\xbb\xbf"]
CHOICES = [Choices(), Choices(key_column="2"), Choices(bucket_column="1", key_column="2"), Choices(header=True)]
CHOICES += [Choices(header=False), Choices(key_column="key"), Choices(kind="lines"), Choices(kind="tsv")]


@settings(deadline=None)
@given(
    st.lists(st.sampled_from(PIECES), max_size=25),
    st.sampled_from(CHOICES),
    st.sampled_from(["k.txt", "k.csv", "k.tsv"]),
    st.booleans(),
)
def test_any_bytes_are_recognised_or_refused(pieces: list[bytes], chosen: Choices, name: str, whole: bool) -> None:  # noqa: FBT001 (a parameter of the test)
    """No content and no flags lead to anything but a reading or a refusal in one line."""
    told = ""
    try:
        recognise(b"".join(pieces), whole=whole, name=name, bucket="my-bucket", chosen=chosen)
    except S3ReclassError as error:
        told = str(error)
    assert "\n" not in told
