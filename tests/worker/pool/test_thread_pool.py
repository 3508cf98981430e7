"""Threads come and go as they are wanted, and everything is done once."""

import queue
import threading

from worker.pool.thread_pool import ThreadPool


def test_everything_is_done_once_while_threads_come_and_go() -> None:
    """More of them, fewer, more again."""
    done: queue.SimpleQueue[int] = queue.SimpleQueue()
    crew: ThreadPool[int] = ThreadPool(done.put)
    for number, wanted in enumerate([1, 8, 2, 5, 1]):
        crew.resize(wanted)
        for piece in range(100):
            crew.put(100 * number + piece)

    found = sorted(done.get(timeout=60) for _ in range(500))
    crew.resize(0)

    assert found == list(range(500))
    assert crew.threads == 0


def test_as_many_work_at_once_as_are_wanted() -> None:
    """Four threads are in the middle of their work together."""
    together = threading.Barrier(4, timeout=60)
    done: queue.SimpleQueue[int] = queue.SimpleQueue()

    def work(_: int) -> None:
        together.wait()
        done.put(1)

    crew: ThreadPool[int] = ThreadPool(work)
    crew.resize(4)
    for piece in range(4):
        crew.put(piece)

    assert [done.get(timeout=60) for _ in range(4)] == [1] * 4
    crew.resize(0)
