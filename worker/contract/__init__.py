"""
What launcher and worker agree on, and nothing else: lot lines, result rows, state paths, outcomes, exit codes.

Pure: the standard library only, no clock, no disk.
"""

from worker.contract.outcomes import (
    OUTCOMES,
    ContractError,
    ExitCode,
    Outcome,
    Phase,
    TaskStatus,
    exit_code_of,
    supersedes,
)
from worker.contract.rows import (
    MAX_KEY_BYTES,
    RESULT_COLUMNS,
    LotEntry,
    ResultRow,
    encode_key,
    format_lot_line,
    format_result_rows,
    parse_lot_line,
    parse_result_rows,
    result_fields,
)
from worker.contract.state import LotFileName, StatePaths, Tally, lot_name

__all__ = [
    "MAX_KEY_BYTES",
    "OUTCOMES",
    "RESULT_COLUMNS",
    "ContractError",
    "ExitCode",
    "LotEntry",
    "LotFileName",
    "Outcome",
    "Phase",
    "ResultRow",
    "StatePaths",
    "Tally",
    "TaskStatus",
    "encode_key",
    "exit_code_of",
    "format_lot_line",
    "format_result_rows",
    "lot_name",
    "parse_lot_line",
    "parse_result_rows",
    "result_fields",
    "supersedes",
]
