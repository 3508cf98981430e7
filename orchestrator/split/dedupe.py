"""
Duplicates among more lines than memory holds: found exactly, the first of each kept.

First each line leaves its fingerprint, Python's 64-bit hash of it, parted into files on disk by its last
bits; a part at a time is then looked through for a fingerprint that is there twice. Nearly always there is
none, and no line need be looked at again. Otherwise the lines themselves are compared, whole: those with a
repeated fingerprint alone when they are few, else all of them, parted in the same way. Memory follows the size of a
part, which doesn't grow with the number of lines; the disk holds 8 bytes more for each line, or, when many
are duplicates, the lines once more.
"""

from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import repeat
from pathlib import Path

from orchestrator.split.line_files import LineFile, line_blocks, write_all

OnStep = Callable[[str], None]

PARTS = 128
"""Into so many parts fingerprints go; a power of 2. The fewer in a set, the better a processor's caches hold it."""

PENDING_FINGERPRINTS = 1 << 21
"""How many of all parts are gathered, 16 MB, before they are written to their files."""

SET_FINGERPRINTS = 1 << 19
"""How many are compared at once, some 40 MB; a larger part is gone through more than once."""

FEW_REPEATS = 100_000
FEW_BYTES = 16 << 20
"""Up to so many repeated fingerprints, and bytes of their lines, those lines are compared in memory."""

PART_BYTES = 16 << 20
"""About how much of the lines is compared at once when many repeat; in memory it takes some five times as much."""

PENDING_BYTES = 16 << 20
"""How much of all parts is gathered before it is written to their files."""


class Fingerprints:
    """
    The fingerprints of lines.

    scratch: a folder for the parts. Python's hash of bytes is salted: no key file can aim at one part.
    """

    def __init__(self, scratch: Path, *, pending: int = PENDING_FINGERPRINTS, at_once: int = SET_FINGERPRINTS) -> None:
        self._scratch = scratch
        self._parts = [array("q") for _ in range(PARTS)]
        self._append = [part.append for part in self._parts]
        self._pending = 0
        self._most_pending = pending
        self._at_once = at_once

    def add(self, lines: Sequence[bytes]) -> None:
        """Take these lines' fingerprints."""
        append = self._append
        for fingerprint in map(hash, lines):
            append[fingerprint & (PARTS - 1)](fingerprint)
        self._pending += len(lines)
        if self._pending > self._most_pending:
            self._flush()

    def _flush(self) -> None:
        """Append to each part what is pending; opened each time, as there may be more parts than open files."""
        for number, part in enumerate(self._parts):
            if not part:
                continue
            with self._path(number).open("ab", buffering=0) as file:
                write_all(file, part.tobytes())
            del part[:]
        self._pending = 0

    def _path(self, part: int) -> Path:
        return self._scratch / f"fingerprints-{part}"

    def repeated(self, most: int, on_step: OnStep) -> set[int]:
        """Those that were taken more than once; when there are more than `most`, some of them, but more than that."""
        found: set[int] = set()
        for number, part in enumerate(self._parts):
            on_step(f"looking for duplicates, part {number + 1:,} of {PARTS:,}")
            if self._path(number).exists():
                with self._path(number).open("rb") as file:
                    part.fromfile(file, self._path(number).stat().st_size // part.itemsize)
                self._path(number).unlink()
            found |= self._repeated_of(part)
            del part[:]
            if len(found) > most:
                break
        return found

    def _repeated_of(self, taken: Sequence[int]) -> set[int]:
        """Those of one part, in so many goes that each fits in memory."""
        goes = -(-len(taken) // self._at_once)
        found: set[int] = set()
        for go in range(goes):
            some = taken if goes == 1 else [one for one in taken if one // PARTS % goes == go]
            seen = set(some)
            if len(seen) < len(some):
                for one in some:
                    if one in seen:
                        seen.remove(one)
                    else:
                        found.add(one)
        return found


def remove_duplicates(
    lines: LineFile,
    unique: LineFile,
    fingerprints: Fingerprints,
    scratch: Path,
    *,
    few_bytes: int = FEW_BYTES,
    on_step: OnStep,
) -> int:
    """
    How many lines of a file stand in it more than once, the first of each not counted.

    lines: the file. fingerprints: of its lines.
    unique: written, without those lines and in the same order, if there are any; else its content is undefined.
    scratch: a folder for the parts.
    few_bytes: of lines that may repeat, held in memory.
    on_step: told now and then what is being done.
    """
    repeated = fingerprints.repeated(FEW_REPEATS, on_step)
    if not repeated:
        return 0
    if len(repeated) <= FEW_REPEATS:
        few = _remove_few(lines, unique, repeated, few_bytes, on_step)
        if few is not None:
            return few
        unique.clear()
    return remove_many(lines, unique, scratch, on_step=on_step)


def objects_named_again(lots: Iterable[Path], fingerprints: Fingerprints, on_step: OnStep) -> int:
    """
    How many objects are named by several lines of these lots, which differ in the version's id alone.

    fingerprints: empty.
    Returns FEW_REPEATS + 1 for any number above FEW_REPEATS.
    """
    for lot in lots:
        on_step("looking for objects that are named again")
        for block in line_blocks(lot):
            lines = block[:-1].split(b"\n")
            fingerprints.add([line if line.count(b",") == 1 else line.rpartition(b",")[0] for line in lines])
    return min(len(fingerprints.repeated(FEW_REPEATS, on_step)), FEW_REPEATS + 1)


def _remove_few(lines: LineFile, unique: LineFile, repeated: set[int], few_bytes: int, on_step: OnStep) -> int | None:
    """The same, where only lines of these fingerprints may repeat; None when they are too large to be held."""
    seen: set[bytes] = set()
    repeats = held_bytes = 0
    for block, count in lines.blocks():
        on_step("leaving duplicates out")
        split = block[:-1].split(b"\n")
        fingerprints = list(map(hash, split))
        if repeated.isdisjoint(fingerprints):
            unique.append(block, count)
            continue
        kept = []
        for line, fingerprint in zip(split, fingerprints, strict=True):
            if fingerprint in repeated:
                if line in seen:
                    continue
                seen.add(line)
                held_bytes += len(line)
            kept.append(line)
        if held_bytes > few_bytes:
            return None
        repeats += count - len(kept)
        unique.append(_joined(kept), len(kept))
    return repeats


def _joined(lines: Iterable[bytes]) -> bytes:
    return b"".join([line + b"\n" for line in lines])


def remove_many(
    lines: LineFile, unique: LineFile, scratch: Path, *, part_bytes: int = PART_BYTES, on_step: OnStep
) -> int:
    """The same of any lines: all of them are parted and compared."""
    parts = max(1, -(-lines.size_bytes // part_bytes))
    _part(lines, scratch, parts, on_step)
    repeats = 0
    for part in range(parts):
        on_step(f"comparing lines, part {part + 1:,} of {parts:,}")
        repeats += _flag_repeats(scratch / f"part-{part}", scratch / f"flags-{part}")
    if repeats:
        _write_unique(lines, unique, scratch, parts, on_step)
    for part in range(parts):
        (scratch / f"flags-{part}").unlink(missing_ok=True)
    return repeats


def _part(lines: LineFile, scratch: Path, parts: int, on_step: OnStep) -> None:
    """Write each line to its hash's part."""
    pending: list[list[bytes]] = [[] for _ in range(parts)]
    append = [part.append for part in pending]
    pending_bytes = 0
    for block, _ in lines.blocks():
        on_step("comparing lines")
        for line in block[:-1].split(b"\n"):
            append[hash(line) % parts](line)
        pending_bytes += len(block)
        if pending_bytes >= PENDING_BYTES:
            _flush(pending, scratch)
            pending_bytes = 0
    _flush(pending, scratch)


def _flush(pending: list[list[bytes]], scratch: Path) -> None:
    """Append to each part what is pending; opened each time, as there may be more parts than open files."""
    for part, lines in enumerate(pending):
        with (scratch / f"part-{part}").open("ab") as file:
            file.write(_joined(lines))
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


def _write_unique(lines: LineFile, unique: LineFile, scratch: Path, parts: int, on_step: OnStep) -> None:
    """Write the lines that aren't flagged; each line's flag is the next one of its part."""
    flags = [_flags(scratch / f"flags-{part}").__next__ for part in range(parts)]
    for block, _ in lines.blocks():
        on_step("leaving duplicates out")
        kept = [line for line in block[:-1].split(b"\n") if not flags[hash(line) % parts]()]
        unique.append(_joined(kept), len(kept))


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
