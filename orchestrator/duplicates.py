"""
Duplicates among more lines than memory holds: found exactly, the first of each kept.

Lines are parted by their hash into files on disk, so that equal lines meet in one part, and each part's
lines are compared whole, in memory, one part at a time. Memory follows the size of a part, which doesn't
grow with the number of lines; the disk holds the lines once more while it lasts.
"""

from collections.abc import Callable, Iterator
from itertools import repeat
from pathlib import Path

from orchestrator.line_files import line_blocks

PART_BYTES = 16 << 20
"""About how much of the lines is compared at once; in memory it takes some five times as much."""

PENDING_BYTES = 16 << 20
"""How much of all parts is gathered before it is written to their files."""


def remove_duplicates(
    lines: Path, unique: Path, scratch: Path, *, part_bytes: int = PART_BYTES, on_step: Callable[[str], None]
) -> int:
    """
    How many lines of a file stand in it more than once, the first of each not counted.

    lines: the file. unique: written, without those lines and in the same order, if there are any.
    scratch: a folder for the parts.
    on_step: told now and then what is being done.
    """
    parts = max(1, -(-lines.stat().st_size // part_bytes))
    _part(lines, scratch, parts, on_step)
    repeats = 0
    for part in range(parts):
        on_step(f"looking for duplicates, part {part + 1:,} of {parts:,}")
        repeats += _flag_repeats(scratch / f"part-{part}", scratch / f"flags-{part}")
    if repeats:
        _write_unique(lines, unique, scratch, parts, on_step)
    for part in range(parts):
        (scratch / f"flags-{part}").unlink(missing_ok=True)
    return repeats


def _part(lines: Path, scratch: Path, parts: int, on_step: Callable[[str], None]) -> None:
    """Write each line to its hash's part. Python's hash of bytes is salted: no key file can aim at one part."""
    pending: list[list[bytes]] = [[] for _ in range(parts)]
    pending_bytes = 0
    for block in line_blocks(lines):
        on_step("looking for duplicates")
        for line in block[:-1].split(b"\n"):
            pending[hash(line) % parts].append(line)
        pending_bytes += len(block)
        if pending_bytes >= PENDING_BYTES:
            _flush(pending, scratch)
            pending_bytes = 0
    _flush(pending, scratch)


def _flush(pending: list[list[bytes]], scratch: Path) -> None:
    """Append to each part what is pending; opened each time, as there may be more parts than open files."""
    for part, lines in enumerate(pending):
        with (scratch / f"part-{part}").open("ab") as file:
            file.write(b"".join([line + b"\n" for line in lines]))
        lines.clear()


def _flag_repeats(part: Path, flags: Path) -> int:
    """How many lines of a part repeat an earlier one; if any, `flags` gets a byte for each line: 1 for a repeat."""
    seen: set[bytes] = set()
    repeats = 0
    with flags.open("wb") as file:
        for block in line_blocks(part):
            lines = block[:-1].split(b"\n")
            new = set(lines)
            if len(new) == len(lines) and seen.isdisjoint(new):
                seen |= new
                file.write(bytes(len(lines)))
                continue
            found = bytearray()
            for line in lines:
                found.append(line in seen)
                seen.add(line)
            repeats += sum(found)
            file.write(found)
    part.unlink()
    if not repeats:
        flags.unlink()
    return repeats


def _write_unique(lines: Path, unique: Path, scratch: Path, parts: int, on_step: Callable[[str], None]) -> None:
    """Write the lines that aren't flagged; each line's flag is the next one of its part."""
    flags = [_flags(scratch / f"flags-{part}") for part in range(parts)]
    with unique.open("wb") as file:
        for block in line_blocks(lines):
            on_step("leaving duplicates out")
            kept = [line for line in block[:-1].split(b"\n") if not next(flags[hash(line) % parts])]
            file.write(b"".join([line + b"\n" for line in kept]))


def _flags(path: Path) -> Iterator[int]:
    """A part's flags, in order; the file isn't kept open, as there may be more parts than open files."""
    if not path.exists():
        yield from repeat(0)
    offset, flags = 0, b"-"
    while flags:
        with path.open("rb", buffering=0) as file:
            file.seek(offset)
            flags = file.read(1 << 16)
        yield from flags
        offset += len(flags)
