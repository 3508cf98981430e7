"""Duplicates among many lines."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orchestrator.duplicates import remove_duplicates
from orchestrator.line_files import LinePieces, line_blocks


def write(path: Path, lines: list[str]) -> Path:
    """A file of these lines."""
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path


def read(path: Path) -> list[str]:
    """A file's lines."""
    return path.read_text(encoding="utf-8").split("\n")[:-1]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
@given(st.lists(st.sampled_from("abcdefgh"), min_size=1, max_size=40), st.integers(2, 100))
def test_the_first_of_each_is_kept(tmp_path: Path, lines: list[str], part_bytes: int) -> None:
    """Every later copy goes, the order stays, into however many parts the lines are parted."""
    unique = tmp_path / "unique"
    unique.unlink(missing_ok=True)

    repeats = remove_duplicates(
        write(tmp_path / "lines", lines), unique, tmp_path, part_bytes=part_bytes, on_step=lambda _step: None
    )

    expected = list(dict.fromkeys(lines))
    assert repeats == len(lines) - len(expected)
    assert unique.exists() == bool(repeats)
    if repeats:
        assert read(unique) == expected
    assert {path.name for path in tmp_path.iterdir()} <= {"lines", "unique"}


@pytest.mark.parametrize("part_bytes", [16 << 20, 100_000])
def test_many_lines(tmp_path: Path, part_bytes: int) -> None:
    """Across many blocks and parts, with one line that is there a thousand times, the same holds."""
    lines = [f"bucket,some/prefix/{number * 7919 % 30_011:08d}" for number in range(40_000)]
    lines += ["bucket,again"] * 1_000
    steps: list[str] = []

    repeats = remove_duplicates(
        write(tmp_path / "lines", lines), tmp_path / "unique", tmp_path, part_bytes=part_bytes, on_step=steps.append
    )

    assert repeats == 40_000 - 30_011 + 999
    assert read(tmp_path / "unique") == list(dict.fromkeys(lines))
    assert steps[0] == "looking for duplicates"
    assert steps[-1] == "leaving duplicates out"


def test_lines_longer_than_a_block_stay_whole(tmp_path: Path) -> None:
    """A block is whole lines, however long they are."""
    lines = ["a" * 300_000, "b", "c" * 200_000]

    blocks = list(line_blocks(write(tmp_path / "lines", lines)))

    assert b"".join(blocks).decode().split("\n")[:-1] == lines
    assert all(block.endswith(b"\n") for block in blocks)


@given(st.lists(st.integers(1, 9), min_size=1, max_size=30))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
def test_lines_are_taken_so_many_at_a_time(tmp_path: Path, sizes: list[int]) -> None:
    """What is taken is what was asked for, in order, whether it ends within a block or not."""
    lines = [str(number) * 9_000 for number in range(sum(sizes))]
    pieces = LinePieces(write(tmp_path / "lines", lines))

    taken = [b"".join(pieces.take(size)).decode().split("\n")[:-1] for size in sizes]

    assert [len(some) for some in taken] == sizes
    assert [line for some in taken for line in some] == lines
