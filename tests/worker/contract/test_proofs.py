"""The table of what S3's answers must be: in code, in the docs, and for whatever bytes may come."""

import ast
import re
from pathlib import Path

import pytest
from botocore.session import get_session
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.worker.telling import ALL, XML, Told
from worker.contract.proofs import MAX_BODY_BYTES, PROOFS, Proof, UnprovenError, check, prove, told_error

ROOT = Path(__file__).parents[3]


def row(name: str, proof: Proof) -> str:
    """A row of the docs' table."""
    holds = [
        f"`{one}`" for one in (*(header.title().replace("Etag", "ETag") for header in proof.headers), *proof.texts)
    ]
    holds += [f"`{one}` (may be empty)" for one in proof.elements]
    if proof.page:
        holds.append(f"`{proof.page.more}` unless it is the last page")
        holds.append("in each entry " + ", ".join(f"`{one}`" for one in proof.page.fields))
    body = " or ".join(f"`{root}`" for root in proof.roots) or ("the object's bytes" if proof.streams else "empty")
    return f"| {name} | {' or '.join(map(str, proof.statuses))} | {body} | {', '.join(holds)} |"


def test_the_docs_have_the_table_as_the_code_has_it() -> None:
    """Row for row."""
    text = (ROOT / "docs/fidelity.md").read_text(encoding="utf-8")

    assert "\n".join(row(*item) for item in PROOFS.items()) in text


def test_every_operation_that_is_asked_for_has_its_row() -> None:
    """Wherever the worker asks S3, by boto3's names of the operations."""
    names = get_session().create_client("s3", region_name="eu-west-1").meta.method_to_api_mapping
    asked = {
        node.value
        for path in (ROOT / "worker").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and node.value in names
    }
    called = re.findall(r"client\.([a-z_]+)\(", "".join(path.read_text() for path in (ROOT / "worker").rglob("*.py")))

    assert {names[name] for name in asked | (set(called) & names.keys())} <= PROOFS.keys()


@pytest.mark.parametrize("told", ALL, ids=lambda told: told.name)
@given(status=st.integers(100, 599), body=st.binary(max_size=200), cut=st.integers(0, 400))
@settings(max_examples=40, deadline=None)
def test_whatever_comes_is_proven_or_it_is_not(told: Told, status: int, body: bytes, cut: int) -> None:
    """No other error, and no proof in a body that was cut or changed."""
    headers = {name.lower(): value for name, value in told.headers.items()}

    for one in (body, told.body[:cut], told.body[:cut] + body):
        if told.body and one != told.body and not PROOFS[told.name].streams and not one.startswith(told.body):
            with pytest.raises(UnprovenError):
                prove(told.name, told.status, headers, one)
        try:
            check(told.name, status, headers, one)
        except UnprovenError as unproven:
            assert str(unproven)  # noqa: PT017 (some are proven)


@pytest.mark.parametrize(
    "body",
    [
        b" " * MAX_BODY_BYTES,
        b"\n" * (MAX_BODY_BYTES + 1),
        XML + b"<CopyObjectResult>" + b" " * 900_000,
        XML + b"<a>" * 300_000,
        XML + b"<CopyObjectResult>" + b"<a/>" * 250_000,
        XML + b"<CopyObjectResult " + b"a='' " * 100_000 + b"/>",
        XML + b"<CopyObjectResult>" + b"&amp;" * 200_000,
        b"<!DOCTYPE a [<!ENTITY a '&b;&b;'><!ENTITY b 'c'>]><CopyObjectResult><ETag>&a;</ETag></CopyObjectResult>",
        b"<?xml version='1.0' encoding='utf-7'?><CopyObjectResult/>",
        b"<?xml version='1.0' encoding='no-such'?><CopyObjectResult/>",
    ],
    ids=lambda body: repr(body[:30]),
)
def test_long_and_nasty_bodies_prove_nothing(body: bytes) -> None:
    """They are read in time that grows with their length alone."""
    with pytest.raises(UnprovenError):
        prove("CopyObject", 200, {}, body)
    with pytest.raises(UnprovenError):
        told_error("CopyObject", 403, body)
