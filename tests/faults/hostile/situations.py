"""Situations, made from a seed: one key each, an operation that is answered oddly, and whether its deed is done."""

import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

from tests.faults.hostile.extras import extras, lies
from tests.faults.hostile.truth import BADLY, TARGET, Deed
from tests.faults.hostile.twist import BARE, HEAD, TOLD, Twist
from tests.faults.hostile.twists import every_twist
from tests.fidelity.documented_objects import Version

ALWAYS = 1_000_000
IN_PARTS = ("--multipart-threshold", "1")

LOOK_AT_COPY = "HeadObject of the copy"
"""Our name for the look at a copy; the first look is HeadObject."""

PLAIN, KMS, LOCKED, GRANTED, ARCHIVED = "plain", "KMS", "locked", "granted", "archived"
"""Kinds of object."""

_KIND_OF: Mapping[str, str] = {
    "RestoreObject": BARE,
    "AbortMultipartUpload": BARE,
    "DeleteObjectVersion": BARE,
    "PutObjectTagging": BARE,
    "HeadObject": HEAD,
    LOOK_AT_COPY: HEAD,
}
"""What the good answer to an operation is; TOLD for all others."""

_COPIES = ("CopyObject", "CompleteMultipartUpload")
_OF_A_BUCKET = ("GetBucketOwnershipControls", "GetBucketAcl", "GetObjectLockConfiguration")


@dataclass(frozen=True, kw_only=True, slots=True)
class Work:
    """What a run of the worker does. operations: what may be answered oddly, the more often the more it stands here."""

    name: str
    arguments: tuple[str, ...]
    operations: tuple[str, ...]


_COPY = ("copy", "--storage-class", TARGET)
_ASKED = ("GetObjectAcl", *_OF_A_BUCKET)
_PARTS = ("CreateMultipartUpload", "UploadPartCopy", *("CompleteMultipartUpload",) * 2, "GetObjectTagging")
WORKS = (
    Work(name="restore", arguments=("restore",), operations=("RestoreObject",)),
    Work(name="copy", arguments=_COPY, operations=(*("HeadObject", "CopyObject") * 3, *_ASKED)),
    Work(name="copy with audit", arguments=(*_COPY, "--audit"), operations=("HeadObject", "CopyObject")),
    Work(
        name="copy in parts",
        arguments=(*_COPY, *IN_PARTS),
        operations=(*_PARTS, "AbortMultipartUpload", "PutObjectTagging", "HeadObject", LOOK_AT_COPY),
    ),
    Work(
        name="delete superseded",
        arguments=(*_COPY, "--delete-superseded"),
        operations=("HeadObject", *("CopyObject", LOOK_AT_COPY) * 2, "DeleteObjectVersion", "GetObjectAcl"),
    ),
    Work(
        name="delete superseded, in parts",
        arguments=(*_COPY, *IN_PARTS, "--delete-superseded"),
        operations=("CompleteMultipartUpload", LOOK_AT_COPY, "DeleteObjectVersion", "GetObjectTagging"),
    ),
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Situation:
    """
    One key's.

    operation: what is answered oddly, "" for nothing. times: the first so many requests of it.
    deed: what becomes of what each of those asks. copy: what becomes of the copy itself, which may be made badly.
    refused: an operation that is refused with 403, each time. kind: of the object.
    """

    operation: str = ""
    twists: tuple[Twist, ...] = ()
    deed: Deed = Deed.DONE
    times: int = 1
    copy: Deed = Deed.DONE
    refused: str = ""
    kind: str = PLAIN

    def __str__(self) -> str:
        often = {1: "once", ALWAYS: "always"}.get(self.times, f"{self.times} times")
        words = [f"{self.operation} {self.deed}", *(twist.name for twist in self.twists), often, self.kind]
        words += [f"the copy {self.copy}"] * (self.copy is not Deed.DONE)
        return "; ".join(words + [f"{self.refused} refused"] * bool(self.refused))

    @property
    def own_bucket(self) -> bool:
        """Whether its key is alone in its bucket, as what is asked of a bucket is asked once for all of its keys."""
        return self.operation in _OF_A_BUCKET or self.refused in _OF_A_BUCKET


def generate(work: Work, count: int, seed: int, version: Version) -> Sequence[Situation]:
    """
    This many situations of a work. Each of its operations meets many twists, and over the seeds all of them.

    version: what its objects look like.
    """
    chance = random.Random(f"{seed} {work.name}")  # noqa: S311 (no secret)
    ways = {operation: _shuffled(chance, _twists(operation, version)) for operation in set(work.operations)}
    found = []
    for number in range(count):
        operation = work.operations[number % len(work.operations)]
        found.append(_situation(chance, work, operation, next(ways[operation])))
    return found


def _shuffled(chance: random.Random, twists: Iterable[Twist]) -> Iterator[Twist]:
    """All of them in some order, over and over."""
    pool = list(twists)
    while True:
        chance.shuffle(pool)
        yield from pool


def _twists(operation: str, version: Version) -> Iterator[Twist]:
    kind = _KIND_OF.get(operation, TOLD)
    if operation == LOOK_AT_COPY:
        # Each as often as all others together: what they say is what is compared.
        yield from (lie for lie, _ in product(lies(), range(4)))
    yield from (twist for twist in every_twist() if kind in twist.to)
    # Those that come late may come while the connection is in use again, where nothing tells them from the answer.
    yield from (extra for extra in extras(version) if not extra.late)


def _situation(chance: random.Random, work: Work, operation: str, twist: Twist) -> Situation:
    twists: tuple[Twist, ...] = (twist,)
    whole = twist.whole or _may_be_believed(operation, twist)
    has_deed = operation not in ("HeadObject", LOOK_AT_COPY) and not operation.startswith("Get")
    undone = has_deed and not whole and chance.random() < 0.6
    kind = ARCHIVED if work.name == "restore" else chance.choice((PLAIN, PLAIN, KMS, LOCKED, GRANTED))
    copy = Deed.DONE
    if operation == LOOK_AT_COPY or (operation == "GetObjectTagging" and "delete" in work.name):
        copy = chance.choice((*BADLY, Deed.DONE, Deed.DONE))
    refused = {"AbortMultipartUpload": "UploadPartCopy"}.get(operation, "")
    if operation == "PutObjectTagging":
        copy = Deed.NO_TAGS
    if not refused and operation == "HeadObject" and chance.random() < 0.3:
        refused = "CopyObject" if "parts" not in work.name else "UploadPartCopy"
    if operation == "GetBucketAcl":
        kind = GRANTED
    return Situation(
        operation=operation,
        twists=twists,
        deed=Deed.UNDONE if undone else Deed.DONE,
        times=1 if twist.once else chance.choice(_times(work, operation)),
        copy=copy,
        refused=refused,
        kind=kind,
    )


def _times(work: Work, operation: str) -> tuple[int, ...]:
    """How often an operation may be answered oddly, one as likely as another."""
    if operation in _OF_A_BUCKET:
        # Always, and no key can go on.
        return (1, 1, 2, 2)
    # Of copies in parts few are made at once, and each is asked for patiently.
    return (1, 1, 1, 2, 2, 3, 3, ALWAYS) if IN_PARTS[0] in work.arguments else (1, 1, 2, 3, ALWAYS)


def _may_be_believed(operation: str, twist: Twist) -> bool:
    """Whether nothing but the status is odd, and that is one of the operation's good ones."""
    good = {"RestoreObject": ("202",), "DeleteObjectVersion": ("204",), "AbortMultipartUpload": ("204",)}
    return twist.name in {f"status {one!r}" for one in good.get(operation, ())} | {"status '200'"}
