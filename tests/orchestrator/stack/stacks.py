"""A stack to be made, updated or refused, in an account of one bucket and two subnets."""

from orchestrator.common.clock import Clock
from orchestrator.model import Resources
from orchestrator.settings.settings import Settings
from orchestrator.stack.cloudformation import CloudFormation
from orchestrator.stack.ensure import Account, ensure_stack
from orchestrator.stack.parameters import TEMPLATE_VERSION, Network
from tests.orchestrator.stack.fake_cloudformation import FakeCloudFormation

SETTINGS = Settings(bucket="my-bucket")
READY = {
    "TemplateVersion": str(TEMPLATE_VERSION),
    "BucketArns": "arn:aws:s3:::my-bucket",
    "ObjectArns": "arn:aws:s3:::my-bucket/*",
    "StateArns": "",
    "BucketOwners": "",
    "KmsKeyArns": "",
    "VpcId": "vpc-1",
    "SubnetIds": "subnet-1,subnet-2",
    "MakeTaskRole": "true",
    "MakeExecutionRole": "true",
    "DeleteSuperseded": "false",
    "RepositoryName": "",
    "LogGroupName": "",
    "StateRetentionDays": "90",
}


class World:
    """A CloudFormation, an EC2 and an S3 that note what they are asked, and a clock that doesn't tick."""

    def __init__(self, status: str = "", parameters: dict[str, str] | None = None) -> None:
        self.service = FakeCloudFormation(status, parameters)
        self.said: list[str] = []
        self.looked_at: list[str] = []
        self.networks: list[tuple[str, ...]] = []

    @property
    def stack(self) -> CloudFormation:
        """CloudFormation for the stack."""
        clock = Clock(monotonic=lambda: 0.0, sleep=lambda _: None)
        return CloudFormation("s3reclass", cloudformation=self.service, clock=clock)

    def ensure(
        self,
        settings: Settings = SETTINGS,
        *,
        buckets: tuple[str, ...] = (),
        delete_superseded: bool | None = None,
        look_again: bool = False,
    ) -> Resources:
        """`ensure_stack` in this world."""

        def network(subnets: tuple[str, ...]) -> Network:
            self.networks.append(subnets)
            return Network(vpc_id="vpc-1", subnets=subnets or ("subnet-1", "subnet-2"))

        return ensure_stack(
            settings,
            say=self.said.append,
            buckets=buckets,
            delete_superseded=delete_superseded,
            look_again=look_again,
            cloudformation=self.stack,
            account=Account(probe_bucket=self.looked_at.append, network=network),
        )

    @property
    def changes(self) -> list[str]:
        """The operations that changed something."""
        return [operation for operation, _ in self.service.calls]
