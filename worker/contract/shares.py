"""What `rate.json` says: the part of a job's request rate that each running task may use. Pure."""

import json
from dataclasses import dataclass
from typing import Self

from worker.contract.outcomes import ContractError
from worker.contract.values import parse_object, real_number, whole_number, word

SHARE_EVERY_S = 15.0
"""How often a task looks for its share, in seconds; each wait is up to a fifth longer or shorter."""

SHARE_SPREAD = 0.2

MOST_RATE = 1e9
"""Requests a second: beyond all that a job can be given."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RateShare:
    """
    The share of each running task.

    rate: requests a second; above 0.
    most: the highest such rate that a task may still go by, as it may not have read this one yet.
    tasks: how many tasks the job's rate was divided among.
    at: when this was written, ISO 8601 in UTC.
    """

    rate: float
    most: float
    tasks: int
    at: str

    def to_json(self) -> str:
        """The share as the JSON text that the state keeps."""
        return json.dumps({"rate": self.rate, "most": self.most, "tasks": self.tasks, "at": self.at}, indent=1)

    @classmethod
    def from_json(cls, text: str | bytes) -> Self:
        """The share that the text holds. Raises ContractError when it holds none."""
        try:
            data = parse_object(text)
            share = cls(
                rate=real_number(data["rate"], least=0, most=MOST_RATE),
                most=real_number(data["most"], least=0, most=MOST_RATE),
                tasks=whole_number(data["tasks"]),
                at=word(data["at"]),
            )
        except (ValueError, KeyError, TypeError, OverflowError) as error:
            raise ContractError(f"not a share: {text[:200]!r}") from error
        if not 0 < share.rate <= share.most:
            raise ContractError(f"not a share: {text[:200]!r}")
        return share
