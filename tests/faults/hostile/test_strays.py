"""An answer too many, which comes while its connection isn't in use: it is nobody's, the next key's least of all."""

from pathlib import Path

import pytest

from tests.conftest import SITUATIONS
from tests.faults.bench import S3_CLIENTS
from tests.faults.hostile.bench import SHARED, Hostile, Record, believed, run
from tests.faults.hostile.extras import extras
from tests.faults.hostile.situations import ALWAYS, ARCHIVED, WORKS, Situation, Work
from worker.contract import Outcome

SLOWLY = ("--threads", "1", "--rate", "0.05")
"""Twenty requests a second by the world's clock: what comes late comes long before the next request."""

PAIRS = 2


@pytest.mark.parametrize("s3_client", S3_CLIENTS)
@pytest.mark.parametrize(
    ("work", "after"), [(WORKS[1], "HeadObject"), (WORKS[1], "CopyObject"), (WORKS[0], "RestoreObject")]
)
def test_a_late_answer_is_nobodys(
    work: Work, after: str, s3_client: str, tmp_path: Path, record_property: Record
) -> None:
    """Keys that are refused are denied, though an answer that would be good news for them came before."""
    kind = ARCHIVED if work is WORKS[0] else "plain"
    asked = "RestoreObject" if work is WORKS[0] else "CopyObject"
    version = Hostile([Situation(kind=kind)]).truth.s3.find(SHARED, "0000")
    strays = [one for one in extras(version) if one.late]
    pairs = [
        (Situation(operation=after, twists=(stray,), times=ALWAYS, kind=kind), Situation(refused=asked, kind=kind))
        for stray in strays
        for _ in range(PAIRS if stray.name.endswith("0.5 ms") else 1)
    ]
    hostile = Hostile([one for pair in pairs for one in pair])
    record_property(SITUATIONS, len(pairs))

    ended, _ = run(work, s3_client, hostile, tmp_path, 1, *SLOWLY)

    assert believed(hostile, ended) == {}
    refused = [key for key, one in hostile.situations.items() if one.refused]
    assert {ended.rows[key].outcome for key in refused} == {Outcome.DENIED}
