"""The build context: the same from the repository and from the installed package, the same bytes each time."""

import hashlib
import tarfile
from contextlib import closing
from pathlib import Path

import pytest

from orchestrator.errors import S3ReclassError
from orchestrator.image.build_context import pack_context, read_worker_files
from orchestrator.image.tag import ContextFile
from orchestrator.model import Lot, Lots

ROOT = Path(__file__).parents[3]
FILES = (ContextFile(path="worker/b.py", data=b"b"), ContextFile(path="Dockerfile", data=b"FROM x\n"))


def make_installation(folder: Path, *, wheel: bool) -> Path:
    """A small installation; in a wheel's, Dockerfile and requirements lie inside the package. The package's folder."""
    package = folder / "orchestrator"
    home = package if wheel else folder
    for path, text in {
        folder / "worker/__init__.py": "",
        folder / "worker/actions/copy.py": "c",
        home / "Dockerfile": "FROM x\n",
        home / "requirements/worker.txt": "boto3\n",
    }.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    package.mkdir(exist_ok=True)
    return package


def test_the_worker_is_found_in_this_very_repository() -> None:
    """Every module of it, the Dockerfile and the pinned requirements, and nothing of the launcher."""
    found = {file.path: file.data for file in read_worker_files()}

    assert {"Dockerfile", "requirements/worker.txt", "worker/__main__.py", "worker/contract/rows.py"} <= set(found)
    assert {path for path in found if path.endswith(".py")} == {
        path.relative_to(ROOT).as_posix() for path in (ROOT / "worker").rglob("*.py")
    }
    assert not [path for path in found if path.startswith(("orchestrator", "tests"))]
    assert found["Dockerfile"] == (ROOT / "Dockerfile").read_bytes()


def test_repository_and_wheel_give_the_same_files(tmp_path: Path) -> None:
    """So the image that one pushed is the other's too."""
    repository = make_installation(tmp_path / "repository", wheel=False)
    wheel = make_installation(tmp_path / "wheel", wheel=True)

    assert read_worker_files(wheel) == read_worker_files(repository)
    assert [file.path for file in read_worker_files(wheel)] == [
        "Dockerfile",
        "requirements/worker.txt",
        "worker/__init__.py",
        "worker/actions/copy.py",
    ]


def test_leftovers_are_not_part_of_the_worker(tmp_path: Path) -> None:
    """Bytecode and an editor's files would change the tag from machine to machine."""
    package = make_installation(tmp_path, wheel=False)
    clean = read_worker_files(package)
    for name in ("__pycache__/copy.cpython-313.pyc", ".copy.py.swp", "copy.py~", "old.pyc"):
        path = tmp_path / "worker" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("x")

    assert read_worker_files(package) == clean


def test_an_installation_without_dockerfile_says_so(tmp_path: Path) -> None:
    """It names the file and what to do."""
    package = make_installation(tmp_path, wheel=True)
    (package / "Dockerfile").unlink()

    with pytest.raises(S3ReclassError, match=r"worker's Dockerfile can't be read .*install s3reclass again"):
        read_worker_files(package)


def test_the_same_content_makes_the_same_bytes() -> None:
    """Sorted, undated, owned by nobody in particular, readable by all."""
    with closing(pack_context(FILES)) as one, closing(pack_context(FILES[::-1])) as other:
        assert one.read() == other.read()
        one.seek(0)
        with tarfile.open(fileobj=one) as tar:
            members = tar.getmembers()
    assert [member.name for member in members] == ["Dockerfile", "worker/b.py"]
    assert {(member.mode, member.mtime, member.uid, member.uname) for member in members} == {(0o644, 0, 0, "")}


def test_lots_travel_in_their_own_folder(tmp_path: Path) -> None:
    """Each lot that lots.json names, and lots.json; nothing else that lies there."""
    (tmp_path / "lot-00000.csv").write_bytes(b"bucket,key\n")
    (tmp_path / "lots.json").write_bytes(b"{}")
    (tmp_path / "README.md").write_bytes(b"no lot")
    lot = Lot(name="lot-00000", keys=1, sha256=hashlib.sha256(b"bucket,key\n").hexdigest())
    lots = Lots(lots=(lot,), digest="0" * 64, buckets=("bucket",), source="keys.txt")

    with closing(pack_context(FILES, lots=lots, lots_folder=tmp_path)) as context, tarfile.open(fileobj=context) as tar:
        assert tar.getnames() == ["Dockerfile", "worker/b.py", "lots/lot-00000.csv", "lots/lots.json"]
