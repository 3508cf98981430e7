"""
What the fake cloud of `launcher.py` holds: objects, and tasks that leave what a worker leaves, in no time.

Time is the launcher's. A task is pending for PENDING_S, then works at KEYS_PER_S, tells its progress when
asked, and leaves its parts and its tally. Every fiftieth lot's first attempt is interrupted halfway, as Spot does.
"""

import heapq
import json
from bisect import insort
from collections import Counter
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

PENDING_S = 40.0
KEYS_PER_S = 100.0
PART_KEYS = 500
"""Keys in a part: what a worker does in 5 seconds."""
INTERRUPTED_EVERY = 50
RUN_TASK_A_SECOND = 20
CLUSTER = "arn:aws:ecs:eu-west-1:123456789012:cluster/bench"


def key_of(lot: str, number: int) -> str:
    """The name of a lot's key."""
    return f"photos/{lot}/{number:07d}.jpg"


def lot_line(lot: str, number: int) -> bytes:
    """A line of a lot's file."""
    return f"archive,{key_of(lot, number)}\n".encode()


def lot_bytes(lot: str, keys: int) -> bytes:
    """A lot's file."""
    return b"".join(lot_line(lot, number) for number in range(keys))


def part_bytes(lot: str, first: int, last: int) -> bytes:
    """A part of results."""
    rows = (f"archive,{key_of(lot, n)},,succeeded,,200,,copied,{n},\n" for n in range(first, last))
    return "".join(rows).encode()


@dataclass
class Task:
    """A task that was started. end: when it stops, in the launcher's seconds."""

    arn: str
    command: list[str]
    started_by: str
    tags: list[dict[str, str]]
    began: float
    keys: int
    end: float = 0.0
    status: str = "PENDING"
    exit_code: int | None = None

    def argument(self, name: str) -> str:
        """What its command line says after a flag."""
        return self.command[self.command.index(name) + 1]

    def tally(self, done: int, exit_code: int | None) -> bytes:
        """Its tally after so many keys."""
        told = {"attempt": int(self.argument("--attempt")), "keys": done, "outcomes": {"copied": done}}
        when = {"started_at": f"{self.began:.0f}", "at": f"{self.began + done / KEYS_PER_S:.0f}"}
        return json.dumps({**told, "processed": done, "requests": done, **when, "exit_code": exit_code}).encode()


@dataclass
class Cloud:
    """All that it holds. objects: by key, the bytes, or the lot and the rows that make them."""

    lock: Lock = field(default_factory=Lock)
    now: float = 0.0
    calls: Counter[str] = field(default_factory=Counter)
    objects: dict[str, bytes | tuple[str, int, int]] = field(default_factory=dict)
    names: list[str] = field(default_factory=list)
    tasks: dict[str, Task] = field(default_factory=dict)
    by_token: dict[str, str] = field(default_factory=dict)
    by_folder: dict[str, Task] = field(default_factory=dict)
    ends: list[tuple[float, str]] = field(default_factory=list)
    launches: float = RUN_TASK_A_SECOND
    launched_at: float = 0.0

    def put(self, key: str, content: bytes | tuple[str, int, int]) -> None:
        """Keep an object; of a lot only what it takes to make it again."""
        if isinstance(content, bytes) and "/lots/" in key:
            content = (key.rpartition("/")[2].removesuffix(".csv"), -1, content.count(b"\n"))
        if key not in self.objects:
            insort(self.names, key)
        self.objects[key] = content

    def get(self, key: str) -> bytes | None:
        """An object's bytes; the progress of a running task as of now."""
        folder, _, name = key.rpartition("/")
        task = self.by_folder.get(folder + "/")
        if name == "progress.json" and task and task.status != "STOPPED":
            done = int((self.now - task.began - PENDING_S) * KEYS_PER_S)
            return task.tally(min(done, task.keys), None) if done >= PART_KEYS else None
        content = self.objects.get(key)
        if not isinstance(content, tuple):
            return content
        lot, first, last = content
        return lot_bytes(lot, last) if first < 0 else part_bytes(lot, first, last)

    def pass_time(self, now: float) -> None:
        """Let the tasks that end by now leave their files."""
        self.now = now
        while self.ends and self.ends[0][0] <= now:
            self._end(self.tasks[heapq.heappop(self.ends)[1]])
        for task in self.tasks.values():
            if task.status == "PENDING" and now >= task.began + PENDING_S:
                task.status = "RUNNING"

    def run_task(self, asked: dict[str, Any]) -> Task | None:
        """The token's task, started if need be; None: too many calls a second."""
        self.launches = min(RUN_TASK_A_SECOND, self.launches + (self.now - self.launched_at) * RUN_TASK_A_SECOND)
        self.launched_at = self.now
        if self.launches < 1 - 1e-6:
            return None
        self.launches -= 1
        arn = f"arn:aws:ecs:eu-west-1:123456789012:task/bench/{len(self.by_token):032x}"
        if self.by_token.setdefault(asked["clientToken"], arn) != arn:
            return self.tasks[self.by_token[asked["clientToken"]]]
        command = asked["overrides"]["containerOverrides"][0]["command"]
        task = Task(arn, command, asked["startedBy"], asked["tags"], self.now, 0)
        lot_key = task.argument("--lot").removeprefix("s3://").partition("/")[2]
        lot = self.objects[lot_key]
        task.keys = lot[2] if isinstance(lot, tuple) else 0
        share = 0.5 if self._interrupted(task) else 1
        task.end = self.now + PENDING_S + share * task.keys / KEYS_PER_S
        self.tasks[arn] = self.by_folder[self._folder(task)] = task
        heapq.heappush(self.ends, (task.end, arn))
        return task

    def _end(self, task: Task) -> None:
        lot, attempt, folder = (
            task.argument("--lot").rpartition("/")[2][:-4],
            task.argument("--attempt"),
            self._folder(task),
        )
        interrupted = self._interrupted(task)
        done = task.keys // 2 if interrupted else task.keys
        for seq, first in enumerate(range(0, done, PART_KEYS), start=1):
            self.put(f"{folder}results-{attempt}-{seq:05d}.csv", (lot, first, min(first + PART_KEYS, done)))
        task.exit_code = 75 if interrupted else 0
        self.put(f"{folder}progress.json", task.tally(done, task.exit_code))
        if not interrupted:
            self.put(f"{folder}done-{attempt}.json", task.tally(done, 0))
        task.status = "STOPPED"

    @staticmethod
    def _interrupted(task: Task) -> bool:
        lot = task.argument("--lot").rpartition("/")[2][:-4]
        return int(lot[4:]) % INTERRUPTED_EVERY == 0 and task.argument("--attempt") == "1"

    @staticmethod
    def _folder(task: Task) -> str:
        return task.argument("--results").removeprefix("s3://").partition("/")[2]


def answer_ecs(cloud: Cloud, operation: str, asked: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    """The answer to a call of ECS."""
    if operation == "RunTask":
        task = cloud.run_task(asked)
        if task is None:
            return 400, {"__type": "ThrottlingException", "message": "Rate exceeded"}
        return 200, {"tasks": [_told(task)], "failures": []}
    if operation == "DescribeTasks":
        return 200, {"tasks": [_told(cloud.tasks[arn]) for arn in asked["tasks"]], "failures": []}
    if operation == "ListTasks":
        stopped = asked.get("desiredStatus") == "STOPPED"
        mine = [arn for arn, task in cloud.tasks.items() if (task.status == "STOPPED") is stopped]
        first = int(asked.get("nextToken", 0))
        more = {"nextToken": str(first + 100)} if first + 100 < len(mine) else {}
        return 200, {"taskArns": mine[first : first + 100], **more}
    if operation == "RegisterTaskDefinition":
        return 200, {"taskDefinition": {"taskDefinitionArn": f"{CLUSTER}-definition:1"}}
    return 400, {"__type": "ClientException", "message": "Unable to describe task definition."}


def _told(task: Task) -> dict[str, Any]:
    stopped = {"stopCode": "SpotInterruption" if task.exit_code else "EssentialContainerExited", "stoppedReason": ""}
    return {
        "taskArn": task.arn,
        "lastStatus": task.status,
        "desiredStatus": "STOPPED" if task.status == "STOPPED" else "RUNNING",
        "startedBy": task.started_by,
        "tags": task.tags,
        "overrides": {"containerOverrides": [{"name": "worker", "command": task.command}]},
        "containers": [
            {
                "name": "worker",
                "lastStatus": task.status,
                **({} if task.exit_code is None else {"exitCode": task.exit_code}),
            }
        ],
        **(stopped if task.status == "STOPPED" else {}),
    }
