"""The structure that CONTRIBUTING promises, read from the imports and docstrings of the code itself."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
AWS = {"boto3", "botocore", "docker"}
IO = {"os", "pathlib", "socket", "ssl", "subprocess", "tempfile", "threading", "time", "shutil", "urllib.request"}
SERVICES = "S3|ECS|ECR|EC2|CloudFormation|CloudWatch Logs|IAM|STS|AWS|the Docker engine"
CODE = [*sorted((ROOT / "orchestrator").rglob("*.py")), *sorted((ROOT / "worker").rglob("*.py"))]
MOST_IN_A_ROOT = 8


def first_line(path: Path) -> str:
    """The first line of the module's docstring."""
    return (ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "").split("\n")[0]


def is_pure(path: Path) -> bool:
    """Whether the module says that it only decides."""
    return "Pure." in first_line(path) or "Pure," in first_line(path)


PURE = [path for path in CODE if is_pure(path)]


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


def file_of(module: str) -> Path:
    """The file of one of our own modules."""
    path = ROOT / module.replace(".", "/")
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def name_of(path: Path) -> str:
    """The file's name for a test's id."""
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", PURE, ids=name_of)
def test_a_module_that_says_pure_imports_the_standard_library_and_other_pure_modules(path: Path) -> None:
    """No clock, disk, thread or network, and no module of ours that has one; botocore's parsers alone are let in."""
    ours = {module for module in imports(path) if module.split(".")[0] in {"orchestrator", "worker"}}
    others = set(imports(path)) - ours

    assert {module for module in ours if not is_pure(file_of(module))} == set()
    assert {one for one in others if one in IO or one.split(".")[0] not in sys.stdlib_module_names} <= {
        "botocore.utils"
    }


def test_what_decides_says_pure() -> None:
    """The contract, the worker's decisions, and the launcher's of each room: none has lost its word."""
    rooms = {path for path in CODE if path.parts[-2] in {"contract", "decide"} and path.name != "__init__.py"}

    assert rooms <= set(PURE)
    assert len(PURE) >= 55


@pytest.mark.parametrize("path", CODE, ids=name_of)
def test_only_modules_that_name_their_service_import_boto3_or_docker(path: Path) -> None:
    """The launcher's say in their first line which service they call; the worker, S3's alone, never imports docker."""
    found = {module.split(".")[0] for module in imports(path)} & AWS
    if path.relative_to(ROOT).parts[0] == "worker":
        assert found <= {"boto3", "botocore"}
    elif found:
        assert any(f"Calls {service}." in first_line(path) for service in SERVICES.split("|"))


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


@pytest.mark.parametrize("root", ["orchestrator", "worker"])
def test_a_root_reads_as_a_table_of_contents(root: str) -> None:
    """Few files lie in a root, and each folder says in one line what it is for."""
    files = [path.name for path in (ROOT / root).glob("*.py") if path.name != "__init__.py"]
    rooms = [path.parent for path in (ROOT / root).rglob("__init__.py")]

    assert len(files) <= MOST_IN_A_ROOT
    assert [room for room in rooms if not first_line(room / "__init__.py").endswith(".")] == []


def test_a_file_name_stands_in_one_place() -> None:
    """One name, one file; what both sides have, and the commands' own names, stand in two."""
    names = [path.name for path in CODE if path.name not in {"__init__.py", "__main__.py"}]

    assert {name for name in names if names.count(name) > 1} <= {"clock.py", "errors.py", "logs.py"}


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
        "orchestrator/common/output.py",
        "orchestrator/common/crash_report.py",
        "orchestrator/commands/demo.py",
    }
