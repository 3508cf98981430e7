"""Settings: where they come from, and what each takes."""

import re
from typing import Any

import pytest
from botocore.session import Session

from orchestrator.errors import UsageError
from orchestrator.settings.checks import NO_TARGETS
from orchestrator.settings.settings import FargateSettings, Settings
from orchestrator.settings.settings_file import load_settings
from worker.contract import STORAGE_CLASSES

TOML = """
bucket = "from-file"
storage_class = "STANDARD_IA"
lots = "cut"
[restore]
days = 3
tier = "standard"
[run]
max_tasks = 9
rate = 12.5
[fargate]
cpu = 1024
memory = 2048
spot = true
subnets = ["subnet-1", "subnet-2"]
[fargate.environment]
AWS_ENDPOINT_URL = "http://127.0.0.1:4566"
[stack]
name = "mine"
"""


def load(toml: str = "", environ: dict[str, str] | None = None, **flags: Any) -> Settings:
    """The settings of these sources."""
    return load_settings(flags=flags, environ=environ or {}, toml=toml)


def test_defaults_without_any_source() -> None:
    """Nothing named: the documented defaults."""
    assert load() == Settings()
    assert (load().days, load().tier, load().place, load().lots, load().stack) == (
        7,
        "Bulk",
        "fargate",
        "lots",
        "s3reclass",
    )


def test_the_file_names_every_setting() -> None:
    """Each line of the file arrives, words in their proper case."""
    assert load(TOML) == Settings(
        bucket="from-file",
        storage_class="STANDARD_IA",
        lots="cut",
        days=3,
        tier="Standard",
        max_tasks=9,
        rate=12.5,
        stack="mine",
        fargate=FargateSettings(
            cpu=1024,
            memory=2048,
            spot=True,
            subnets=("subnet-1", "subnet-2"),
            environment={"AWS_ENDPOINT_URL": "http://127.0.0.1:4566"},
        ),
    )


def test_flags_beat_variables_beat_the_file() -> None:
    """The nearer source wins, setting by setting."""
    environ = {"S3RECLASS_BUCKET": "from-environ", "S3RECLASS_DAYS": "5", "S3RECLASS_TIER": ""}

    settings = load(TOML, environ, bucket="from-flag", days=None)

    assert (settings.bucket, settings.days, settings.tier) == ("from-flag", 5, "Standard")


@pytest.mark.parametrize(
    ("spot", "toml", "flag"), [(True, "false", True), (False, "true", False), (True, "true", None)]
)
def test_a_flag_beats_what_the_file_says_of_fargate(*, spot: bool, toml: str, flag: bool | None) -> None:
    """`--spot` and `--no-spot`; and what else stands in the table stays."""
    settings = load(f"[fargate]\ncpu = 256\nspot = {toml}", spot=flag, spot_interruptions="5")

    assert settings.fargate == FargateSettings(cpu=256, spot=spot, spot_interruptions=5)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ({"storage_class": "STANDARD_AI"}, "--storage-class: 'STANDARD_AI' is unknown: did you mean STANDARD_IA?"),
        ({"storage_class": "reduced_redundancy"}, "'reduced_redundancy' can't be a target: AWS advises against it"),
        ({"storage_class": "EXPRESS_ONEZONE"}, "'EXPRESS_ONEZONE' can't be a target: it is the class of directory bu"),
        ({"bucket_owner": "12345"}, "--bucket-owner: '12345' is no account"),
        ({"bucket_owner": "１２３４５６７８９０１２"}, "is no account: it takes an AWS account's 12 digits"),  # noqa: RUF001 (digits of another script)
        ({"request_payer": "me"}, "--request-payer: 'me' is unknown"),
        ({"storage_class": "COLD"}, "'COLD' is unknown: it takes one of STANDARD, "),
        ({"tier": "fast"}, "--tier: 'fast' is unknown"),
        ({"place": "lambda"}, "--place: 'lambda' is unknown"),
        ({"days": "0"}, "--days: 0 is out of range: it takes 1 to 36500"),
        ({"days": "soon"}, "--days: 'soon' is no whole number"),
        ({"rate": "-1"}, "--rate: -1 is out of range"),
        ({"rate": "nan"}, "--rate: nan is out of range"),
        ({"state": "gs://bucket/x"}, "--state: 'gs://bucket/x' is no state"),
        ({"state": "s3://"}, "--state: 's3://' is no state"),
        ({"toml": "bukcet = 'x'"}, "s3reclass.toml: bukcet is no setting: did you mean bucket?"),
        ({"toml": "bucket = 3"}, "s3reclass.toml: bucket: takes a string"),
        ({"toml": "[fargate]\ncpu = 'big'"}, "s3reclass.toml: fargate.cpu takes a whole number"),
        ({"toml": "[fargate]\nsubnets = 'subnet-1'"}, "fargate.subnets takes a list of strings"),
        ({"toml": "[fargate]\nspot = 1"}, "fargate.spot takes true or false"),
        ({"toml": "[fargate]\nspot_interruptions = -1"}, "fargate.spot_interruptions: -1 is out of range"),
        ({"spot_interruptions": "never"}, "--spot-interruptions: 'never' is no whole number"),
        ({"toml": "[fargate.environment]\nA = 1"}, "fargate.environment takes a table of strings"),
        ({"toml": "[restore]\ndays = 2.5"}, "s3reclass.toml: restore.days: takes a whole number"),
        ({"toml": "bucket"}, "s3reclass.toml isn't TOML"),
        ({"environ": {"S3RECLASS_MAX_TASKS": "many"}}, "S3RECLASS_MAX_TASKS: 'many' is no whole number"),
    ],
)
def test_a_value_that_cant_be_taken_is_named_with_its_place(source: dict[str, Any], message: str) -> None:
    """The message says which flag, variable or line, and what it takes."""
    with pytest.raises(UsageError) as caught:
        load(**source)

    assert message in str(caught.value)
    assert caught.value.exit_code == 2


def test_a_missing_bucket_or_class_is_asked_for() -> None:
    """What has no default is asked for by a clear error."""
    with pytest.raises(UsageError, match="no bucket is named: run `s3reclass init --bucket NAME`"):
        load().require_bucket()
    with pytest.raises(UsageError, match="no target class is named: give --storage-class"):
        load().require_storage_class()
    assert load(bucket="b", storage_class="glacier_ir").require_storage_class() == "GLACIER_IR"


@pytest.mark.parametrize("name", sorted(NO_TARGETS))
def test_a_class_that_makes_no_sense_is_refused_with_its_reason(name: str) -> None:
    """Each class of S3's that no object of an ordinary bucket should be moved into."""
    with pytest.raises(UsageError, match=re.escape(f"can't be a target: {NO_TARGETS[name]}; it takes one of STANDARD")):
        load(storage_class=name)


def test_every_class_of_s3_is_a_target_or_has_a_reason() -> None:
    """A class that botocore learns must be decided on."""
    shape: Any = Session().get_service_model("s3").shape_for("StorageClass")

    assert sorted(shape.enum) == sorted({*STORAGE_CLASSES, *NO_TARGETS})


def test_requests_carry_payer_and_owner_only_when_named() -> None:
    """Nothing is added to requests unasked."""
    named = load('bucket_owner = "123456789012"', {"S3RECLASS_REQUEST_PAYER": "Requester"})

    assert load().request_arguments() == {}
    assert named.request_arguments() == {"RequestPayer": "requester", "ExpectedBucketOwner": "123456789012"}
