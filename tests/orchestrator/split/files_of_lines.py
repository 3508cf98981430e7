"""Files of lines for the tests, in small blocks."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from orchestrator.split.line_files import LineFile

LINES_PER_BLOCK = 7


@contextmanager
def files(folder: Path, lines: list[str], per_block: int = LINES_PER_BLOCK) -> Iterator[tuple[LineFile, LineFile]]:
    """A file of these lines, and an empty one."""
    with LineFile(folder / "lines") as full, LineFile(folder / "unique") as empty:
        for at in range(0, len(lines), per_block):
            some = lines[at : at + per_block]
            full.append("".join(f"{line}\n" for line in some).encode(), len(some))
        yield full, empty


def read(file: LineFile) -> list[str]:
    """A file's lines."""
    blocks = list(file.blocks())
    assert [block.count(b"\n") for block, _ in blocks] == [count for _, count in blocks]
    assert file.size_bytes == file.path.stat().st_size
    return b"".join(block for block, _ in blocks).decode().split("\n")[:-1]
