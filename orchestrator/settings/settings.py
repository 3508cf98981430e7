"""
The settings, each once: name, default, explanation, check, flag and place in s3reclass.toml. Pure.

AWS credentials, Region, profile and endpoint are boto3's own business and never settings of ours.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from orchestrator.errors import UsageError
from orchestrator.settings.checks import (
    MOST_NUMBER,
    account_id,
    as_is,
    one_of,
    request_rate,
    state_uri,
    target_class,
    whole_number,
)
from orchestrator.settings.declare import setting, settings_in
from worker.contract import REQUESTER, S3_CLIENTS, STORAGE_CLASSES, TIERS

FILE_NAME = "s3reclass.toml"
PLACES = ("fargate", "local")
MAX_DAYS = 36_500
"""Days that a restored copy may stay."""


@dataclass(frozen=True, kw_only=True, slots=True)
class FargateSettings:
    """How tasks run on Fargate; what is "" or empty comes from the stack."""

    cpu: int = setting(
        512,
        "A task's CPU units (1024 are one vCPU) and MiB of memory, in a pair that Fargate takes.",
        whole_number(1, MOST_NUMBER),
    )
    memory: int = setting(1024, check=whole_number(1, MOST_NUMBER))
    spot: bool = setting(
        False,  # noqa: FBT003 (the default stands first)
        "Fargate: run on Spot capacity, which costs less. A lot that is interrupted goes on in another task.",
        bool,
        flag="--spot/--no-spot",
    )
    spot_interruptions: int = setting(
        3,
        "Interruptions after which a lot leaves Spot for on-demand capacity; 0: never.",
        whole_number(0, 1_000),
        flag="--spot-interruptions N",
    )
    cluster: str = setting("", "Parts of your own in place of the stack's. \"\" and []: the stack's.")
    subnets: tuple[str, ...] = setting((), check=as_is)
    security_groups: tuple[str, ...] = setting((), check=as_is)
    task_role_arn: str = setting("")
    execution_role_arn: str = setting("")
    repository: str = setting("")
    log_group: str = setting("")
    assign_public_ip: bool = setting(
        True,  # noqa: FBT003 (the default stands first)
        "A public subnet needs it to reach S3 and ECR; a private one needs NAT or endpoints instead.",
        bool,
    )
    environment: Mapping[str, str] = setting(
        {},
        "Variables for the worker's container (an endpoint, say). Never secrets: anyone with ECS reads them.",
        as_is,
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings:
    """Every setting. None stands for a default that the place, the phase or the worker knows."""

    bucket: str = setting("", "The bucket that holds the objects.", flag="--bucket NAME", example="my-bucket")
    storage_class: str = setting(
        "",
        f"The class to move the objects into: {', '.join(STORAGE_CLASSES)}.",
        target_class,
        flag="--storage-class CLASS",
        example="STANDARD_IA",
    )
    place: str = setting(
        PLACES[0],
        f"Where tasks run: {' or '.join(PLACES)} (worker processes on this machine).",
        one_of(PLACES, str.lower),
        flag="--place PLACE",
    )
    state: str = setting(
        "",
        "Where the job's state is kept: s3://bucket/prefix or, for local jobs, a directory. "
        "Default: the stack's state bucket on fargate, .s3reclass/ locally.",
        state_uri,
        flag="--state URI",
    )
    request_payer: str = setting(
        "",
        "For a Requester Pays bucket of another account: you pay for the requests and the data.",
        one_of((REQUESTER,), str.lower),
        flag=f"--request-payer {REQUESTER}",
        example=REQUESTER,
    )
    bucket_owner: str = setting(
        "",
        "The account that must own the bucket, else nothing is done.",
        account_id,
        flag="--bucket-owner ACCOUNT",
        example="123456789012",
    )
    lots: str = setting("lots", "The folder of lots, as `s3reclass split` writes it.", flag="--lots-dir DIR")
    days: int = setting(
        7,
        "Days that a restored copy stays; the clock starts when the restore is asked for.",
        whole_number(1, MAX_DAYS),
        flag="--days N",
        path="restore.days",
    )
    tier: str = setting(
        TIERS[0],
        f"Retrieval tier, the slowest and cheapest first: {', '.join(TIERS)}.",
        one_of(TIERS, str.capitalize),
        flag="--tier TIER",
        path="restore.tier",
    )
    max_tasks: int | None = setting(
        None,
        "Tasks to run at once. Default: the place's own (locally, one for each core).",
        whole_number(1, 5_000),
        flag="--max-tasks N",
        path="run.max_tasks",
        example=20,
    )
    rate: float | None = setting(
        None,
        "Requests a second for the whole job; 0: no limit. Default: the phase's own.",
        request_rate,
        flag="--rate R",
        path="run.rate",
        example=900,
    )
    threads: int | None = setting(
        None,
        "Requests that each task keeps in flight. Default: as many as make it faster.",
        whole_number(1, 1_000),
        flag="--threads T",
        path="run.threads",
        example=32,
    )
    s3_client: str = setting(
        S3_CLIENTS[0],
        "How workers talk to S3: fast, or boto3 for everything, which is several times slower.",
        one_of(S3_CLIENTS, str.lower),
        flag="--s3-client CLIENT",
        path="run.s3_client",
    )
    fargate: FargateSettings = field(default_factory=FargateSettings)
    stack: str = setting(
        "s3reclass", "The CloudFormation stack that `s3reclass up` makes.", flag="--stack NAME", path="stack.name"
    )

    def require_bucket(self) -> str:
        """The bucket's name. Raises UsageError when none is named."""
        if not self.bucket:
            raise UsageError(
                "no bucket is named: run `s3reclass init --bucket NAME`, or give --bucket or S3RECLASS_BUCKET"
            )
        return self.bucket

    def request_arguments(self) -> dict[str, str]:
        """What each request for an object or a listing carries beside what it is for, by AWS's names."""
        given = {"RequestPayer": self.request_payer, "ExpectedBucketOwner": self.bucket_owner}
        return {name: value for name, value in given.items() if value}

    def require_storage_class(self) -> str:
        """The target storage class. Raises UsageError when none is named."""
        if not self.storage_class:
            raise UsageError(
                "no target class is named: give --storage-class (STANDARD_IA, say), S3RECLASS_STORAGE_CLASS, "
                f"or storage_class in {FILE_NAME}"
            )
        return self.storage_class


SETTINGS = {one.name: one for one in settings_in(Settings())}
"""Each setting by the name of its field, in the order of the file that `init` writes; each table's stand together."""
