"""Which keys of a job stand for all of them. Pure."""

from collections.abc import Iterable
from random import Random

from worker.contract import LotEntry

DEFAULT_SIZE = 200
"""Keys to probe: enough to know a class's share to within 7 points, few enough to take seconds."""

DEFAULT_SEED = 1
"""Fixed: a second probe takes the same keys and says the same."""


def choose_indexes(keys: int, size: int, random: Random) -> tuple[int, ...]:
    """`size` different indexes below `keys`, ascending; all of them when there are no more than that."""
    return tuple(range(keys)) if size >= keys else tuple(sorted(random.sample(range(keys), size)))


def choose_some(entries: Iterable[LotEntry], size: int, random: Random) -> tuple[LotEntry, ...]:
    """A random sample of a stream of any length, in its order (Vitter, algorithm R: each key equally likely)."""
    kept: list[tuple[int, LotEntry]] = []
    for number, entry in enumerate(entries):
        if number < size:
            kept.append((number, entry))
        elif (place := random.randrange(number + 1)) < size:
            kept[place] = (number, entry)
    return tuple(entry for _, entry in sorted(kept, key=lambda one: one[0]))
