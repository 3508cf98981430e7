"""Objects that nobody thought of: any properties together, any keys, metadata and tags, on both paths."""

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError, ParamValidationError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fidelity.bench import PATHS, World, copy_all, documented_world, lay
from tests.fidelity.documented_objects import LOCK
from tests.fidelity.kind import Kind
from tests.fidelity.kinds import ACLS, CHECKSUMS, CLASSES, ENCRYPTION, HEADERS, KEYS, LOCKS, METADATA, TAGS
from tests.fidelity.photograph import changes
from worker.contract import Outcome

ENCRYPTED = tuple(kind for kind in ENCRYPTION if not kind.hidden and not kind.customer_key)
PROPERTIES = (HEADERS, METADATA, TAGS, ENCRYPTED, LOCKS, ACLS, CHECKSUMS, KEYS, CLASSES)
QUICKLY = settings(
    max_examples=6,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)


@pytest.fixture(autouse=True)
def to_aws(monkeypatch: pytest.MonkeyPatch) -> None:
    """To AWS itself, as far as botocore and the worker know: nothing is ever sent."""
    monkeypatch.delenv("AWS_ENDPOINT_URL")


def merged(kinds: Sequence[Kind]) -> Kind:
    """One object that is of all these kinds at once; where they contradict each other, of the last."""
    one = Kind(name="all of: " + "; ".join(kind.name for kind in kinds))
    for kind in kinds:
        one = replace(
            one,
            key=kind.key or one.key,
            put={**one.put, **kind.put},
            raw={**one.raw, **kind.raw},
            tags={**one.tags, **kind.tags},
            part_sizes=kind.part_sizes or one.part_sizes,
            bucket=kind.bucket if kind.bucket != "open" else one.bucket,
            restored=one.restored or kind.restored,
            hidden={**one.hidden, **kind.hidden},
            grants=one.grants if kind.grants is None else kind.grants,
            owner=kind.owner if kind.grants else one.owner,
        )
    return one


def possible(kind: Kind, world: World) -> bool:
    """Whether S3 takes such an object at all."""
    if kind.bucket not in ("locked", "retaining") and any(name.startswith(LOCK) for name in kind.hidden):
        return False
    try:
        lay(world, kind)
    except (ClientError, ParamValidationError):
        return False
    return True


OBJECTS = (
    st.lists(st.sampled_from(PROPERTIES), min_size=2, max_size=6, unique_by=id)
    .flatmap(lambda groups: st.tuples(*(st.sampled_from(group) for group in groups)))
    .map(merged)
)


def harm(kinds: Sequence[Kind], path: str) -> Iterator[str]:
    """What became of objects that it should not have become; nothing that is refused may be touched."""
    world = documented_world()
    kinds = [kind for kind in kinds if possible(kind, world)]
    with tempfile.TemporaryDirectory() as folder:
        told = copy_all(world, kinds, path, Path(folder))
    for kind in kinds:
        one = told[kind.name]
        yield from (f"{kind.name}: {words}" for words in changes(one.before, one.after))
        if one.row.outcome is not Outcome.COPIED and one.before.write != one.after.write:
            yield f"{kind.name}: {one.row.outcome.value}, and yet written"
        if one.row.outcome is Outcome.ERROR:
            yield f"{kind.name}: {one.row.message}"


@pytest.mark.parametrize("path", PATHS)
@QUICKLY
@given(kinds=st.lists(OBJECTS, min_size=1, max_size=4, unique_by=lambda kind: (kind.bucket, kind.object_key)))
def test_any_properties_together(kinds: list[Kind], path: str) -> None:
    """An object of several kinds at once is copied as it is, or refused and not touched."""
    assert list(harm(kinds, path)) == []


NAMES = st.text("abcdefghijklmnopqrstuvwxyz0123456789-_.", min_size=1, max_size=20)
VALUES = st.text([chr(code) for code in range(32, 127)], max_size=60).map(str.strip)
TAG_TEXT = st.text(st.characters(categories=("L", "N")) | st.sampled_from(" +-=._:/@"), max_size=128)
ANY_KEY = st.text(st.characters(codec="utf-8"), min_size=1, max_size=200)


@pytest.mark.parametrize("path", PATHS)
@QUICKLY
@given(
    keys=st.lists(ANY_KEY, min_size=1, max_size=4, unique=True),
    metadata=st.dictionaries(NAMES, VALUES, max_size=8),
    tags=st.dictionaries(TAG_TEXT.filter(bool), TAG_TEXT, max_size=10),
    headers=st.fixed_dictionaries(
        {}, optional={"CacheControl": VALUES.filter(bool), "ContentType": VALUES.filter(bool)}
    ),
)
def test_any_text(
    keys: list[str], metadata: Mapping[str, str], tags: Mapping[str, str], headers: Any, path: str
) -> None:
    """Whatever an object's key, metadata, tags and headers say, its copy says the same, or there is none."""
    put = {"Metadata": metadata, **headers}
    kinds = [Kind(name=f"{number}", key=key, put=put, tags=tags) for number, key in enumerate(keys)]

    assert list(harm(kinds, path)) == []
