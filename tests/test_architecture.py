"""The structure that the design promises, read from the imports of the code itself."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
AWS = {"boto3", "botocore", "docker", "mypy_boto3_s3", "mypy_boto3_ecs"}
IO = {"os", "pathlib", "socket", "subprocess", "tempfile", "time", "shutil", "urllib.request"}
PURE = [
    *sorted((ROOT / "orchestrator/planning").glob("*.py")),
    *sorted((ROOT / "worker/contract").glob("*.py")),
    *(
        ROOT / name
        for name in ("orchestrator/model.py", "orchestrator/settings.py", "worker/judge.py", "worker/proof.py")
    ),
]
CODE = [*sorted((ROOT / "orchestrator").rglob("*.py")), *sorted((ROOT / "worker").rglob("*.py"))]


def imports(path: Path) -> Iterator[str]:
    """Each module that the file imports when it runs (not those for type checking alone)."""
    for node in _running(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""


def _running(tree: ast.AST) -> Iterator[ast.AST]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            continue
        yield node
        yield from _running(node)


def name_of(path: Path) -> str:
    """The file's name for a test's id."""
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", PURE, ids=name_of)
def test_decisions_are_pure(path: Path) -> None:
    """Planning, contract, judge, proof, model and settings import nothing that reads a clock, a disk or a network."""
    impure = {module for module in imports(path) if module in IO or module.split(".")[0] in AWS | {"click", "rich"}}

    assert impure == set()


@pytest.mark.parametrize("path", CODE, ids=name_of)
def test_boto3_and_docker_stay_where_they_belong(path: Path) -> None:
    """Of the launcher only `clients/` imports boto3, botocore or docker; the worker never imports docker."""
    found = {module.split(".")[0] for module in imports(path)} & AWS
    place = path.relative_to(ROOT)

    assert found == set() or "clients" in place.parts or (place.parts[0] == "worker" and found <= {"boto3", "botocore"})


@pytest.mark.parametrize("path", sorted((ROOT / "worker").rglob("*.py")), ids=name_of)
def test_the_worker_stands_alone(path: Path) -> None:
    """The worker imports itself, boto3 and the standard library, never the orchestrator."""
    foreign = {
        module
        for module in imports(path)
        if module.split(".")[0] in {"orchestrator", "click", "rich", "docker", "moto"}
    }

    assert foreign == set()


@pytest.mark.parametrize("path", sorted((ROOT / "orchestrator").rglob("*.py")), ids=name_of)
def test_the_launcher_knows_the_contract_alone(path: Path) -> None:
    """Of the worker the launcher imports `worker.contract` and nothing else."""
    known = {module for module in imports(path) if module.split(".")[0] == "worker"}

    assert known <= {"worker.contract"}


@pytest.mark.parametrize("path", CODE, ids=name_of)
def test_files_stay_small_enough_to_hold_in_mind(path: Path) -> None:
    """About 300 lines."""
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 320


@pytest.mark.parametrize("path", sorted((ROOT / "orchestrator").rglob("*.py")), ids=name_of)
def test_what_is_printed_goes_through_one_place(path: Path) -> None:
    """`say` and `tell` make text safe to show; only what shows whole lines of ours, or bytes, prints by itself."""
    calls = {
        f"{node.func.value.id}.{node.func.attr}"
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id == "click"
    }

    printing = calls & {"click.echo", "click.secho", "click.echo_via_pager"}
    assert printing == set() or name_of(path) in {
        "orchestrator/commands/output.py",
        "orchestrator/crash.py",
        "orchestrator/commands/demo.py",
    }
