"""Every kind of object, copied on both paths by the worker against S3 as its documentation has it."""

import pytest

from tests.fidelity.bench import PATHS, Told, copy_all, documented_world
from tests.fidelity.holding import lacks
from tests.fidelity.kind import TARGET, Kind
from tests.fidelity.kinds import KINDS
from tests.fidelity.photograph import changes
from worker.contract import S3_CLIENTS, Outcome

Results = dict[str, dict[str, Told]]


@pytest.fixture(scope="module", params=S3_CLIENTS)
def results(
    request: pytest.FixtureRequest, module_settings: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> Results:
    """What became of each kind, by path, in one of the clients: one run of the worker for each."""
    # To AWS itself, as far as botocore and the worker know: nothing is ever sent.
    module_settings.delenv("AWS_ENDPOINT_URL", raising=False)
    s3_client = ("--s3-client", request.param)
    return {
        path: copy_all(documented_world(), KINDS, path, tmp_path_factory.mktemp(path), *s3_client) for path in PATHS
    }


def name_of(kind: Kind) -> str:
    """The kind's name, for a test's id."""
    return kind.name.replace(" ", "-")


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("kind", KINDS, ids=name_of)
def test_no_object_is_harmed(kind: Kind, path: str, results: Results) -> None:
    """It ends as the table says; copied, it is in its new class and otherwise what it was; refused, it is untouched."""
    told = results[path][kind.name]

    assert (kind.expected(path), []) == (told.row.outcome, list(changes(told.before, told.after))), told.row.message
    if kind.expected(path) is Outcome.COPIED:
        assert told.after.head["StorageClass"] == TARGET
        assert told.row.new_version_id == told.after.head.get("VersionId", "")
        assert told.before.write != told.after.write
    else:
        assert told.before.write == told.after.write
        assert told.row.message


@pytest.mark.parametrize("kind", KINDS, ids=name_of)
def test_each_kind_is_what_its_name_says(kind: Kind, results: Results) -> None:
    """The object had, before the copy, everything that the table wants it to have."""
    assert list(lacks(kind, results["single"][kind.name].before)) == []
