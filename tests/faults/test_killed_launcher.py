"""The launcher, killed between any two of its changes and run again: the same report, and no lot has two tasks."""

import random
from pathlib import Path

import pytest

from tests.faults.launching import Life, Meanwhile, World
from worker.contract import Outcome

LOTS = 3
WHOLE_ROUND = 4


def at_once(_: World) -> None:
    """The next launcher comes at once: tasks haven't begun."""


def tasks_run(world: World) -> None:
    """Tasks have begun."""
    world.go_on()


def tasks_end(world: World) -> None:
    """Tasks have ended, and ECS still knows of them."""
    for _ in range(WHOLE_ROUND):
        world.go_on()


def an_hour_passes(world: World) -> None:
    """Tasks have ended, and ECS has forgotten them."""
    tasks_end(world)
    for arn in list(world.ecs.tasks):
        world.ecs.forget(arn)


def kill_tasks(world: World) -> int:
    """Kill the tasks that haven't ended, so that they leave no tally: how many."""
    alive = [arn for arn, task in world.ecs.tasks.items() if task["lastStatus"] != "STOPPED"]
    for arn in alive:
        world.ecs.end(arn, 137, reason="OutOfMemoryError")
    return len(alive)


@pytest.mark.parametrize("meanwhile", [at_once, tasks_run, tasks_end, an_hour_passes])
def test_killed_anywhere_and_run_again(meanwhile: Meanwhile, tmp_path: Path) -> None:
    """Killed before each of its changes in turn, whatever its tasks do meanwhile: each lot has exactly one task."""
    whole = World(tmp_path / "whole", LOTS)
    life = Life()
    assert whole.launch(life) == 0
    assert life.made.count("run_task") == LOTS
    assert [row.outcome for row in whole.report()] == [Outcome.REQUESTED] * 2 * LOTS

    for left in range(len(life.made)):
        world = World(tmp_path / str(left), LOTS)
        assert world.launch(Life(left)) is None
        meanwhile(world)

        again = world.launch(Life())

        after = f"killed before change {left + 1}, {life.made[left]}"
        assert again == 0, after
        assert world.tasks() == [lot.name for lot in world.lots.lots], after
        assert world.report() == whole.report(), after


def test_killed_together_with_its_tasks(tmp_path: Path) -> None:
    """Tasks that ended without a tally are followed by one more each; the others aren't started again."""
    life = Life()
    assert World(tmp_path / "whole", LOTS).launch(life) == 0

    for left in range(len(life.made)):
        world = World(tmp_path / str(left), LOTS)
        world.launch(Life(left))
        killed = kill_tasks(world)

        assert world.launch(Life()) == 0

        assert len(world.tasks()) == LOTS + killed
        assert [row.outcome for row in world.report()] == [Outcome.REQUESTED] * 2 * LOTS


@pytest.mark.parametrize("seed", [1])
def test_killed_again_and_again(seed: int, tmp_path: Path) -> None:
    """Launchers that each get a little further, until one sees the end: each lot has had one task."""
    chance = random.Random(seed)  # noqa: S311 (no secret)
    for number in range(20):
        world = World(tmp_path / str(number), LOTS)
        while world.launch(Life(chance.randrange(9))) is None:
            if chance.random() < 0.5:
                world.go_on()

        assert world.tasks() == [lot.name for lot in world.lots.lots]
        assert [row.outcome for row in world.report()] == [Outcome.REQUESTED] * 2 * LOTS
