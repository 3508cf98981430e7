"""The main job, with the four commands exactly as the README has them, over real containers."""

import csv
import time
from collections import Counter
from dataclasses import replace

import pytest

from tests.system.account import Account, Stored
from tests.system.engine import Start
from tests.system.terminal import Terminal
from worker.contract import encode_key

# Images are built, containers started, and a command may take 240 s.
pytestmark = [pytest.mark.system, pytest.mark.timeout(900)]

BUCKET = "archive-of-films"
LOTS = 20

ODD_NAMES = (
    " spaces at both ends ",
    "quotes ' and \".bin",
    "comma,semicolon;tab\there.bin",
    "per%20cent %, plus+plus.bin",
    "query?versionId=x&y=z#fragment",
    "carriage\rreturn",
    "back\\slash and tilde~",
    "two//slashes",
    "/leading slash",
    "folder/",
    "ação/日本語/😀",
    "line\u2028separator, next\u0085line",
    "=1+1",
    "k" * 1024,
)


def _objects() -> list[Stored]:
    """2,000 archived objects, half in each class, odd names first; some with headers, metadata and tags."""
    keys = [*ODD_NAMES, *(f"films/{number:05}.mov" for number in range(2000 - len(ODD_NAMES)))]
    return [
        Stored(
            key=key,
            storage_class=("GLACIER", "DEEP_ARCHIVE")[number % 2],
            body=f"film {number}".encode(),
            metadata={"director": f"number {number}", "shelf": "a, b; c"} if number % 3 == 0 else {},
            tags={"project": "s3 & class", "number": str(number)} if number % 5 == 0 else {},
            headers={"ContentType": "video/quicktime"}
            | ({"CacheControl": "max-age=60", "ContentLanguage": "pt-BR"} if number % 7 == 0 else {}),
        )
        for number, key in enumerate(keys)
    ]


def test_the_four_commands(account: Account, starts: list[Start], terminal: Terminal) -> None:
    """The four commands move 2,000 archived objects with 20 containers a phase, and change nothing but the class."""
    objects = _objects()
    account.make_bucket(BUCKET)
    account.put(BUCKET, objects)
    (terminal.folder / "keys.txt").write_bytes(b"".join(f"{one.key}\n".encode() for one in objects))

    terminal.types(f"s3reclass init --bucket {BUCKET} --storage-class STANDARD_IA")
    terminal.types("s3reclass split keys.txt --lots 20")
    terminal.types("s3reclass push-image")
    terminal.types("s3reclass run --phase restore")
    time.sleep(2.5)  # the box restores in 2 s
    terminal.types("s3reclass run --phase copy")

    assert Counter({"s3reclass-restore": LOTS, "s3reclass-copy": LOTS}) == _tasks_by_family(account)
    assert Counter(task["taskArn"] for task in account.tasks()) == Counter(start.task for start in starts)
    assert [replace(one, storage_class="STANDARD_IA") for one in objects] == account.look(
        BUCKET, [one.key for one in objects]
    )
    assert [(one.etag, one.body) for one in objects[::100]] == [account.read(BUCKET, one.key) for one in objects[::100]]
    terminal.types("s3reclass report --csv report.csv")
    with (terminal.folder / "report.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    assert [(BUCKET, encode_key(one.key), "succeeded", "copied") for one in objects] == [
        (row[0], row[1], row[3], row[7]) for row in rows
    ]
    assert "2,000" in terminal.types("s3reclass status").out
    terminal.types("s3reclass verify")

    for phase in ("restore", "copy"):
        again = terminal.types(f"s3reclass run --phase {phase}")

        assert "finished: nothing to start" in again.out
    assert len(starts) == 2 * LOTS


def _tasks_by_family(account: Account) -> Counter[str]:
    return Counter(task["taskDefinitionArn"].rsplit("/")[-1].rsplit(":")[0] for task in account.tasks())
