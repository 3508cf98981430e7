"""What several tests begin and end with: a small job, ready to run, and the rows of its report."""

from collections.abc import Sequence

from tests.system.account import Account, Stored
from tests.system.terminal import Terminal
from worker.contract import ResultRow, parse_result_rows


def split_job(account: Account, terminal: Terminal, bucket: str, objects: Sequence[Stored], *, lots: int) -> None:
    """Put objects into a new bucket, and cut their keys into lots for a move to STANDARD_IA."""
    account.make_bucket(bucket)
    account.put(bucket, objects)
    (terminal.folder / "keys.txt").write_text("".join(f"{one.key}\n" for one in objects), encoding="utf-8")
    terminal.types(f"s3reclass init --bucket {bucket} --storage-class STANDARD_IA")
    terminal.types(f"s3reclass split keys.txt --lots {lots}")


def rows_of_report(terminal: Terminal) -> Sequence[ResultRow]:
    """The rows of `report.csv`."""
    return list(parse_result_rows((terminal.folder / "report.csv").read_bytes().decode()))
