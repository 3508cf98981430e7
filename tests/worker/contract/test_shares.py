"""What `rate.json` says, in both directions."""

import json

import pytest

from worker.contract import ContractError, RateShare

SHARE = RateShare(rate=45.5, most=90, tasks=20, at="2026-01-02T03:04:05Z")


def test_a_share_comes_out_as_it_went_in() -> None:
    """As text and as bytes."""
    assert RateShare.from_json(SHARE.to_json()) == SHARE
    assert RateShare.from_json(SHARE.to_json().encode()) == SHARE


def test_what_is_added_to_a_share_is_passed_over() -> None:
    """A worker reads what a later launcher writes."""
    assert RateShare.from_json(json.dumps({**json.loads(SHARE.to_json()), "more": 1})) == SHARE


@pytest.mark.parametrize(
    "change",
    [
        {"rate": 0},
        {"rate": -1},
        {"rate": "fast"},
        {"rate": float("nan")},
        {"most": 45},
        {"most": float("inf")},
        {"tasks": None},
    ],
)
def test_what_is_no_share_is_an_error(change: dict[str, object]) -> None:
    """No limit at all above all: a task would never be held back."""
    with pytest.raises(ContractError, match="not a share"):
        RateShare.from_json(json.dumps({**json.loads(SHARE.to_json()), **change}))


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "{}", '{"rate": 1}'])
def test_a_torn_share_is_an_error(text: str) -> None:
    """Nothing is guessed."""
    with pytest.raises(ContractError, match="not a share"):
        RateShare.from_json(text)
