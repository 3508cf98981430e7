"""`s3reclass verify` after a job: what differs from what the copy phase saw, each command as the user types it."""

import csv
import json
from pathlib import Path
from typing import Any

from tests.end_to_end.conftest import BUCKET, Typed, User
from worker.contract import LotEntry, StatePaths, format_snapshot_line, snapshot_of

KEYS = [f"2019/{number:03d}.jpg" for number in range(8)]


def copies(user: User, *, audit: bool = True, lots: int = 2) -> Typed:
    """Archive (one phase), with before-pictures or without: what the copy left."""
    user.archives(KEYS, "STANDARD")
    user.writes("keys.txt", "\n".join(KEYS))
    user.types(f"s3reclass split keys.txt --lots {lots}")
    done = user.types("s3reclass run --phase copy" + (" --audit" if audit else ""))
    assert done.code == 0, done.err
    return done


def rows(path: Path) -> dict[str, list[str]]:
    """The rows of verify's CSV by key."""
    with path.open(newline="", encoding="utf-8") as file:
        return {row[1]: row for row in csv.reader(file)}


def test_all_is_as_it_was(user: User) -> None:
    """Every object is compared with its picture, and the exit code is 0."""
    copies(user)

    verify = user.types("s3reclass verify")

    assert (verify.code, verify.err) == (0, "")
    assert "8 in STANDARD_IA\n  in-class     8\n" in verify.out
    assert "compared with all that it was before the copy: 8\n" in verify.out


def puts(user: User, key: str, **changed: Any) -> None:
    """Put the object again as it was, in its new class, but for what is given."""
    same = {"Body": key.encode(), "Metadata": {"made-by": "camera"}, "ContentType": "image/jpeg", "Tagging": "keep=yes"}
    user.s3.put_object(**{"Bucket": BUCKET, "Key": key, "StorageClass": "STANDARD_IA", **same, **changed})


def test_each_difference_is_named(user: User) -> None:
    """What somebody has done to copies since: a row for each, in words, and exit code 3; the others are good."""
    copies(user)
    puts(user, KEYS[0])
    puts(user, KEYS[1], Body=b"new")
    puts(user, KEYS[2], Metadata={})
    puts(user, KEYS[3], ContentType="text/plain")
    puts(user, KEYS[4], ServerSideEncryption="aws:kms")
    user.s3.delete_object_tagging(Bucket=BUCKET, Key=KEYS[5])
    puts(user, KEYS[6], StorageClass="GLACIER", Tagging="")
    expected = {
        KEYS[1]: ("differs", "size 12 became 3; ETag "),
        KEYS[2]: ("differs", "metadata made-by: camera became none"),
        KEYS[3]: ("differs", "header ContentType: image/jpeg became text/plain"),
        KEYS[4]: ("differs", "encryption ServerSideEncryption: AES256 became aws:kms"),
        KEYS[5]: ("differs", "1 tags became 0 (or your credentials lack s3:GetObjectTagging)"),
        KEYS[6]: ("other-class", "1 tags became 0"),
    }

    verify = user.types("s3reclass verify --csv rows.csv")

    found = rows(user.folder / "rows.csv")
    assert verify.code == 3
    assert {key: row[3] for key, row in found.items()} == {key: verdict for key, (verdict, _) in expected.items()}
    assert [key for key, (_, words) in expected.items() if not found[key][5].startswith(words)] == []
    assert f"differs: s3://{BUCKET}/{KEYS[5]}: 1 tags became 0" in verify.out
    assert f"other-class: s3://{BUCKET}/{KEYS[6]}: GLACIER; 1 tags became 0" in verify.out
    assert "  in-class     2\n  differs      5\n  other-class  1\n" in verify.out


def test_without_pictures_size_and_class_are_compared(user: User) -> None:
    """A copy phase without --audit leaves the sizes; metadata that was lost isn't seen, and that is said."""
    copies(user, audit=False)
    user.s3.put_object(Bucket=BUCKET, Key=KEYS[0], Body=b"x", StorageClass="STANDARD_IA")

    verify = user.types("s3reclass verify")

    assert verify.code == 3
    assert f"differs: s3://{BUCKET}/{KEYS[0]}: size 12 became 1\n" in verify.out
    assert "compared with the size in its result: 8\n" in verify.out


def test_a_version_that_we_did_not_make(user: User) -> None:
    """On a versioned bucket the current version must be the one that the copy made."""
    user.s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    copies(user, audit=False)
    same = user.s3.put_object(Bucket=BUCKET, Key=KEYS[3], Body=KEYS[3].encode(), StorageClass="STANDARD_IA")

    verify = user.types("s3reclass verify")

    assert verify.code == 3
    assert f"its current version is {same['VersionId']}, and the copy made " in verify.out
    assert verify.out.count("differs: ") == 1


def test_a_sample_is_compared_too(user: User) -> None:
    """`s3reclass verify --sample 3` reads what it needs and says how many it compared."""
    copies(user, lots=3)

    verify = user.types("s3reclass verify --sample 3")

    assert verify.code == 0
    assert "compared with all that it was before the copy: 3\n" in verify.out


def test_a_copy_whose_result_was_lost_is_compared(user: User) -> None:
    """The picture outlives a worker that was killed before it recorded its result."""
    copies(user, lots=1)
    for path in (user.folder / ".s3reclass").rglob("copy/lot-00000/*"):
        if not path.name.startswith("audit-"):
            path.unlink()
    user.s3.delete_object_tagging(Bucket=BUCKET, Key=KEYS[1])

    again = user.types("s3reclass run --phase copy --audit")
    verify = user.types("s3reclass verify")

    assert again.code == 0, again.err
    assert verify.code == 3
    assert f"differs: s3://{BUCKET}/{KEYS[1]}: 1 tags became 0" in verify.out


def test_pictures_of_all_attempts_are_read_in_their_order(user: User) -> None:
    """The tenth attempt's picture comes after the ninth's, and the last one counts."""
    copies(user, lots=1)
    head: Any = user.s3.head_object(Bucket=BUCKET, Key=KEYS[0])
    (job,) = (path.parent.name for path in (user.folder / ".s3reclass").rglob("job.json"))
    folder = user.folder / ".s3reclass" / job / "copy" / "lot-00000"
    for attempt, size in ((9, 1), (10, head["ContentLength"])):
        snapshot = snapshot_of({**head, "ContentLength": size})
        line = format_snapshot_line(LotEntry(bucket=BUCKET, key=KEYS[0]), snapshot)
        (folder / StatePaths.audit_name(attempt, 1)).write_text(line, encoding="utf-8")

    assert user.types("s3reclass verify").code == 0

    (folder / StatePaths.audit_name(11, 1)).write_text("{not a picture\n", encoding="utf-8")
    damaged = user.types("s3reclass verify")
    assert damaged.code == 1
    assert f"{folder / StatePaths.audit_name(11, 1)} is damaged (line 1 is not a picture" in damaged.err


def test_no_state_means_classes_alone_and_is_said(user: User) -> None:
    """A job that was run with another state, or not at all, is looked at for its classes."""
    copies(user)

    nowhere = user.types("s3reclass verify --state elsewhere")
    user.writes("keys.txt", KEYS[0])
    user.types("s3reclass split keys.txt --lots 1 --force")
    user.types("s3reclass run --phase restore")
    no_copy = user.types("s3reclass verify")

    assert nowhere.code == no_copy.code == 0
    assert "only the class is looked at, nothing is compared: the state " in nowhere.err
    assert "compared with" not in nowhere.out
    assert "the job's copy phase wasn't begun with this state" in no_copy.err


def test_job_json_notes_how_the_phase_was_run(user: User) -> None:
    """The settings of the phase's last run, for whoever looks at the state."""
    copies(user)

    (file,) = (user.folder / ".s3reclass").rglob("job.json")
    phase = json.loads(file.read_text(encoding="utf-8"))["phases"]["copy"]

    assert {name: phase[name] for name in ("storage_class", "audit", "allow_noncurrent", "delete_superseded")} == {
        "storage_class": "STANDARD_IA",
        "audit": True,
        "allow_noncurrent": False,
        "delete_superseded": False,
    }
