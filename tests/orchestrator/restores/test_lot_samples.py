"""Looking at samples of lots: by HEADs or by a page of a listing, whichever is cheaper."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from orchestrator.errors import S3ReclassError
from orchestrator.model import Lot
from orchestrator.objects.listing_csv import ListedRestore
from orchestrator.restores.judge_readiness import Verdict, judge_sample
from orchestrator.restores.lot_samples import LotSamples, ProbeSources
from orchestrator.run.job import Job
from tests.orchestrator.restores.restoring import NEVER, Restores
from tests.orchestrator.run.worlds import ScriptedPlace, WorldClock, job_state, lot_bytes, lots_of
from worker.contract import LotEntry, Phase

KEYS = 2_000


def sorted_entries(lot: Lot, places: Sequence[int]) -> Sequence[LotEntry]:
    """A lot in the bucket's order: each key is the next one of the listing."""
    return [LotEntry(bucket="bucket", key=f"{lot.name}/{place:06d}") for place in places]


def shuffled_entries(lot: Lot, places: Sequence[int]) -> Sequence[LotEntry]:
    """A lot in another order than the bucket's."""
    return [LotEntry(bucket="bucket", key=f"{lot.name}/{KEYS - place:06d}") for place in places]


class Bucket:
    """A bucket of sorted keys, all archived, and a job of so many lots of them."""

    def __init__(self, root: Path, lots: int, ready_at: Callable[[LotEntry], float]) -> None:
        """Make the bucket."""
        self.restores = Restores(WorldClock(seconds=1), ready_at, keys=KEYS, lists=True)
        cut = lots_of(lots, KEYS)
        place = ScriptedPlace(root, self.restores.fate)
        self.job = Job(lots=cut, state=job_state(root, cut), place=place, read_lot=lot_bytes)
        self.idle = self.job.state.lot_statuses(cut, Phase.COPY)

    def samples(
        self,
        entries: Callable[[Lot, Sequence[int]], Sequence[LotEntry]] = sorted_entries,
        page: Callable[[str, str], Sequence[ListedRestore]] | None = None,
    ) -> LotSamples:
        """The lots' samples, with this order of keys and this listing."""
        sources: ProbeSources = replace(self.restores.sources(self.job), entries=entries, page=page or self.page)
        return LotSamples(sources, target="STANDARD_IA", clock=self.restores.clock.clock())

    def page(self, bucket: str, after: str) -> Sequence[ListedRestore]:
        """1,000 keys behind this one."""
        self.restores.pages += 1
        lot, _, number = after.partition("/")
        keys = (f"{lot}/{place:06d}" for place in range(int(number) + 1, int(number) + 1_001))
        entries = (LotEntry(bucket=bucket, key=key) for key in keys)
        return [
            ListedRestore(key=one.key, storage_class="GLACIER", ongoing=not self.restores.is_ready(one))
            for one in entries
        ]

    def verdicts(self, samples: LotSamples) -> list[Verdict]:
        """What a look at all of them says."""
        samples.look(self.idle)
        return [judge_sample(samples[one.lot.name]) for one in self.idle]


def test_a_lot_in_the_buckets_order_is_listed(tmp_path: Path) -> None:
    """Two HEADs that might say no, then one page for all of the rest."""
    bucket = Bucket(tmp_path, 3, lambda _: 0)

    assert bucket.verdicts(bucket.samples()) == [Verdict.START] * 3
    assert (len(bucket.restores.heads), bucket.restores.pages) == (6, 3)


def test_lots_that_are_not_ready_are_never_listed(tmp_path: Path) -> None:
    """HEADs of two keys each say so for less."""
    bucket = Bucket(tmp_path, 3, lambda _: NEVER)

    assert bucket.verdicts(bucket.samples()) == [Verdict.WAIT] * 3
    assert (len(bucket.restores.heads), bucket.restores.pages) == (6, 0)


def test_a_page_shows_what_a_sample_may_miss(tmp_path: Path) -> None:
    """A stretch of keys that aren't ready holds the lot up, and is listed again at the next look."""
    bucket = Bucket(tmp_path, 1, lambda entry: 500 if 800 < int(entry.key[10:]) < 1_200 else 0)
    samples = bucket.samples()

    assert bucket.verdicts(samples) == [Verdict.WAIT]
    bucket.restores.clock.seconds = 501
    assert bucket.verdicts(samples) == [Verdict.START]


def test_a_lot_in_another_order_is_not_listed(tmp_path: Path) -> None:
    """A page would hold few of its keys."""
    bucket = Bucket(tmp_path, 2, lambda _: 0)

    assert bucket.verdicts(bucket.samples(shuffled_entries)) == [Verdict.START] * 2
    assert (len(bucket.restores.heads), bucket.restores.pages) == (32, 0)


def nothing(_bucket: str, _after: str) -> Sequence[ListedRestore]:
    """A page on which none of the lot's keys is: it is a thin part of the bucket."""
    return [ListedRestore(key="stranger", storage_class="GLACIER", ongoing=True)]


def silent(_bucket: str, after: str) -> Sequence[ListedRestore]:
    """A page of an S3 that says nothing of restores."""
    return [ListedRestore(key=f"{after}+", storage_class="GLACIER")]


def denied(_bucket: str, _after: str) -> Sequence[ListedRestore]:
    """No page: the bucket may not be listed."""
    raise S3ReclassError("AccessDenied")


@pytest.mark.parametrize("page", [nothing, silent, denied])
def test_a_listing_that_is_of_no_use_is_tried_once(
    tmp_path: Path, page: Callable[[str, str], Sequence[ListedRestore]]
) -> None:
    """HEADs take its place, at once and from then on."""
    bucket = Bucket(tmp_path, 3, lambda _: 0)
    pages: list[str] = []

    def counted(of: str, after: str) -> Sequence[ListedRestore]:
        pages.append(after)
        return page(of, after)

    assert bucket.verdicts(bucket.samples(page=counted)) == [Verdict.START] * 3
    assert (len(bucket.restores.heads), len(pages)) == (48, 1)
