"""`run --phase all`, in a place whose tasks follow a script and over objects that HEADs can see."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
import pytest

from orchestrator.lots.folder import lot_path
from orchestrator.model import TaskRequest
from orchestrator.objects.object_head import HeadOutcome, ObjectHead
from orchestrator.run.both_phases import needs_restore, run_both
from orchestrator.run.job import Job
from orchestrator.run.one_phase import Run
from orchestrator.settings.settings import Settings
from tests.orchestrator.run.worlds import BEGAN, Fate, ScriptedPlace, entries_of, job_state, lot_bytes, lots_of
from worker.contract import ExitCode, LotEntry, Outcome, Phase, PhaseSettings

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

RESTORE = PhaseSettings(phase=Phase.RESTORE)
COPY = PhaseSettings(phase=Phase.COPY, storage_class="STANDARD_IA")
RESTORED: Fate = {Outcome.REQUESTED: 2}
COPIED: Fate = {Outcome.COPIED: 2}


@dataclass
class Scene:
    """A run of both phases over two lots of two keys. told: what was printed, result and remarks."""

    run: Run
    place: ScriptedPlace
    s3: "S3Client"

    def play(self) -> int:
        """Run both phases; the exit code."""
        return int(run_both(self.run, RESTORE, COPY))

    def puts(self, storage_class: str) -> None:
        """Put the objects of all lots into this class."""
        for lot in self.run.job.lots.lots:
            for entry in entries_of(lot.name, lot.keys):
                self.s3.put_object(Bucket="bucket", Key=entry.key, Body=b"x", StorageClass=storage_class)  # type: ignore[arg-type]  # a str here

    def starts(self) -> list[tuple[str, str, int]]:
        """What was started, in order."""
        return [(request.phase.value, request.lot, request.attempt) for request in self.place.started]


@pytest.fixture
def scene(aws: str, tmp_path: Path) -> Scene:  # noqa: ARG001 (the server)
    """Objects in GLACIER, none of them restored; each task finds all well."""
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket="bucket", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    lots = lots_of(2)
    (tmp_path / "lots").mkdir()
    for lot in lots.lots:
        lot_path(tmp_path / "lots", lot).write_bytes(lot_bytes(lot))
    place = ScriptedPlace(tmp_path / "state", fate_of(COPIED), ends_with_launcher=True)
    job = Job(lots=lots, state=job_state(tmp_path / "state", lots), place=place, read_lot=lot_bytes)
    settings = Settings(bucket="bucket", storage_class="STANDARD_IA", lots=str(tmp_path / "lots"), place="local")
    run = Run(settings=settings, job=job, buckets=(), estimate=True, dry=False, wait_limit_s=600, both=True)
    scene = Scene(run, place, s3)
    scene.puts("GLACIER")
    # Restored in advance, as no scripted task does it: the copy phase has nothing to wait for.
    place.fate = restoring(scene, fate_of(COPIED))
    return scene


def fate_of(copied: Fate) -> Callable[[TaskRequest], Fate]:
    """Every restore requested, and copies that go so."""
    return lambda request: RESTORED if request.phase is Phase.RESTORE else copied


def restoring(scene: Scene, fate: Callable[[TaskRequest], Fate]) -> Callable[[TaskRequest], Fate]:
    """The same fates, and a restore task's objects restored."""

    def restore(request: TaskRequest) -> Fate:
        if request.phase is Phase.RESTORE:
            for entry in entries_of(request.lot, 2):
                scene.s3.restore_object(Bucket="bucket", Key=entry.key, RestoreRequest={"Days": 1})
        return fate(request)

    return restore


def test_restore_then_copy(scene: Scene, capsys: pytest.CaptureFixture[str]) -> None:
    """One after the other, each line of progress with its phase; a repetition finds all done."""
    code = scene.play()
    told = capsys.readouterr()

    assert code == 0
    assert scene.starts() == [
        ("restore", "lot-00000", 1),
        ("restore", "lot-00001", 1),
        ("copy", "lot-00000", 1),
        ("copy", "lot-00001", 1),
    ]
    assert [line.split()[0] for line in told.out.splitlines() if "of job" in line] == ["restore", "copy"]
    progress = [line for line in told.err.splitlines() if not line.startswith(("job ", "next: "))]
    assert all(line.startswith(("restore: ", "copy: ")) for line in progress), told.err
    assert "`s3reclass run --phase copy`" not in told.err

    assert scene.play() == 0
    assert "both phases of job 0123456789ab are finished" in capsys.readouterr().out
    assert len(scene.starts()) == 4


def test_a_dry_run_shows_both(scene: Scene, capsys: pytest.CaptureFixture[str]) -> None:
    """Each request of both phases, lots uploaded once; nothing is done."""
    scene.run = replace(scene.run, dry=True)

    assert scene.play() == 0

    told = capsys.readouterr()
    operations = [line.split('"')[7] for line in told.out.splitlines()]
    assert operations == ["copy_file", "copy_file", "prepare", "start", "start", "prepare", "start", "start"]
    assert "restore: $" in told.err
    assert "copy: $" in told.err
    assert scene.starts() == []
    assert scene.run.job.state.read_job() is None


def test_archiving_is_one_phase(scene: Scene, capsys: pytest.CaptureFixture[str]) -> None:
    """Where nothing needs a restore none is asked for, in a repetition neither."""
    scene.puts("STANDARD")
    scene.place.fate = lambda request: COPIED if request.attempt == 2 else {Outcome.COPIED: 1, Outcome.DENIED: 1}

    assert (scene.play(), scene.play()) == (3, 0)
    assert {phase for phase, _, _ in scene.starts()} == {"copy"}
    assert "restore: of the 4 keys looked at none needs a restore" in capsys.readouterr().err
    assert scene.run.job.state.begun_phases() == (Phase.COPY,)


def test_archived_keys_that_no_sample_showed(scene: Scene, capsys: pytest.CaptureFixture[str]) -> None:
    """They are found pending; then restores are asked for, of them alone, and their lot is copied on."""
    scene.puts("STANDARD")
    hidden = "lot-00001/1"

    def fate(request: TaskRequest) -> Fate:
        if request.phase is Phase.RESTORE:
            scene.s3.restore_object(Bucket="bucket", Key=hidden, RestoreRequest={"Days": 1})
            return {Outcome.REQUESTED: 1}
        if request.attempt == 2 or request.lot == "lot-00000":
            return COPIED
        scene.s3.put_object(Bucket="bucket", Key=hidden, Body=b"x", StorageClass="GLACIER")
        return {Outcome.COPIED: 1, Outcome.PENDING: 1}

    scene.place.fate = fate

    assert scene.play() == 0
    assert scene.starts()[2:] == [("restore", "lot-00001", 1), ("copy", "lot-00001", 2)]
    assert scene.place.started[2].job != scene.run.job.lots.job
    assert "restore: 1 key that the copy phase left pending" in capsys.readouterr().err
    assert scene.run.job.state.begun_phases() == (Phase.COPY,)


def test_failed_restores_do_not_hold_the_others_up(scene: Scene) -> None:
    """Exit code 3, though the copy phase calls such a key pending; a copied lot isn't restored again."""
    good = scene.place.fate

    def fate(request: TaskRequest) -> Fate:
        if request.lot == "lot-00000":
            return good(request)
        bad = Outcome.ERROR if request.phase is Phase.RESTORE else Outcome.PENDING
        return {Outcome.REQUESTED if request.phase is Phase.RESTORE else Outcome.COPIED: 1, bad: 1}

    scene.place.fate = fate

    assert scene.play() == 3
    assert scene.play() == 3
    assert ("restore", "lot-00001", 2) in scene.starts()
    assert [lot for _, lot, attempt in scene.starts() if attempt > 1].count("lot-00000") == 0


def test_a_copy_that_is_good_outweighs_a_restore_that_was_not(scene: Scene) -> None:
    """Whatever the restore phase met, each key is in its class."""
    scene.place.fate = lambda request: {Outcome.DENIED: 2} if request.phase is Phase.RESTORE else COPIED
    for lot in scene.run.job.lots.lots:
        restoring(scene, fate_of(COPIED))(TaskRequest(job="", phase=Phase.RESTORE, lot=lot.name, attempt=1, command=()))
    scene.run.job.state.begin_phase(scene.run.job.lots, RESTORE, BEGAN)

    assert scene.play() == 0


@pytest.mark.parametrize(
    ("code", "asked_again"), [(4, ExitCode.GOOD), (4, ExitCode.SOME_PENDING), (3, ExitCode.SOME_FAILED)]
)
def test_restores_asked_for_again_count_like_the_restore_phase(code: int, asked_again: ExitCode, scene: Scene) -> None:
    """Where some failed, waiting alone won't help the keys that are pending."""
    scene.place.fate = fate_of({Outcome.COPIED: 1, Outcome.PENDING: 1})
    run = replace(scene.run, wait_limit_s=None)

    assert run_both(run, RESTORE, COPY, asked_again=asked_again) == code


class KilledError(BaseException):
    """The launcher's end, which nothing in it catches."""


@pytest.mark.parametrize("phase", list(Phase))
def test_a_kill_in_either_phase_loses_nothing(scene: Scene, phase: Phase) -> None:
    """The same command again finds the running tasks, and starts none twice."""
    good = scene.place.fate

    def killed(request: TaskRequest) -> Fate:
        if request.phase is phase:
            raise KilledError
        return good(request)

    scene.place.fate = killed
    with pytest.raises(KilledError):
        scene.play()
    scene.place.fate = good

    assert scene.play() == 0
    assert scene.starts() == [(phase.value, f"lot-0000{lot}", 1) for phase in Phase for lot in range(2)]


@pytest.mark.parametrize(
    ("expected", "storage_class", "restore", "look"),
    [
        (True, "GLACIER", "", HeadOutcome.FOUND),
        (False, "GLACIER", 'ongoing-request="true"', HeadOutcome.FOUND),
        (False, "STANDARD", "", HeadOutcome.FOUND),
        (False, "STANDARD_IA", "", HeadOutcome.FOUND),
        (False, "", "", HeadOutcome.MISSING),
    ],
)
def test_what_needs_a_restore(expected: bool, storage_class: str, restore: str, look: HeadOutcome) -> None:  # noqa: FBT001 (a table)
    """What is archived, leaves its class, and has had none asked for."""
    head = ObjectHead(entry=LotEntry(bucket="b", key="k"), look=look, storage_class=storage_class, restore=restore)

    assert needs_restore([head], "STANDARD_IA") is expected
    assert not needs_restore([head], "GLACIER")
