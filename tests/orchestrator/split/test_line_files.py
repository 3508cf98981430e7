"""Files of lines, by the block."""

import io
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orchestrator.split.line_files import LinePieces, line_blocks, write_all
from tests.orchestrator.split.files_of_lines import files, read


def test_lines_longer_than_a_block_stay_whole(tmp_path: Path) -> None:
    """A block is whole lines, however long they are."""
    lines = ["a" * 300_000, "b", "c" * 200_000]
    (tmp_path / "lines").write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")

    blocks = list(line_blocks(tmp_path / "lines"))

    assert b"".join(blocks).decode().split("\n")[:-1] == lines
    assert all(block.endswith(b"\n") for block in blocks)


@given(st.lists(st.integers(1, 9), min_size=1, max_size=30), st.integers(1, 9))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40, deadline=None)
def test_lines_are_taken_so_many_at_a_time(tmp_path: Path, sizes: list[int], per_block: int) -> None:
    """What is taken is what was asked for, in order, whether it ends within a block or not."""
    lines = [str(number) * 90 for number in range(sum(sizes))]
    with files(tmp_path, lines, per_block) as (full, _):
        pieces = LinePieces(full)

        taken = [b"".join(pieces.take(size)).decode().split("\n")[:-1] for size in sizes]

    assert [len(some) for some in taken] == sizes
    assert [line for some in taken for line in some] == lines


def test_a_file_of_lines_begins_anew(tmp_path: Path) -> None:
    """What was written before is forgotten."""
    with files(tmp_path, ["a", "b"]) as (full, _):
        full.clear()
        full.append(b"c\n", 1)

        assert read(full) == ["c"]


def test_all_is_written_however_little_is_taken(tmp_path: Path) -> None:
    """A system that takes a few bytes at a time gets them all, in order."""

    class Reluctant(io.FileIO):
        def write(self, data: object) -> int:
            return super().write(memoryview(data)[:3])  # type: ignore[arg-type]  # anything that has a buffer

    with Reluctant(tmp_path / "lines", "w") as file:
        write_all(file, b"one line\nand another\n")

    assert (tmp_path / "lines").read_bytes() == b"one line\nand another\n"
