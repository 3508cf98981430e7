"""The lease: what its file says, who may take it, and what others are told."""

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from orchestrator.state.lease_file import (
    LASTS_S,
    RENEW_AGAIN_S,
    RENEW_EVERY_S,
    SAFETY_S,
    Claim,
    Holder,
    Lease,
    LeaseHeldError,
    LeaseLostError,
    judge_lease,
)

ANA = Holder(
    host="laptop",
    machine="boot-1 pid:[4026531836]",
    pid=4711,
    process="98765",
    user="ana",
    command="s3reclass run --phase restore",
    since="2026-01-02T03:04:05Z",
)
LEASE = Lease(id="a" * 32, holder=ANA, turn=3)
OURS = "b" * 32
NOW = datetime(2026, 1, 2, 3, 10, 0, tzinfo=UTC)


@pytest.mark.parametrize("lease", [LEASE, replace(LEASE, released=True, turn=4, lasts_s=7.5)])
def test_a_lease_comes_out_as_it_went_in(lease: Lease) -> None:
    """Whoever reads the file knows all that its holder said."""
    assert Lease.from_json(lease.to_json()) == lease


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b"{",
        b"{}",
        b"null",
        LEASE.to_json()[:-20],
        LEASE.to_json().replace(b'"version": 1', b'"version": 2'),
        LEASE.to_json().replace(b"4711", b'"?"'),
        LEASE.to_json().replace(b"4711", b"0"),
        LEASE.to_json().replace(b"4711", b"-1"),
        LEASE.to_json().replace(b"4711", b"99999999999999999999"),
    ],
)
def test_what_is_no_lease_is_an_error(data: bytes) -> None:
    """A torn file, or one of another version, is never taken for a free job."""
    with pytest.raises(ValueError, match=r"lease|version|JSON|not a whole number from 1 to 2147483647"):
        Lease.from_json(data)


@pytest.mark.parametrize(
    ("claim", "found", "age_s", "ended"),
    [
        (Claim.FREE, None, 0, False),
        (Claim.FREE, replace(LEASE, released=True), 0, False),
        (Claim.FREE, LEASE, LASTS_S + 1, False),
        (Claim.FREE, LEASE, 0, True),
        (Claim.HELD, LEASE, 0, False),
        (Claim.HELD, LEASE, LASTS_S, False),
        (Claim.HELD, LEASE, -60, False),
        (Claim.OURS, replace(LEASE, id=OURS), LASTS_S + 1, False),
        (Claim.OURS, replace(LEASE, id=OURS, released=True), 0, True),
    ],
)
def test_who_may_have_it(claim: Claim, found: Lease | None, age_s: float, *, ended: bool) -> None:
    """Nobody's, given back, run out or a dead launcher's: free. Another's that may live: held."""
    assert judge_lease(found, ours=OURS, age_s=age_s, ended=ended) is claim


def test_the_second_launcher_is_told_who_and_until_when() -> None:
    """One line: what holds the job, whose it is and where, when its lease ends, and what to do."""
    message = str(LeaseHeldError("0123456789ab", LEASE, age_s=100, now=NOW))

    assert message == (
        "job 0123456789ab is taken by `s3reclass run --phase restore` of ana on laptop (pid 4711, since "
        "2026-01-02T03:04:05Z): let it finish (`s3reclass status` shows how far it is), or end it there with Ctrl-C; "
        "if it is dead, its lease ends at 2026-01-02 03:10:20 UTC: run this again then"
    )


def test_names_from_the_state_cant_steer_a_terminal() -> None:
    """A host or a user may be called anything."""
    nasty = replace(LEASE, holder=replace(ANA, host="\x1b[2J", user="a\nb"))

    assert "\x1b" not in str(LeaseHeldError("job", nasty, age_s=0, now=NOW))
    assert "\n" not in str(LeaseLostError("job", nasty))


def test_a_launcher_that_lost_its_lease_is_told_to_whom() -> None:
    """And whether that one has ended by now."""
    assert "taken over by `s3reclass run --phase restore` of ana" in str(LeaseLostError("job", LEASE))
    assert "which has ended" in str(LeaseLostError("job", replace(LEASE, released=True)))


def test_a_lease_holds_no_more_than_it_needs() -> None:
    """Nothing of the environment, of settings or of credentials gets into the state."""
    assert set(json.loads(LEASE.to_json())) == {
        *("version", "id", "turn", "lasts_s", "released"),
        *("host", "machine", "pid", "process", "user", "command", "since"),
    }


def test_a_lease_outlasts_some_renewals_that_fail() -> None:
    """Two renewals may fail, and their next tries too, before it isn't counted on any more."""
    assert 2 * RENEW_EVERY_S + 2 * RENEW_AGAIN_S < LASTS_S - SAFETY_S
