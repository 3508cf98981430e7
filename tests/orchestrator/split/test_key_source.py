"""Where a key file's bytes come from."""

import gzip
import hashlib
import io
import os
from pathlib import Path

import pytest

from orchestrator.errors import S3ReclassError
from orchestrator.split.key_source import CHUNK_BYTES, open_key_source

TEXT = b"".join(b"key-%d\n" % number for number in range(50_000))


def read(name: str, stdin: bytes = b"") -> tuple[bytes, str, str, str]:
    """What a source gives: its bytes, name, path and digest."""
    with open_key_source(name, io.BytesIO(stdin)) as source:
        content = b"".join(source.chunks())
        return content, source.name, source.path, source.sha256


@pytest.mark.parametrize("packed", [False, True])
def test_a_file(tmp_path: Path, packed: bool) -> None:  # noqa: FBT001 (a parameter of the test)
    """A file is read in chunks, unpacked if it begins like gzip whatever its name; the digest is the content's."""
    path = tmp_path / "keys.txt"
    path.write_bytes(gzip.compress(TEXT) if packed else TEXT)

    assert read(str(path)) == (TEXT, str(path), str(path), hashlib.sha256(TEXT).hexdigest())
    with open_key_source(str(path), io.BytesIO()) as source:
        assert source.start == TEXT[:CHUNK_BYTES]
        chunks = source.chunks()
        assert 0 < len(next(chunks)) <= CHUNK_BYTES
        assert source.fraction_read is not None
        assert 0 < source.fraction_read <= 1
        list(chunks)
        assert source.fraction_read == 1


def test_several_gzip_members_are_one_file(tmp_path: Path) -> None:
    """Gzip files that were put together by `cat` are read to the end."""
    path = tmp_path / "keys.txt.gz"
    path.write_bytes(gzip.compress(b"a\n") + gzip.compress(b"b\n"))

    assert read(str(path))[0] == b"a\nb\n"


@pytest.mark.parametrize("stdin", [TEXT, gzip.compress(TEXT, mtime=0)])
def test_standard_input(stdin: bytes) -> None:
    """`-` is standard input, gzip or not, and has no path."""
    assert read("-", stdin) == (TEXT, "standard input", "", hashlib.sha256(TEXT).hexdigest())


def test_a_pipe_has_no_path() -> None:
    """A pipe that has a name, as a shell's <(...) does, is no file to know again."""
    reading, writing = os.pipe()
    try:
        os.write(writing, b"a\nb\n")
        os.close(writing)
        content, _name, path, _digest = read(f"/dev/fd/{reading}")
    finally:
        os.close(reading)

    assert (content, path) == (b"a\nb\n", "")


def test_an_empty_file_is_no_error_here(tmp_path: Path) -> None:
    """An empty file is read as nothing."""
    (tmp_path / "keys.txt").touch()

    assert read(str(tmp_path / "keys.txt"))[0] == b""


def test_a_path_is_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same file under a relative name has the same path."""
    (tmp_path / "keys.txt").write_bytes(b"a\n")
    monkeypatch.chdir(tmp_path)

    assert read("./keys.txt")[1:3] == ("./keys.txt", str(tmp_path / "keys.txt"))


def test_what_cannot_be_opened(tmp_path: Path) -> None:
    """A directory and a missing file are errors that say so."""
    with pytest.raises(S3ReclassError, match="is a directory: name a key file"):
        read(str(tmp_path))
    with pytest.raises(S3ReclassError, match=r"keys\.txt can't be read: No such file"):
        read(str(tmp_path / "keys.txt"))


@pytest.mark.parametrize(
    "damaged", [gzip.compress(TEXT, mtime=0)[:-500], gzip.compress(TEXT, mtime=0)[:50] + b"x" * 5000, b"\x1f\x8bxx"]
)
def test_damaged_gzip(tmp_path: Path, damaged: bytes) -> None:
    """A gzip file that is cut short or broken is an error, not a shorter key file."""
    path = tmp_path / "keys.txt.gz"
    path.write_bytes(damaged)

    with pytest.raises(S3ReclassError, match=r"keys\.txt\.gz is damaged.*nothing was written"):
        read(str(path))
