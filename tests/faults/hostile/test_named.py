"""Odd answers that have been believed, each with what becomes of its key; in both clients."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path

import pytest

from tests.conftest import SITUATIONS
from tests.faults.bench import S3_CLIENTS
from tests.faults.hostile.bench import SHARED, Ended, Hostile, Record, believed_of, left_open, run
from tests.faults.hostile.extras import lies
from tests.faults.hostile.situations import (
    ALWAYS,
    ARCHIVED,
    KMS,
    LOCKED,
    LOOK_AT_COPY,
    PLAIN,
    WORKS,
    Situation,
    Work,
)
from tests.faults.hostile.truth import BADLY, Deed
from tests.faults.hostile.twist import Twist
from tests.faults.hostile.twists import every_twist
from worker.contract import ExitCode, LotEntry, Outcome

RESTORE, COPY, AUDITED, IN_PARTS, DELETE, DELETE_IN_PARTS = WORKS
_TWISTS: dict[tuple[str, str], Twist] = {(twist.name, kind): twist for twist in every_twist() for kind in twist.to}
_LIES = {lie.name: lie for lie in lies()}

LOST: tuple[str, ...] = (
    *("body: nothing", "body: a page", "body: JSON", "body: another root", "body: an Error in a namespace"),
    *("body: its root alone", "body: its values empty", "body: a mebibyte of white space", "body: half of itself"),
    *("status '201'", "status '204'", "status '408'", "no length, closed", "chunks: no last", "length: '999999999999'"),
    *(
        "cut after the status line, close",
        "cut in the middle of the headers, close",
        "cut before the empty line, close",
    ),
    *("cut in the empty line, close", "cut before the body, close", "cut before the body, reset", "102 cut off"),
)
"""Answers with a body from which nothing is known: the object is looked at."""

LOST_RESTORES: tuple[str, ...] = (
    *("body: a page", "body: an Error", "body: another root", "status '201'", "status '204'", "no length, closed"),
    *("cut after the status line, close", "cut in the middle of the headers, close", "cut in the empty line, close"),
    *("length: +9 bytes", "103 alone"),
)
LOST_LOOKS: tuple[str, ...] = (
    "cut after the status line, close",
    "cut after the first header, close",
    "cut before the last header, close",
)
LOST_LOOKS += ("cut in the middle of the headers, close", "cut before the empty line, close", "header: no header")
HIDING = ("ETag: another", "ETag: without quotes", "ETag: weak", "no ETag")
"""Lies that have kept a bad copy from being compared with its object."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Named:
    """A situation of a work, and what may become of its key."""

    work: Work
    situation: Situation
    outcomes: tuple[Outcome, ...]


def _lost(work: Work, operation: str, twist: Twist, good: Outcome) -> Iterator[Named]:
    """Undone and answered so: once, the next try is good; always, no news is."""
    kind = ARCHIVED if work is RESTORE else PLAIN
    one = Situation(operation=operation, twists=(twist,), deed=Deed.UNDONE, kind=kind)
    yield Named(work=work, situation=one, outcomes=(good,))
    always = Situation(operation=operation, twists=(twist,), deed=Deed.UNDONE, times=ALWAYS, kind=kind)
    yield Named(work=work, situation=always, outcomes=(Outcome.ERROR,))


def _lost_answers() -> Iterator[Named]:
    for name in LOST:
        yield from _lost(COPY, "CopyObject", _TWISTS[name, "told"], Outcome.COPIED)
        for operation in ("CreateMultipartUpload", "UploadPartCopy", "CompleteMultipartUpload"):
            # Once only: of copies in parts few are made at once, and each is asked for patiently.
            yield next(_lost(IN_PARTS, operation, _TWISTS[name, "told"], Outcome.COPIED))
    for name in LOST_RESTORES:
        yield from _lost(RESTORE, "RestoreObject", _TWISTS[name, "bare"], Outcome.REQUESTED)
    for name, kind in product(LOST_LOOKS, (ARCHIVED, KMS, LOCKED)):
        good = Outcome.PENDING if kind == ARCHIVED else Outcome.COPIED
        once = Situation(operation="HeadObject", twists=(_TWISTS[name, "head"],), kind=kind)
        yield Named(work=COPY, situation=once, outcomes=(good,))
        yield Named(work=COPY, situation=replace(once, times=ALWAYS), outcomes=(Outcome.ERROR,))


def _other_answers() -> Iterator[Named]:
    for status in ("102", "103"):
        twists = (_TWISTS[f"{status} before a 403", "told"],)
        denied = Situation(operation="CopyObject", twists=twists, deed=Deed.UNDONE, times=ALWAYS)
        yield Named(work=COPY, situation=denied, outcomes=(Outcome.DENIED,))
    for lie, copy, work in product(HIDING, BADLY, (DELETE, DELETE_IN_PARTS)):
        one = Situation(operation=LOOK_AT_COPY, twists=(_LIES[lie],), times=ALWAYS, copy=copy)
        yield Named(work=work, situation=one, outcomes=(Outcome.ERROR, Outcome.COPIED))
    for name in ("body: the good news of an Error", "body: the other good news of an Error"):
        news = Situation(operation="RestoreObject", twists=(_TWISTS[name, "bare"],), kind=ARCHIVED, times=ALWAYS)
        yield Named(work=RESTORE, situation=news, outcomes=(Outcome.ERROR, Outcome.IN_PROGRESS))
    alive = Situation(operation="CopyObject", twists=(_TWISTS["kept alive with white space", "told"],))
    yield Named(work=COPY, situation=alive, outcomes=(Outcome.COPIED,))


NAMED = [*_lost_answers(), *_other_answers()]


@dataclass(frozen=True, kw_only=True, slots=True)
class Done:
    """How all named situations ended, by work."""

    ended: Mapping[str, Ended]
    hostile: Mapping[str, Hostile]


@pytest.fixture(scope="module", params=S3_CLIENTS)
def done(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, module_settings: pytest.MonkeyPatch
) -> Done:
    """A run of each work over its named situations; run once, looked at by many tests."""
    module_settings.setenv("AWS_REGION", "eu-west-1")
    ended, all_hostile = {}, {}
    for work in WORKS:
        situations = [one.situation for one in NAMED if one.work is work]
        if situations:
            hostile = all_hostile[work.name] = Hostile(situations)
            folder = tmp_path_factory.mktemp("job")
            ended[work.name], _ = run(work, request.param, hostile, folder, 1)
            assert left_open(hostile, folder) == {}
    return Done(ended=ended, hostile=all_hostile)


@pytest.mark.parametrize("named", NAMED, ids=lambda one: f"{one.work.name}: {one.situation}")
def test_what_has_been_believed(named: Named, done: Done, record_property: Record) -> None:
    """The outcome is true, and the one that such an answer must lead to."""
    record_property(SITUATIONS, 1)
    ended, hostile = done.ended[named.work.name], done.hostile[named.work.name]
    key = next(key for key, one in hostile.situations.items() if one is named.situation)

    assert believed_of(hostile, ended, key) == []
    # A task in which nothing but such answers is left may also say that it could not proceed.
    assert ended.rows[key].outcome in named.outcomes if key in ended.rows else ended.code is None


@pytest.mark.parametrize("s3_client", S3_CLIENTS)
def test_a_key_and_its_current_version_are_one_object(s3_client: str, tmp_path: Path) -> None:
    """A job that names an object twice, once by its version, copies it once."""
    hostile = Hostile([Situation()])
    version = hostile.truth.s3.find(SHARED, "0000").version_id

    ended, _ = run(
        COPY, s3_client, hostile, tmp_path, 1, also=[LotEntry(bucket=SHARED, key="0000", version_id=version)]
    )

    assert hostile.truth.records[SHARED, "0000"].copies == 1
    assert ended.code is ExitCode.GOOD
