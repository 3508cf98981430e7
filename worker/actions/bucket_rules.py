"""What the copy phase must know of a bucket, asked once for all of its keys."""

import logging
import threading
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from worker.actions.read_answer import ask_and_read
from worker.contract import NO_LOCK_CODES
from worker.decide.carry_over import LockDefaults, acls_have_no_effect, lock_defaults_of, owner_of
from worker.decide.judge_error import UNEXPECTED, RetryAction, judge_answer
from worker.errors import WorkerError
from worker.s3.ask import S3, RefusedError, asking_for

log = logging.getLogger("worker")

_T = TypeVar("_T")

_NO_OWNERSHIP_SETTING = frozenset(
    {"OwnershipControlsNotFoundError", "AccessDenied", "NotImplemented", "MethodNotAllowed", UNEXPECTED}
)
"""
Answers after which ACLs are taken to matter. A bucket from before the setting has none and honours ACLs (botocore
1.44.5, GetBucketOwnershipControls). Where we may not ask, or the answer stays unexpected, each object's ACL is asked
for. Under BucketOwnerEnforced that is the owner's full control alone (GetObjectAcl), so nothing is lost by asking.
"""

_PAUSES_S = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 20.0, 20.0, 20.0)
"""
Seconds before each repetition of a request whose answer was unexpected: a minute and a half in all.

A proxy may just be restarting. What lasts longer is wrong for good.
"""

_UNKNOWN_SETTING = (
    "bucket {}: {}, again and again; without it no key of the bucket can be copied as it is. See what stands between "
    "this task and S3 (a proxy, a gateway, an emulator), and run again"
)

_NO_LOCK_SETTING = NO_LOCK_CODES | {"NotImplemented", "MethodNotAllowed"}


class BucketRules:
    """The settings of the lot's buckets. The first key that needs one asks for it, while others wait."""

    def __init__(self, s3: S3) -> None:
        self._s3 = s3
        self._locks: dict[tuple[str, str], threading.Lock] = {}
        self._known: dict[tuple[str, str], Any] = {}
        self._copies_keep_owner: dict[str, bool] = {}

    def owner_if_acls_matter(self, bucket: str) -> str | None:
        """
        The canonical id of the bucket's owner, None when its ownership setting leaves ACLs without effect.

        Raises RefusedError; WorkerError when S3's answer names no owner.
        """
        return self._once("acls", bucket, self._ask_acls)

    def lock_defaults(self, bucket: str) -> LockDefaults:
        """
        What the bucket's Object Lock does to new objects.

        Raises RefusedError; WorkerError when S3's answer doesn't tell, as a default retention could lock every copy.
        """
        return self._once("lock", bucket, self._ask_lock)

    def copies_keep_owner(self, bucket: str) -> bool | None:
        """Whether our copies belong to the bucket's owner; None until a copy was looked at."""
        return self._copies_keep_owner.get(bucket)

    def note_owner(self, bucket: str, *, kept: bool) -> None:
        """Note whether a copy belongs to the bucket's owner. Once one doesn't, that stands."""
        self._copies_keep_owner[bucket] = kept and self._copies_keep_owner.get(bucket, True)

    def _once(self, question: str, bucket: str, ask: Callable[[str], _T]) -> _T:
        """
        The answer, asked for once. A refusal for good is kept as well; a passing one concerns the asking key alone.

        An answer that stays unexpected is kept, too: asked for by each key, it would fail them one by one.
        """
        name = (question, bucket)
        if name not in self._known:
            with self._locks.setdefault(name, threading.Lock()):
                if name not in self._known:
                    self._known[name] = self._answer(bucket, ask)
        known = self._known[name]
        if isinstance(known, (RefusedError, WorkerError)):
            # Many threads raise it: its traceback must not grow with each.
            raise known.with_traceback(None)
        answer: _T = known
        return answer

    def _answer(self, bucket: str, ask: Callable[[str], _T]) -> _T | RefusedError | WorkerError:
        try:
            return ask(bucket)
        except RefusedError as refused:
            if refused.answer.code == UNEXPECTED:
                return WorkerError(_UNKNOWN_SETTING.format(bucket, refused.answer.message))
            if isinstance(judge_answer(self._s3.phase, refused.answer), RetryAction):
                raise
            return refused

    def _ask_acls(self, bucket: str) -> str | None:
        try:
            if self._ask(acls_have_no_effect, "get_bucket_ownership_controls", bucket):
                return None
        except RefusedError as refused:
            if refused.answer.code not in _NO_OWNERSHIP_SETTING:
                raise
            if refused.answer.code == UNEXPECTED:
                log.warning("bucket %s: %s: its ACLs are taken to matter", bucket, refused.answer.message)
        with asking_for("asking for the bucket's owner, as its ACLs matter (s3:GetBucketAcl)"):
            return self._ask(owner_of, "get_bucket_acl", bucket)

    def _ask_lock(self, bucket: str) -> LockDefaults:
        try:
            with asking_for("asking for the bucket's default retention (s3:GetBucketObjectLockConfiguration)"):
                return self._ask(lock_defaults_of, "get_object_lock_configuration", bucket)
        except RefusedError as refused:
            if refused.answer.code in _NO_LOCK_SETTING:
                return LockDefaults()
            raise

    def _ask(self, read: Callable[[Mapping[str, Any]], _T], operation: str, bucket: str) -> _T:
        return ask_and_read(self._s3, read, operation, {"Bucket": bucket}, pauses_s=_PAUSES_S)
