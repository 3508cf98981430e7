"""A value for each key of a lot, in a dict or on disk: the protocol. Pure."""

from typing import Protocol, TypeVar

from worker.contract import LotEntry

Value = TypeVar("Value")


class Table(Protocol[Value]):
    """A value for each of a lot's entries; a dict is one."""

    def get(self, entry: LotEntry, /) -> Value | None:
        """The entry's value, or None."""

    def __setitem__(self, entry: LotEntry, value: Value, /) -> None:
        """Give the entry a value, instead of the one it had."""
