"""Answers with anything in them that their model lets through: each parser says what it reads, or that it can't."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.model import ListShape, MapShape, Shape, StructureShape
from botocore.session import get_session
from hypothesis import given
from hypothesis import strategies as st

from worker.actions.delete_superseded import lock_of
from worker.contract import differences, proves_content, snapshot_of
from worker.decide.carry_over import (
    Acl,
    IncompleteAnswerError,
    LockDefaults,
    UnsupportedError,
    acl_of,
    acls_have_no_effect,
    dropped_by_copy,
    dropped_by_multipart,
    lock_defaults_of,
    owner_of,
    tags_of,
)
from worker.decide.head_facts import facts_of

NOW = datetime(2026, 11, 22, tzinfo=UTC)
WORDS = (
    "",
    "ON",
    "OFF",
    "Enabled",
    "GOVERNANCE",
    "COMPLIANCE",
    "aws:kms",
    "AES256",
    "COMPOSITE",
    "BucketOwnerEnforced",
)
MODEL = get_session().get_service_model("s3")
SCALARS: Mapping[str, st.SearchStrategy[Any]] = {
    "string": st.sampled_from(WORDS) | st.text(max_size=20),
    "timestamp": st.datetimes(timezones=st.just(UTC)),
    "boolean": st.booleans(),
    "integer": st.integers(),
    "long": st.integers(),
}


def values(shape: Shape, depth: int = 4) -> st.SearchStrategy[Any]:
    """What botocore may make of an answer's part of this shape: any member may be missing."""
    if isinstance(shape, StructureShape):
        members = {name: values(one, depth - 1) for name, one in shape.members.items()} if depth else {}
        return st.fixed_dictionaries({}, optional=members)
    if isinstance(shape, ListShape):
        return st.lists(values(shape.member, depth), max_size=3)
    if isinstance(shape, MapShape):
        return st.dictionaries(SCALARS["string"], SCALARS["string"], max_size=3)
    return SCALARS.get(shape.type_name, st.none())


def answers(operation: str) -> st.SearchStrategy[dict[str, Any]]:
    """Any answer to an operation."""
    shape = MODEL.operation_model(operation).output_shape
    assert shape
    return values(shape)


def reads(read: Callable[[], object]) -> str:
    """How reading ends: with a value or by one of the errors that say why not."""
    try:
        read()
    except (IncompleteAnswerError, UnsupportedError) as error:
        return "refused" if str(error) else "refused without a word"
    return "read"


ENDS = {"read", "refused"}


@given(st.data())
def test_no_odd_answer_is_more_than_odd(data: st.DataObject) -> None:
    """Each of the parsers of settings, ACLs and tags."""
    parsers: Mapping[str, tuple[Callable[[Mapping[str, Any]], object], ...]] = {
        "GetBucketOwnershipControls": (acls_have_no_effect,),
        "GetBucketAcl": (owner_of,),
        "GetObjectLockConfiguration": (lock_defaults_of,),
        "GetObjectTagging": (tags_of,),
        "GetObjectAcl": (owner_of, lambda answer: acl_of(answer).headers()),
    }
    for operation, parse in parsers.items():
        answer = data.draw(answers(operation))
        assert {reads(lambda one=one, answer=answer: one(answer)) for one in parse} <= ENDS  # type: ignore[misc]  # bound


HEADS = answers("HeadObject").map(
    lambda head: {"ETag": "", "ContentLength": 0, "LastModified": NOW, **head} if head is not None else {}
)


@given(HEADS, HEADS, st.booleans())
def test_no_odd_head_is_more_than_odd(head: dict[str, Any], other: dict[str, Any], retains: bool) -> None:  # noqa: FBT001 (drawn)
    """What a copy is given, what is compared, and what protects, of any object that HEAD can show."""
    defaults = LockDefaults(retention="GOVERNANCE 1 days" if retains else "")
    tags = [{"Key": "a", "Value": "b"}]
    one, two = snapshot_of(head), snapshot_of(other)

    assert reads(lambda: dropped_by_copy(head, NOW, defaults)) in ENDS
    assert reads(lambda: dropped_by_multipart(head, tags)) in ENDS
    assert isinstance(lock_of(head, NOW), str)
    assert all(isinstance(words, str) for words in differences(one, two, now=NOW))
    assert proves_content(one, two) in (True, False)
    assert facts_of(head).size_bytes == head["ContentLength"]


@pytest.mark.parametrize(("read", "member"), [(tags_of, "TagSet"), (acl_of, "Grants")])
def test_long_answers_are_read_too(read: Callable[[Mapping[str, Any]], "list[Any] | Acl"], member: str) -> None:
    """More than S3 ever sends: what is read is as long, in a time that no test's limit notices."""
    grantee = {"Grantee": {"ID": "x" * 100}, "Permission": "READ"}
    many = [{"Key": f"{number}", "Value": "v", **grantee} for number in range(100_000)]

    found = read({member: many, "Owner": {"ID": "me"}})

    assert len(found.grants if isinstance(found, Acl) else found) == (1 if isinstance(found, Acl) else len(many))
