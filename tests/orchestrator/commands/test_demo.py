"""The demo's bounds: what it waits for, it doesn't wait for without end."""

from pathlib import Path

import pytest

from orchestrator.commands.demo import SCENES, DemoWaitedError, Scene, Stage, environment_for
from orchestrator.demo.embedded_aws import embedded_aws
from orchestrator.errors import S3ReclassError
from tests.orchestrator.demo.test_demo_folder import runs
from worker.contract import ExitCode

NOWHERE = environment_for("http://127.0.0.1:9")


@pytest.mark.usefixtures("aws")
def test_restores_that_do_not_come_are_not_waited_for_without_end(tmp_path: Path) -> None:
    """The demo ends before its next scene, says what it waited for, and its exit code is 4."""
    (tmp_path / "keys.txt").write_text("photos/2019/0000.jpg\nphotos/2019/0001.jpg\n")
    copy = Scene(words="", line="run --phase copy --wait --wait-limit 1s --no-estimate", code=ExitCode.SOME_PENDING)
    restore = Scene(words="", line="run --phase restore --no-estimate", code=ExitCode.GOOD)

    with embedded_aws(restore_takes_s=10_000) as endpoint, pytest.raises(DemoWaitedError) as ended:
        Stage(folder=tmp_path, environment=environment_for(endpoint)).play([*SCENES[:2], restore, copy, SCENES[-1]])

    assert str(ended.value).startswith("2 keys still wait for their restores, and this demo waits no longer.")
    assert ended.value.exit_code == 4


def test_a_command_that_hangs_is_ended(tmp_path: Path) -> None:
    """The demo says which one, its exit code is 4, and the command's process has ended."""
    processes: list[int] = []
    stage = Stage(folder=tmp_path, environment=NOWHERE, began=processes.append, most_s=0)

    with pytest.raises(
        DemoWaitedError, match=r"^`s3reclass verify` hasn't ended after 0 s, and this demo waits no longer"
    ) as it:
        stage.play([Scene(words="", line="verify")])

    assert it.value.exit_code == 4
    assert len(processes) == 2
    assert not runs(processes[0])
    assert processes[1] == 0


def test_a_command_that_ends_as_it_should_not(tmp_path: Path) -> None:
    """It ends the demo, with both exit codes told."""
    stage = Stage(folder=tmp_path, environment=NOWHERE)

    with pytest.raises(S3ReclassError, match=r"^`s3reclass split` ended with exit code 2, not 0$") as it:
        stage.play([Scene(words="", line="split", code=ExitCode.GOOD), SCENES[-1]])

    assert it.value.exit_code == 1
