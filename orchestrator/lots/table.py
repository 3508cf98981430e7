"""What a decision remembers of each key of a lot, wherever that is kept: in a dict, or on disk for a large lot."""

from typing import Protocol, TypeVar

from worker.contract import LotEntry

Value = TypeVar("Value")


class Table(Protocol[Value]):
    """A value for each of a lot's entries; a dict is one."""

    def get(self, entry: LotEntry, /) -> Value | None:
        """The entry's value, or None."""

    def __setitem__(self, entry: LotEntry, value: Value, /) -> None:
        """Give the entry a value, instead of the one it had."""
