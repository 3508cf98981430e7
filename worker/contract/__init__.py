"""
What launcher and worker agree on, and nothing else: lines, rows, paths, outcomes, exit codes. Pure.

The standard library only, no clock, no disk.
"""

from worker.contract.classes import REQUESTER, S3_CLIENTS, STORAGE_CLASSES, TIERS
from worker.contract.digests import DigestTable, Parts, PartsDigest, digest_of
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
    COPY_DIFFERS,
    MAX_KEY_BYTES,
    MAX_TEXT,
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
from worker.contract.shares import SHARE_EVERY_S, SHARE_SPREAD, RateShare
from worker.contract.snapshot import (
    ObjectSnapshot,
    bare_etag,
    differences,
    format_snapshot_line,
    parse_snapshot_lines,
    proves_content,
    snapshot_of,
)
from worker.contract.state import MOST_PART_ROWS, LotFileName, StatePaths, Tally, lot_name
from worker.contract.values import parse_object, real_number, whole_number, word

__all__ = [
    "COPY_DIFFERS",
    "MAX_KEY_BYTES",
    "MAX_TEXT",
    "MOST_PART_ROWS",
    "OUTCOMES",
    "REQUESTER",
    "RESULT_COLUMNS",
    "S3_CLIENTS",
    "SHARE_EVERY_S",
    "SHARE_SPREAD",
    "STORAGE_CLASSES",
    "TIERS",
    "ContractError",
    "DigestTable",
    "ExitCode",
    "LotEntry",
    "LotFileName",
    "ObjectSnapshot",
    "Outcome",
    "Parts",
    "PartsDigest",
    "Phase",
    "RateShare",
    "ResultRow",
    "StatePaths",
    "Tally",
    "TaskStatus",
    "bare_etag",
    "differences",
    "digest_of",
    "encode_key",
    "exit_code_of",
    "format_lot_line",
    "format_result_rows",
    "format_snapshot_line",
    "lot_name",
    "parse_lot_line",
    "parse_object",
    "parse_result_rows",
    "parse_snapshot_lines",
    "proves_content",
    "real_number",
    "result_fields",
    "snapshot_of",
    "supersedes",
    "whole_number",
    "word",
]
