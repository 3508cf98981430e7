"""The tests' own way into the account in the box: objects put there and looked at, tasks counted. No code of ours."""

import json
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from hashlib import md5
from typing import Any
from urllib.parse import urlencode

import boto3

from tests.system.box import REGION

IN_FLIGHT = 8


@dataclass(frozen=True, kw_only=True, slots=True)
class Stored:
    """
    An object as S3 shows it, or as a test puts it there.

    headers: the content headers that it has, by HeadObject's names.
    """

    key: str
    body: bytes = field(default=b"x", compare=False)
    storage_class: str = "STANDARD"
    metadata: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=lambda: {"ContentType": "binary/octet-stream"})

    @property
    def etag(self) -> str:
        """S3's ETag of such a small object: the MD5 of its body."""
        return f'"{md5(self.body, usedforsecurity=False).hexdigest()}"'


CONTENT_HEADERS = ("CacheControl", "ContentDisposition", "ContentEncoding", "ContentLanguage", "ContentType")


class Account:
    """The account that an endpoint leads to, seen by its root user."""

    def __init__(self, endpoint: str) -> None:
        self._endpoint = endpoint
        self.s3 = self.client("s3")

    def client(self, service: str) -> Any:
        """A boto3 client of this account."""
        given: Any = {"endpoint_url": self._endpoint, "region_name": REGION}
        session = boto3.Session(aws_access_key_id="test", aws_secret_access_key="test")
        maker: Any = session.client
        return maker(service, **given)

    def new_user(self, name: str, policy: Mapping[str, Any]) -> dict[str, str]:
        """The credentials, as variables, of a new user who may do what the policy says."""
        iam = self.client("iam")
        iam.create_user(UserName=name)
        iam.put_user_policy(UserName=name, PolicyName=name, PolicyDocument=json.dumps(policy))
        key = iam.create_access_key(UserName=name)["AccessKey"]
        return {"AWS_ACCESS_KEY_ID": key["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"]}

    def client_of(self, user: Mapping[str, str], service: str) -> Any:
        """A boto3 client of a user with these credentials, as `new_user` gives them."""
        session = boto3.Session(user["AWS_ACCESS_KEY_ID"], user["AWS_SECRET_ACCESS_KEY"], region_name=REGION)
        maker: Any = session.client
        return maker(service, endpoint_url=self._endpoint)

    def make_bucket(self, name: str) -> None:
        """Make an empty bucket."""
        self.s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})

    def put(self, bucket: str, objects: Iterable[Stored]) -> None:
        """Put these objects, several at once."""

        def put_one(wanted: Stored) -> None:
            self.s3.put_object(
                Bucket=bucket,
                Key=wanted.key,
                Body=wanted.body,
                StorageClass=wanted.storage_class,
                Metadata=wanted.metadata,
                Tagging=urlencode(wanted.tags),
                **wanted.headers,
            )

        self._many(put_one, objects)

    def look(self, bucket: str, keys: Iterable[str]) -> Sequence[Stored]:
        """These objects as they are now, but for their bodies."""

        def look_at(key: str) -> Stored:
            head = self.s3.head_object(Bucket=bucket, Key=key)
            tags = self.s3.get_object_tagging(Bucket=bucket, Key=key)["TagSet"]
            return Stored(
                key=key,
                storage_class=head.get("StorageClass", "STANDARD"),
                metadata=head["Metadata"],
                tags={tag["Key"]: tag["Value"] for tag in tags},
                headers={name: head[name] for name in CONTENT_HEADERS if name in head},
            )

        return self._many(look_at, keys)

    def read(self, bucket: str, key: str) -> tuple[str, bytes]:
        """An object's ETag and body."""
        answer = self.s3.get_object(Bucket=bucket, Key=key)
        return answer["ETag"], answer["Body"].read()

    def names(self, bucket: str, prefix: str = "") -> Sequence[str]:
        """The first thousand keys of a bucket."""
        return [one["Key"] for one in self.s3.list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", ())]

    def allow(self, actions: Sequence[str], resources: Sequence[str]) -> dict[str, Any]:
        """A policy that allows these actions on these resources, and nothing else."""
        statement = {"Effect": "Allow", "Action": list(actions), "Resource": list(resources)}
        return {"Version": "2012-10-17", "Statement": [statement]}

    def tasks(self) -> Sequence[Mapping[str, Any]]:
        """Every task that ECS was ever asked for here, as DescribeTasks tells, its tags as a mapping."""
        ecs = self.client("ecs")
        found: list[Mapping[str, Any]] = []
        for cluster in ecs.list_clusters()["clusterArns"]:
            for desired in ("RUNNING", "STOPPED"):
                arns = ecs.list_tasks(cluster=cluster, desiredStatus=desired)["taskArns"]
                if arns:
                    found += ecs.describe_tasks(cluster=cluster, tasks=arns, include=["TAGS"])["tasks"]
        return [{**task, "tags": {tag["key"]: tag["value"] for tag in task["tags"]}} for task in found]

    @staticmethod
    def _many(function: Any, items: Iterable[Any]) -> list[Any]:
        with ThreadPoolExecutor(IN_FLIGHT) as pool:
            return list(pool.map(function, items))
