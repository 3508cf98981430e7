"""The note of a task, written before a place is asked to start it. Pure."""

import json
import re
from dataclasses import dataclass
from typing import Self

from orchestrator.model import TaskRequest
from worker.contract import ContractError, parse_object, whole_number, word

_TASK = re.compile(r"(?![./])(?!.*/[./])[A-Za-z0-9:_./-]{1,512}")
"""
A place's id of a task: an ARN of ECS's, or `<job>/<phase>/<lot>-<attempt>` of a process's.

It becomes a part of names, and of paths: it leads out of no folder.
"""

MAX_INTERRUPTIONS = 1_000_000


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
        """The note that the bytes hold. Raises ContractError when they hold none."""
        try:
            told = parse_object(data)
            task = word(told["task"])
            if task and not _TASK.fullmatch(task):
                raise ContractError(f"{task[:100]!r} is no task's id")
            return cls(
                command=tuple(map(word, told["command"])),
                place=word(told["place"]),
                task=task,
                spot=told.get("spot") is True,
                interruptions=whole_number(told.get("interruptions", 0), most=MAX_INTERRUPTIONS),
            )
        except (KeyError, TypeError) as error:
            raise ContractError(f"no note of a start: {error!r}") from error
