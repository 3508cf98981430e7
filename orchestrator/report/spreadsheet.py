"""Cells of reports that people open in a spreadsheet: none is taken for a formula. Pure."""

import re

_FORMULA = re.compile(r"[=+@\t\r\n'＝＋－＠]|-(?![\w.~/%-]*\Z)", re.ASCII)  # noqa: RUF001 (some take the wide ones too)
r"""
How a cell begins that a spreadsheet may calculate (OWASP, "CSV Injection", 2026-11).

`-` alone is harmless before letters, digits and `_ . ~ / % -`: no call, no reference to a program or another file
can be written with those. Of those are URL-encoded keys and S3's version ids made, which so stay what they are.
"""


def harmless(cell: str) -> str:
    """
    The cell, with an apostrophe before it when a spreadsheet could take it for a formula, or it begins with one.

    So nothing is lost: the first character of a cell that begins with an apostrophe is ours. Names that S3 gives
    (buckets, URL-encoded keys, version ids) never get one, and can be split again.
    """
    return f"'{cell}" if _FORMULA.match(cell) else cell
