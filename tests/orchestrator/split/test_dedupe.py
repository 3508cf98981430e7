"""Duplicates among many lines."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orchestrator.split.dedupe import FEW_REPEATS, PARTS, Fingerprints, remove_duplicates, remove_many
from tests.orchestrator.split.files_of_lines import LINES_PER_BLOCK, files, read


def fingerprints_of(folder: Path, lines: list[str], *, pending: int = 10, at_once: int = 10) -> Fingerprints:
    """The fingerprints of these lines."""
    fingerprints = Fingerprints(folder, pending=pending, at_once=at_once)
    for at in range(0, len(lines), LINES_PER_BLOCK):
        fingerprints.add([line.encode() for line in lines[at : at + LINES_PER_BLOCK]])
    return fingerprints


def silent(_step: str) -> None:
    """Take a step's text and say nothing."""


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40, deadline=None)
@given(st.lists(st.sampled_from("abcdefgh"), min_size=1, max_size=40), st.integers(1, 60))
def test_the_first_of_each_is_kept(tmp_path: Path, lines: list[str], pending: int) -> None:
    """Every later copy goes and the order stays, whether fingerprints stay in memory or not."""
    expected = list(dict.fromkeys(lines))
    with files(tmp_path, lines) as (full, unique):
        fingerprints = fingerprints_of(tmp_path, lines, pending=pending)

        assert remove_duplicates(full, unique, fingerprints, tmp_path, on_step=silent) == len(lines) - len(expected)
        assert read(unique) == (expected if len(expected) < len(lines) else [])
    assert {path.name for path in tmp_path.iterdir()} == {"lines", "unique"}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40, deadline=None)
@given(st.lists(st.sampled_from("abcdefgh"), min_size=1, max_size=40), st.integers(2, 100))
def test_many_duplicates(tmp_path: Path, lines: list[str], part_bytes: int) -> None:
    """The same holds when all lines are compared, into however many parts they are parted."""
    expected = list(dict.fromkeys(lines))
    with files(tmp_path, lines) as (full, unique):
        repeats = remove_many(full, unique, tmp_path, part_bytes=part_bytes, on_step=silent)

        assert repeats == len(lines) - len(expected)
        assert read(unique) == (expected if repeats else [])
    assert {path.name for path in tmp_path.iterdir()} == {"lines", "unique"}


@pytest.mark.parametrize("large", [False, True])
def test_few_among_many(tmp_path: Path, large: bool) -> None:  # noqa: FBT001 (a parameter of the test)
    """Few duplicates far apart are found, and so are those of lines too large to be held."""
    lines = [f"some/prefix/{number:08d}" for number in range(20_000)]
    lines[15_000:15_003] = lines[10:13]
    few_bytes = 2 * len(lines[0]) if large else 3 * len(lines[0])
    steps: list[str] = []

    with files(tmp_path, lines, 1_000) as (full, unique):
        fingerprints = fingerprints_of(tmp_path, lines, pending=10_000)
        repeats = remove_duplicates(full, unique, fingerprints, tmp_path, few_bytes=few_bytes, on_step=steps.append)

        assert repeats == 3
        assert read(unique) == list(dict.fromkeys(lines))
    assert steps[0] == f"looking for duplicates, part 1 of {PARTS}"
    assert steps[-1] == "leaving duplicates out"
    assert any(step.startswith("comparing lines") for step in steps) == large


def test_more_than_few(tmp_path: Path) -> None:
    """When more lines repeat than are compared in memory, all lines are compared on disk."""
    count = FEW_REPEATS + 5_000
    lines = [str(number) for number in range(count)] * 2
    steps: list[str] = []

    with files(tmp_path, lines, 10_000) as (full, unique):
        fingerprints = fingerprints_of(tmp_path, lines, pending=1 << 30, at_once=1 << 30)
        assert remove_duplicates(full, unique, fingerprints, tmp_path, on_step=steps.append) == count
        assert read(unique) == lines[:count]
    assert "comparing lines, part 1 of 1" in steps


def test_equal_fingerprints_of_different_lines(tmp_path: Path) -> None:
    """A fingerprint that two lines share, as any two may, makes neither a duplicate."""
    lines = [str(number) for number in range(30)]

    class Colliding(Fingerprints):
        def repeated(self, most: int, on_step: object) -> set[int]:
            del most, on_step
            return set(map(hash, map(str.encode, lines)))

    with files(tmp_path, lines) as (full, unique):
        assert remove_duplicates(full, unique, Colliding(tmp_path), tmp_path, on_step=silent) == 0


def test_repeated_fingerprints_are_found_in_any_number_of_goes(tmp_path: Path) -> None:
    """What is there twice or more is found, each once, however little is compared at once."""
    lines = [str(number) for number in range(3_000)] + ["1", "7", "7", "2999"]

    for at_once in (1, 3, 100, 10_000):
        found = fingerprints_of(tmp_path, lines, pending=2_000, at_once=at_once).repeated(10, silent)
        assert found == {hash(line) for line in (b"1", b"7", b"2999")}
