"""Which keys of a job stand for all of them."""

from random import Random

from orchestrator.lots.sample_keys import choose_indexes, choose_some
from worker.contract import LotEntry


def seeded(seed: int) -> Random:
    """A source of randomness that says the same each time."""
    return Random(seed)  # noqa: S311 (no secret)


def test_a_job_no_larger_than_the_sample_is_looked_at_whole() -> None:
    """Every key is chosen, once and in order, when there are no more than the sample's size."""
    assert choose_indexes(3, 3, seeded(1)) == (0, 1, 2)
    assert choose_indexes(2, 200, seeded(1)) == (0, 1)


def test_the_same_seed_chooses_the_same_keys() -> None:
    """Twice with one seed is twice the same, another seed is another choice."""
    chosen = choose_indexes(10_000_000, 200, seeded(1))

    assert chosen == choose_indexes(10_000_000, 200, seeded(1))
    assert chosen != choose_indexes(10_000_000, 200, seeded(2))
    assert len(set(chosen)) == 200
    assert list(chosen) == sorted(chosen)
    assert 0 <= chosen[0] < chosen[-1] < 10_000_000


def test_a_sample_of_a_stream() -> None:
    """The same seed gives the same keys, in their order; a short stream is its own sample."""
    keys = [LotEntry(bucket="bucket", key=f"{number:04d}") for number in range(1_000)]

    some = choose_some(iter(keys), 16, seeded(7))

    assert some == choose_some(iter(keys), 16, seeded(7))
    assert list(some) == sorted(some, key=lambda one: one.key)
    assert len(set(some)) == 16
    assert choose_some(iter(keys[:5]), 16, seeded(7)) == tuple(keys[:5])
    assert sum(one.key > "0500" for one in choose_some(iter(keys), 200, seeded(1))) in range(70, 130)
