"""The parts of large objects: ranges, and the threads that copy them."""

import threading
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.errors import StoppingError
from worker.pool.part_threads import MAX_PART_BYTES, MAX_PARTS, Batch, PartThreads, part_ranges

MIB = 1024**2


@pytest.mark.parametrize("size", [1, 5 * MIB, 6 * 1024**3, 5 * 10**12, 50 * 10**12])
@pytest.mark.parametrize("part", [5 * MIB, 512 * MIB, MAX_PART_BYTES])
def test_parts_cover_every_byte_once(size: int, part: int) -> None:
    """From one byte to 50 TB: no gap, no overlap, no part too large, not too many parts."""
    ranges = list(part_ranges(size, part))

    assert ranges[0][0] == 0
    assert ranges[-1][1] == size - 1
    assert all(before[1] + 1 == after[0] for before, after in pairwise(ranges))
    assert all(last - first + 1 <= MAX_PART_BYTES for first, last in ranges)
    assert len(ranges) <= MAX_PARTS


@given(size=st.integers(1, 10**12), part=st.integers(5 * MIB, MAX_PART_BYTES))
def test_parts_are_as_large_as_asked_for_where_they_can_be(size: int, part: int) -> None:
    """All parts but the last have the size asked for, unless there would be too many."""
    first = next(part_ranges(size, part))

    if size <= part * MAX_PARTS:
        assert first[1] + 1 == min(part, size)


def go_on() -> None:
    """The task isn't to stop."""


def test_a_batch_gives_what_each_job_returned() -> None:
    """Every job's result comes once, in the order in which they end."""
    batch: Batch[int] = Batch(PartThreads(3), go_on)

    found = sorted(batch.run(lambda number=number: number for number in range(50)))  # type: ignore[misc]

    assert found == list(range(50))
    assert batch.idle


def test_no_more_jobs_run_at_once_than_there_are_threads() -> None:
    """Two objects' parts share the threads: there are never more in flight than these, nor more waiting than fit."""
    threads, lock = PartThreads(3), threading.Lock()
    running, most = 0, 0
    taken: list[int] = []

    def job() -> int:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
            taken.append(1)
        threading.Event().wait(0.002)
        with lock:
            running -= 1
        return 0

    batches = [
        threading.Thread(target=lambda: list(Batch[int](threads, go_on).run(job for _ in range(20)))) for _ in range(2)
    ]
    for one in batches:
        one.start()
    for one in batches:
        one.join(timeout=120)

    assert len(taken) == 40
    assert most <= 3


def test_the_first_failure_ends_a_batch() -> None:
    """It is raised where the batch is run; jobs that hadn't begun are dropped once it is given up."""
    begun: list[int] = []

    def job(number: int) -> int:
        begun.append(number)
        if number == 2:
            raise ValueError(number)
        return number

    batch: Batch[int] = Batch(PartThreads(2), go_on)

    with pytest.raises(ValueError, match="2"):
        list(batch.run(lambda number=number: job(number) for number in range(1_000)))  # type: ignore[misc]

    assert batch.give_up()
    assert len(begun) < 20


def test_a_batch_ends_when_the_task_is_to_stop() -> None:
    """It doesn't wait for a part in flight, and giving it up waits no longer than the time of grace."""
    release = threading.Event()

    def stop() -> None:
        raise StoppingError

    batch: Batch[bool] = Batch(PartThreads(1), stop)

    with pytest.raises(StoppingError):
        list(batch.run(release.wait for _ in range(3)))

    assert not batch.give_up(grace_s=0.5)
    release.set()
    assert batch.give_up(grace_s=5)
