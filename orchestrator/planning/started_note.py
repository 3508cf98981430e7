"""What is noted of a task before a place is asked for it, so that whoever comes next asks for the same. Pure."""

import json
from dataclasses import dataclass
from typing import Any, Self

from orchestrator.model import TaskRequest


@dataclass(frozen=True, kw_only=True, slots=True)
class StartedNote:
    """
    What the launcher wrote before it asked a place for a task.

    command: the worker's command line, so that the very same request can be made again.
    place: where. task: the place's id of the task, "" while it isn't known.
    spot: on capacity that the place may take back.
    interruptions: of earlier attempts at the lot, how many were on such capacity and interrupted.
    """

    command: tuple[str, ...]
    place: str
    task: str = ""
    spot: bool = False
    interruptions: int = 0

    @classmethod
    def of(cls, request: TaskRequest, place: str, task: str = "", *, interruptions: int = 0) -> Self:
        """The note of a request."""
        return cls(command=request.command, place=place, task=task, spot=request.spot, interruptions=interruptions)

    def to_json(self) -> bytes:
        """The note as the state keeps it."""
        told = {
            "command": list(self.command),
            "place": self.place,
            "task": self.task,
            "spot": self.spot,
            "interruptions": self.interruptions,
        }
        return json.dumps(told).encode()

    @classmethod
    def from_json(cls, data: bytes) -> Self:
        """The note that the bytes hold. Raises ValueError when they hold none."""
        try:
            told: dict[str, Any] = json.loads(data)
            return cls(
                command=tuple(told["command"]),
                place=told["place"],
                task=told["task"],
                spot=told.get("spot") is True,
                interruptions=int(told.get("interruptions", 0)),
            )
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"no note of a start: {error!r}") from error
