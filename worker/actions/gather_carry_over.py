"""The requests for what a copy must carry over and HEAD doesn't tell. Each is sent only where it can matter."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from worker.actions.bucket_rules import BucketRules
from worker.actions.copied import Carried
from worker.actions.read_answer import ask_and_read, unexpected_answer
from worker.decide.carry_over import (
    Acl,
    IncompleteAnswerError,
    LockDefaults,
    UnsupportedError,
    acl_of,
    dropped_by_copy,
    dropped_by_multipart,
    key_refused_in_parts,
    tags_of,
)
from worker.s3.ask import S3, RefusedError, asking_for


class CarryOverReader:
    """Finds what must be given to a copy. source: names the object, and its version on a versioned bucket."""

    def __init__(self, s3: S3, buckets: BucketRules) -> None:
        self._s3 = s3
        self._buckets = buckets

    def for_copy(
        self, source: Mapping[str, str], head: Mapping[str, Any], now: datetime, *, patient: bool = False
    ) -> Carried:
        """
        What CopyObject doesn't keep by itself. Raises UnsupportedError, RefusedError.

        patient: whether to wait out passing refusals.
        """
        # Object Lock needs versioning ("Locking objects", S3 User Guide): where HEAD names no version, none can be set.
        defaults = self._buckets.lock_defaults(source["Bucket"]) if source.get("VersionId") else LockDefaults()
        try:
            arguments = dropped_by_copy(head, now, defaults)
        except IncompleteAnswerError as incomplete:
            raise unexpected_answer(str(incomplete)) from incomplete
        acl = self._acl(source, patient=patient)
        return Carried(arguments=arguments | (acl.headers() if acl else {}), acl=acl)

    def for_parts(self, source: Mapping[str, str], head: Mapping[str, Any], now: datetime) -> Carried:
        """
        Everything: an upload in parts keeps nothing by itself. Raises UnsupportedError, RefusedError.

        head: asked for with ChecksumMode=ENABLED.
        """
        reason = key_refused_in_parts(source["Key"])
        if reason:
            raise UnsupportedError(reason)
        carried = self.for_copy(source, head, now, patient=True)
        if self._annotations(source).get("Annotations"):
            raise UnsupportedError("it has annotations, which a copy in parts would lose")
        # Asked whatever TagCount says: S3 leaves it out, too, when we may not read tags, and they would be lost.
        with asking_for("asking for its tags (s3:GetObjectTagging)"):
            tags = self._tags(source)
        arguments = {**carried.arguments, **dropped_by_multipart(head, tags)}
        return Carried(arguments=arguments, acl=carried.acl, tags=tags)

    def wrong_acl(self, place: Mapping[str, str], before: Acl | None) -> str:
        """
        In words, how the copy's ACL isn't what it must be, or "".

        Asked where grants were given, and of the first copy in a bucket: all copies have the same owner.
        place: names the copy. before: None where ACLs don't matter. Raises RefusedError, StoppingError.
        """
        bucket = place["Bucket"]
        if before is None or (before.is_default and self._buckets.copies_keep_owner(bucket)):
            return ""
        after = self._ask_acl(place, "asking for the copy's ACL")
        self._buckets.note_owner(bucket, kept=after.owner == before.owner)
        return _acl_differs(before, after)

    def changed_meanwhile(self, old: Mapping[str, str], new: Mapping[str, str], *, acls: bool) -> str:
        """
        In words, what HEAD doesn't tell and differs between two versions now, or "".

        acls: whether ACLs matter. old, new: name the versions. Raises RefusedError, StoppingError.
        """
        with asking_for("comparing the tags of the copy and its old version (s3:GetObjectVersionTagging)"):
            if self._tags(old) != self._tags(new):
                return "the copy's tags aren't those that it has by now"
        if not _same_annotations(self._annotations(old), self._annotations(new)):
            return "the copy's annotations aren't those that it has by now, or are too many to compare"
        if not acls:
            return ""
        before = self._ask_acl(old, "asking for the old version's ACL")
        return _acl_differs(before, self._ask_acl(new, "asking for the copy's ACL"))

    def lost_tags(self, place: Mapping[str, str], given: Sequence[Mapping[str, str]]) -> str:
        """
        In words, that the copy has none of the tags that it was given, or "".

        Asked where tags were given to a copy in parts. S3 takes all of them or none when the upload begins. So other
        tags than those were put there since, and are left alone. Some servers, never AWS, take tags and forget them.
        There they are put once more, on a version that is certainly ours.
        place: names the copy. Raises RefusedError, StoppingError.
        """
        if not given:
            return ""
        with asking_for("asking for the copy's tags"):
            if self._tags(place):
                return ""
        if "VersionId" not in place or self._is_aws():
            return "its tags are lost"
        try:
            self._s3.ask_patiently("put_object_tagging", **place, Tagging={"TagSet": given})
        except RefusedError as refused:
            return f"its tags are lost, and can't be given again: {refused.answer.code}"
        return ""

    def _acl(self, source: Mapping[str, str], *, patient: bool) -> Acl | None:
        """The object's ACL, None where ACLs don't matter. Raises UnsupportedError when its owner can't be kept."""
        owner = self._buckets.owner_if_acls_matter(source["Bucket"])
        if owner is None:
            return None
        acl = self._ask_acl(source, "asking for its ACL (s3:GetObjectAcl)", patient=patient)
        if acl.owner != owner:
            raise UnsupportedError(f"it belongs to another account ({acl.owner}) than its bucket: a copy wouldn't")
        if self._buckets.copies_keep_owner(source["Bucket"]) is False:
            raise UnsupportedError(
                "copies made by this account don't belong to the bucket's owner, as this object does"
            )
        return acl

    def _ask_acl(self, place: Mapping[str, str], what: str, *, patient: bool = True) -> Acl:
        with asking_for(what):
            return ask_and_read(self._s3, acl_of, "get_object_acl", place, patient=patient)

    def _tags(self, place: Mapping[str, str]) -> list[dict[str, str]]:
        return ask_and_read(self._s3, tags_of, "get_object_tagging", place, patient=True)

    def _annotations(self, place: Mapping[str, str]) -> Mapping[str, Any]:
        """
        The first page of the object's annotations; asked of AWS only.

        Another endpoint may not know the request, and answer with the object itself, which may be gigabytes.
        """
        if not self._is_aws() or not hasattr(self._s3.client, "list_object_annotations"):
            return {}
        with asking_for("asking for its annotations (s3:ListObjectAnnotations)"):
            return self._s3.ask_patiently("list_object_annotations", **place)

    def _is_aws(self) -> bool:
        host = urlsplit(self._s3.client.meta.endpoint_url).hostname or ""
        return host.endswith((".amazonaws.com", ".amazonaws.com.cn"))


def _same_annotations(*answers: Mapping[str, Any]) -> bool:
    """Whether the lists are whole and the same, by name, ETag and size."""
    old, new = (
        {(one.get("AnnotationName"), one.get("ETag"), one.get("Size")) for one in answer.get("Annotations", ())}
        for answer in answers
    )
    return old == new and not any(answer.get("NextContinuationToken") for answer in answers)


def _acl_differs(before: Acl, after: Acl) -> str:
    """In words, how an ACL isn't what it was, or ""."""
    if after.owner != before.owner:
        return f"its owner {before.owner} became {after.owner}"
    lost, gained = before.grants - after.grants, after.grants - before.grants
    words = [f"lost {grantee} {permission}" for grantee, permission in sorted(lost)]
    words += [f"gained {grantee} {permission}" for grantee, permission in sorted(gained)]
    return f"its ACL {', '.join(words)}" if words else ""
