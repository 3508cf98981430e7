"""Sends the worker over every kind of object that an emulator holds, and tells what became of them that should not."""

from collections.abc import Collection, Mapping
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.fidelity.bench import Told, World, copy_all, lay, look
from tests.fidelity.holding import lacks
from tests.fidelity.kind import Kind
from tests.fidelity.kinds import KINDS
from tests.fidelity.photograph import changes
from worker.contract import Outcome
from worker.s3.clients import carry_expires_as_it_is

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


def plain_client() -> "S3Client":
    """A client to put objects with, and to read them whole: the worker's own believes no answer that is so long."""
    config = Config(request_checksum_calculation="when_required", response_checksum_validation="when_required")
    client: S3Client = boto3.client("s3", config=config)
    carry_expires_as_it_is(client)
    return client


def held_after_all(world: World, names: Collection[str]) -> set[str]:
    """Those of these kinds that the emulator does hold: each is put there, and looked at."""
    return {kind.name for kind in KINDS if kind.name in names and _holds(world, kind)}


def _holds(world: World, kind: Kind) -> bool:
    try:
        lay(world, kind)
        return not list(lacks(kind, look(world, kind)))
    except ClientError:
        return False


def wrong(world: World, held_not: Collection[str], path: str, folder: Path) -> Mapping[str, str]:
    """What became of objects otherwise than it should, by the kind's name; empty where none was harmed."""
    kinds = tuple(kind for kind in KINDS if kind.name not in held_not)
    told = copy_all(world, kinds, path, folder)
    return {kind.name: words for kind in kinds if (words := _wrong(kind, path, told[kind.name]))}


def _wrong(kind: Kind, path: str, told: Told) -> str:
    expected = kind.expected(path)
    found = [f"never had {words}" for words in lacks(kind, told.before)]
    found += changes(told.before, told.after)
    if told.row.outcome is not expected:
        found.append(f"{told.row.outcome.value} instead of {expected.value}: {told.row.message}")
    if expected is not Outcome.COPIED and told.before.write != told.after.write:
        found.append("it was written")
    if expected is Outcome.COPIED and told.after.digest != sha256(kind.content()).hexdigest():
        found.append("its bytes are others")
    return "; ".join(found)


def unlike(excused: Mapping[str, str], found: Mapping[str, str]) -> dict[str, str]:
    """What is wrong and not excused, and which excuses are no longer needed."""
    unneeded = {name: "nothing was wrong" for name in excused if name not in found}
    return {name: words for name, words in found.items() if excused.get(name, "\0") not in words} | unneeded
