"""What `s3reclass run` says and refuses before a phase starts, each command as the user types it."""

import json

import pytest

from tests.end_to_end.conftest import BUCKET, User


def splits(user: User, storage_class: str, *keys: str) -> None:
    """Put objects into this class and cut their keys into one lot."""
    user.archives(keys, storage_class)
    user.writes("keys.txt", "\n".join(keys))
    assert user.types("s3reclass split keys.txt --lots 1").code == 0


def version(user: User) -> None:
    """Switch versioning on."""
    user.s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})


@pytest.mark.parametrize("target", ["DEEP_ARCHIVE", "INTELLIGENT_TIERING"])
def test_archiving_is_one_phase(target: str, user: User) -> None:
    """`s3reclass run --phase copy --storage-class DEEP_ARCHIVE`: nothing is said of restores, nothing is pending."""
    splits(user, "STANDARD", "a", "b")

    copy = user.types(f"s3reclass run --phase copy --storage-class {target}")

    assert copy.code == 0
    assert user.classes(["a", "b"]) == {target}
    assert "restore" not in copy.err.replace("s3reclass run", "")


def test_charges_of_the_class_are_in_the_plan(user: User) -> None:
    """Minimum duration on both sides and minimum size, with an estimate and without."""
    splits(user, "GLACIER_IR", "a")

    estimated = user.types("s3reclass run --phase copy --dry-run")
    bare = user.types("s3reclass run --phase copy --dry-run --no-estimate")

    assert "leaving GLACIER_IR before its minimum duration (90 days) is charged for the rest" in estimated.err
    assert "smaller than 128 KB: 1 of 1 looked at" in estimated.err
    assert "STANDARD_IA has a minimum duration of 30 days" in estimated.err
    assert "STANDARD_IA has a minimum duration of 30 days" in bare.err
    assert "STANDARD_IA bills an object smaller than 128 KB as 128 KB" in bare.err


def test_days_too_short_are_told_before_a_restore(user: User) -> None:
    """With --no-estimate too."""
    splits(user, "DEEP_ARCHIVE", "a")
    short = "a restored copy may be gone before it is there: DEEP_ARCHIVE takes up to 48 h with Bulk, and --days 1 is"

    assert short in user.types("s3reclass run --phase restore --days 1 --dry-run").err
    assert short in user.types("s3reclass run --phase restore --days 1 --dry-run --no-estimate").err
    assert "may be gone" not in user.types("s3reclass run --phase restore --dry-run --no-estimate").err


def test_a_versioned_bucket_is_told_before_the_copy(user: User) -> None:
    """What stays and is billed, and what --delete-superseded will do instead."""
    version(user)
    splits(user, "STANDARD", "a")

    plain = user.types("s3reclass run --phase copy --dry-run --no-estimate")
    deleting = user.types("s3reclass run --phase copy --dry-run --no-estimate --delete-superseded")
    restore = user.types("s3reclass run --phase restore --dry-run --no-estimate")

    assert f"{BUCKET} is versioned: each copy is a new version" in plain.err
    assert "it stays, and is billed in its old class, until you delete it" in plain.err
    assert "--delete-superseded: the version that was copied is deleted for good" in deleting.err
    assert "is versioned" not in restore.err


def test_nothing_is_deleted_where_there_are_no_versions(user: User) -> None:
    """`--delete-superseded` on a bucket that was never versioned is wrong usage, and says why."""
    splits(user, "STANDARD", "a")

    typed = user.types("s3reclass run --phase copy --delete-superseded")

    assert typed.code == 2
    assert f"--delete-superseded: {BUCKET} was never versioned" in typed.err
    assert user.classes(["a"]) == {"STANDARD"}


def test_flags_reach_the_worker(user: User) -> None:
    """Each on the command line of the task; none unasked."""
    version(user)
    splits(user, "STANDARD", "a")
    shared = "--request-payer requester --bucket-owner 123456789012"

    copy = user.types(f"s3reclass run --phase copy --audit --delete-superseded {shared} --dry-run")
    restore = user.types(f"s3reclass run --phase restore {shared} --dry-run")
    plain = user.types("s3reclass run --phase copy --dry-run")

    assert {"--audit", "--delete-superseded", *shared.split()} <= set(worker_arguments(copy.out))
    assert set(shared.split()) <= set(worker_arguments(restore.out))
    flags = {word for word in worker_arguments(plain.out) if word.startswith("--")}
    assert flags == {"--lot", "--lot-digest", "--lot-keys", "--results", "--attempt", "--storage-class", "--rate"}


def worker_arguments(out: str) -> list[str]:
    """The worker's command line in what a dry run printed."""
    (call,) = (call for line in out.splitlines() if (call := json.loads(line))["operation"] == "popen")
    args: list[str] = call["parameters"]["args"]
    return args[args.index("worker") + 1 :]


def test_object_lock_is_told_before_the_copy(user: User) -> None:
    """Retention is carried over; where a default retention would lock their copies, other objects are refused."""
    user.s3.create_bucket(
        Bucket="vault",
        ObjectLockEnabledForBucket=True,
        CreateBucketConfiguration={"LocationConstraint": "eu-west-1"},
    )
    user.s3.put_object_lock_configuration(
        Bucket="vault",
        ObjectLockConfiguration={
            "ObjectLockEnabled": "Enabled",
            "Rule": {"DefaultRetention": {"Mode": "GOVERNANCE", "Days": 30}},
        },
    )
    user.s3.put_object(Bucket="vault", Key="a", Body=b"x")
    user.writes("keys.txt", "a\n")
    user.types("s3reclass split keys.txt --lots 1 --bucket vault")

    typed = user.types("s3reclass run --phase copy --bucket vault --dry-run")

    assert "vault has Object Lock: a copy gets the retention and the holds that its object has" in typed.err
    assert "will be `unsupported`: the default retention of vault (GOVERNANCE, 30 days) would lock their" in typed.err


def test_superseded_versions_are_deleted(user: User) -> None:
    """`s3reclass run --phase copy --delete-superseded --audit`: one version of each object is left, as it was."""
    version(user)
    splits(user, "GLACIER_IR", "a", "b")

    copy = user.types("s3reclass run --phase copy --delete-superseded --audit")
    verify = user.types("s3reclass verify")

    left = user.s3.list_object_versions(Bucket=BUCKET)["Versions"]
    assert (copy.code, verify.code) == (0, 0), copy.err + verify.out
    assert [(one["Key"], one["StorageClass"], one["IsLatest"]) for one in left] == [
        ("a", "STANDARD_IA", True),
        ("b", "STANDARD_IA", True),
    ]
