"""What the copy phase must know of a bucket, asked once for all of its keys."""

import threading
from collections.abc import Callable
from typing import Any, TypeVar

from worker.actions.asking import S3, RefusedError, asking_for
from worker.answers import Course, judge_answer
from worker.carry import LockDefaults, lock_defaults_of

_T = TypeVar("_T")

_NO_OWNERSHIP_SETTING = frozenset(
    {"OwnershipControlsNotFoundError", "AccessDenied", "NotImplemented", "MethodNotAllowed"}
)
"""
Where ACLs are taken to matter. A bucket from before the setting has none and honours ACLs (botocore 1.44.5,
GetBucketOwnershipControls). Where we may not ask, each object is asked: under BucketOwnerEnforced it answers with
its owner's full control alone (GetObjectAcl), so that nothing is lost by believing the answer.
"""

_NO_LOCK_SETTING = frozenset({"ObjectLockConfigurationNotFoundError", "NotImplemented", "MethodNotAllowed"})


class Buckets:
    """The settings of the lot's buckets; each is asked for by the first key that needs it, while others wait."""

    def __init__(self, s3: S3) -> None:
        self._s3 = s3
        self._lock = threading.Lock()
        self._turns: dict[tuple[str, str], threading.Lock] = {}
        self._known: dict[tuple[str, str], Any] = {}
        self._copies_keep_owner: dict[str, bool] = {}

    def owner_if_acls_matter(self, bucket: str) -> str | None:
        """
        The canonical id of the bucket's owner, None when its ownership setting leaves ACLs without effect.

        Raises RefusedError.
        """
        return self._once("acls", bucket, self._ask_acls)

    def lock_defaults(self, bucket: str) -> LockDefaults:
        """What the bucket's Object Lock does to new objects. Raises RefusedError."""
        return self._once("lock", bucket, self._ask_lock)

    def copies_keep_owner(self, bucket: str) -> bool | None:
        """Whether our copies belong to the bucket's owner; None while none was looked at."""
        return self._copies_keep_owner.get(bucket)

    def note_owner(self, bucket: str, *, kept: bool) -> None:
        """Note whose a copy of ours is. Once it was somebody else's, that stands."""
        self._copies_keep_owner[bucket] = kept and self._copies_keep_owner.get(bucket, True)

    def _once(self, question: str, bucket: str, ask: Callable[[str], _T]) -> _T:
        """
        The answer, asked for once; a refusal for good counts as one, a passing one is the asking key's own.
        """
        name = (question, bucket)
        if name not in self._known:
            with self._lock:
                turn = self._turns.setdefault(name, threading.Lock())
            with turn:
                if name not in self._known:
                    self._known[name] = self._answer(bucket, ask)
        known = self._known[name]
        if isinstance(known, RefusedError):
            raise RefusedError(known.answer)
        answer: _T = known
        return answer

    def _answer(self, bucket: str, ask: Callable[[str], _T]) -> _T | RefusedError:
        try:
            return ask(bucket)
        except RefusedError as refused:
            if isinstance(judge_answer(self._s3.phase, refused.answer), Course):
                raise
            return refused

    def _ask_acls(self, bucket: str) -> str | None:
        try:
            answer = self._s3.ask("get_bucket_ownership_controls", Bucket=bucket)
        except RefusedError as refused:
            if refused.answer.code not in _NO_OWNERSHIP_SETTING:
                raise
        else:
            if any(rule["ObjectOwnership"] == "BucketOwnerEnforced" for rule in answer["OwnershipControls"]["Rules"]):
                return None
        with asking_for("asking for the bucket's owner, as its ACLs matter (s3:GetBucketAcl)"):
            owner: str = self._s3.ask("get_bucket_acl", Bucket=bucket).get("Owner", {}).get("ID", "")
        return owner

    def _ask_lock(self, bucket: str) -> LockDefaults:
        try:
            with asking_for("asking for the bucket's default retention (s3:GetBucketObjectLockConfiguration)"):
                answer = self._s3.ask("get_object_lock_configuration", Bucket=bucket)
        except RefusedError as refused:
            if refused.answer.code in _NO_LOCK_SETTING:
                return LockDefaults()
            raise
        return lock_defaults_of(answer.get("ObjectLockConfiguration", {}))
