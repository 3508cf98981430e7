"""
An AWS on one loopback port: ministack, corrected where it departs from AWS and the tests would see it.

Run in ministack's own virtual environment (`box.py` makes it), never imported by a test:

    GATEWAY_PORT=4570 AUTH=true hypercorn --workers 0 --bind 127.0.0.1:4570 aws_in_a_box:app

Tasks are real containers on the Docker engine, ECR is a real registry, IAM policies are enforced.
What still differs: no throttling, no Spot interruption; StopTask reports exit code 0; RestoreObject and
listings know no versions and no RestoreStatus; INTELLIGENT_TIERING has no archive tiers.
"""
# ruff: noqa: SLF001  (ministack has no public seams: system.in pins the version that this was written for)

import json
import os
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import wraps
from http import HTTPStatus
from importlib import import_module
from typing import Any
from urllib.parse import unquote

from docker.errors import NotFound
from requests import RequestException

# ministack isn't installed where mypy looks.
ministack: Any = import_module("ministack.app")
ecr: Any = import_module("ministack.services.ecr")
ecs: Any = import_module("ministack.services.ecs")
iam_actions: Any = import_module("ministack.core.iam_actions")
imds: Any = import_module("ministack.services.imds")
responses: Any = import_module("ministack.core.responses")
s3: Any = import_module("ministack.services.s3")
sts: Any = import_module("ministack.services.sts")

REGISTRY = f"127.0.0.1:{os.environ['GATEWAY_PORT']}"
ENDPOINT = f"http://{REGISTRY}"

app = ministack.app
"""What hypercorn serves."""


def corrects(module: Any, name: str) -> Callable[[Callable[..., Any]], None]:
    """Put the decorated function in the place of `module.name`; it gets the one it replaces as its first argument."""

    def replace(better: Callable[..., Any]) -> None:
        stock = getattr(module, name)

        @wraps(stock)
        def instead(*arguments: Any, **named: Any) -> Any:
            return better(stock, *arguments, **named)

        setattr(module, name, instead)

    return replace


# S3: what is archived can be copied only once it is restored, and only what is archived can be restored.


@corrects(s3, "_check_copy_source_preconditions")
def _refuse_archived_source(stock: Any, headers: Mapping[str, str], source: Mapping[str, Any]) -> Any:
    """CopyObject and UploadPartCopy of an archived object that isn't restored: 403 InvalidObjectState."""
    bucket, _, key = unquote(headers["x-amz-copy-source"].lstrip("/").partition("?")[0]).partition("/")
    current = s3._buckets[bucket]["objects"].get(key) or {}
    # A version's own entry carries no restore: it is kept with the object, for its current version.
    restored = current.get("version_id") == source.get("version_id") and s3._sync_restore(bucket, key, current)
    if source["storage_class"] in s3._ARCHIVE_STORAGE_CLASSES and restored != "restored":
        return s3._invalid_object_state(bucket, key, source["storage_class"])
    return stock(headers, source)


@corrects(s3, "_resolve_storage_class")
def _standard_unless_told(stock: Any, headers: Mapping[str, str], default: str = "STANDARD") -> Any:  # noqa: ARG001 (the source's class)
    """A copy that names no class makes a STANDARD object, whatever its source was."""
    return stock(headers)


@corrects(s3, "_restore_object")
def _restore(stock: Any, bucket: str, key: str, body: bytes) -> Any:
    """
    Restoring what isn't archived, or a DEEP_ARCHIVE object in minutes, is refused in S3's own words.

    A Bulk restore is ready after ministack's 2 seconds; a Standard one takes an hour, so that a test
    finds it in progress however slow its machine is.
    """
    held = (s3._ensure_bucket(bucket) or {"objects": {}})["objects"].get(key)
    storage_class = held and (held.get("storage_class") or "STANDARD")
    where = f"/{bucket}/{key}"
    if storage_class and storage_class not in s3._ARCHIVE_STORAGE_CLASSES:
        words = "Restore is not allowed for the object's current storage class"
        return s3._error("InvalidObjectState", words, 403, where)
    if storage_class == "DEEP_ARCHIVE" and b">Expedited<" in body:
        words = "Retrieval option is not supported by this storage class"
        return s3._error("InvalidArgument", words, 400, where)
    answer = stock(bucket, key, body)
    if held and answer[0] == HTTPStatus.ACCEPTED and b">Standard<" in body:
        held["restore"]["available_at"] += 3600
    return answer


# No sleeping thread for each restored object: how far its restore is, is told from the clock at every look.
s3._schedule_restore_completed = s3._schedule_restore_expiry = lambda *_: None


# IAM: policies that demand TLS are in force, and loopback counts as TLS.


@corrects(ministack, "pin_request_origin")
def _loopback_is_secure(stock: Any, address: str, secure: bool) -> None:  # noqa: ARG001, FBT001 (the stock one's own)
    """A request over loopback is as safe as one over TLS: `aws:SecureTransport` is true."""
    stock(address, secure_transport=True)


# Requests' condition keys and resources that policies here name, and ministack doesn't tell.


@corrects(iam_actions, "s3_service_context")
def _conditional_write(stock: Any, action: str, query: Any, path: str = "", headers: Any = None) -> Any:
    """`s3:if-none-match` is there when the request has that header."""
    found = (headers or {}).get("if-none-match")
    return stock(action, query, path, headers) | ({"s3:if-none-match": found} if found else {})


@corrects(iam_actions, "request_tag_context")
def _cluster(stock: Any, service: str, action: str, body: bytes, *rest: Any) -> Any:
    """`ecs:cluster` is the ARN of the cluster that the request names."""
    cluster = iam_actions._safe_json_field(body, "cluster") if service == "ecs" else ""
    return stock(service, action, body, *rest) | ({"ecs:cluster": _ecs_arn("cluster", cluster)} if cluster else {})


@corrects(iam_actions, "extract_resource_arn")
def _ecs_resource(stock: Any, service: str, method: str, path: str, headers: Any, body: bytes, *rest: Any) -> Any:
    """RunTask is checked on the task definition, StopTask and DescribeTasks on the task, ListTasks on nothing named."""
    action = str(headers.get("x-amz-target", "")).rpartition(".")[2]
    if service != "ecs" or action not in {"RunTask", "StopTask", "DescribeTasks", "ListTasks"}:
        return stock(service, method, path, headers, body, *rest)
    asked = json.loads(body)
    if action == "RunTask":
        return _ecs_arn("task-definition", asked["taskDefinition"])
    tasks = [asked["task"]] if action == "StopTask" else asked.get("tasks", [])
    return _ecs_arn("task", tasks[0]) if tasks else "*"


def _ecs_arn(kind: str, name: str) -> str:
    """An ARN is given as it is, a name made one."""
    where = f"arn:aws:ecs:{responses.get_region()}:{responses.get_account_id()}"
    return name if name.startswith("arn:") else f"{where}:{kind}/{name}"


# ECR: repository URIs lead to this server, which Docker trusts without TLS since it is on 127.0.0.0/8.


@corrects(ecr, "_repo_uri")
def _repository_uri(_: Any, name: str) -> str:
    return f"{REGISTRY}/{name}"


@corrects(ecr, "reset")
def _keep_layers(stock: Any) -> None:
    """An emptied account keeps layers that no repository shows: the base image is sent once, not once a test."""
    layers, ecr._layer_blobs = ecr._layer_blobs, {}
    stock()
    ecr._layer_blobs = layers


# ECS: a client token starts one task; a task has its role's credentials, its memory and no more, and a way here.

_answered: dict[str, tuple[Mapping[str, Any], Any]] = {}
"""RunTask's requests and answers by client token."""


def _run_task_once(data: Mapping[str, Any]) -> Any:
    """RunTask that knows its client tokens: the same one again starts nothing more, changed parameters are refused."""
    token = data.get("clientToken")
    if token is None:
        return ecs._run_task(data)
    if token not in _answered:
        _answered[token] = (data, ecs._run_task(data))
    asked, answer = _answered[token]
    if asked != data:
        words = "The request's clientToken was used before with other parameters"
        return responses.error_response_json("ConflictException", words, 400)
    return answer


ecs._ACTION_MAP["RunTask"] = _run_task_once


@corrects(ecs, "reset")
def _forget(stock: Any) -> None:
    """An emptied account knows no client token either."""
    stock()
    _answered.clear()


_roles: dict[str, tuple[str, str]] = {}
"""Each running task's role and own ARN, by the path that its credentials are asked for at."""


@corrects(ecs, "_register_metadata")
def _environment(stock: Any, *described: Any) -> Any:
    """A container's variables on Fargate, with the endpoint of this server among them."""
    task, _, definition, _, _, environment, *_ = described
    token = stock(*described[:6], True, None)  # noqa: FBT003 (on the host's network)
    region = responses.get_region()
    environment |= {"AWS_REGION": region, "AWS_DEFAULT_REGION": region, "AWS_EXECUTION_ENV": "AWS_ECS_FARGATE"}
    if definition.get("taskRoleArn"):
        path = environment["AWS_CONTAINER_CREDENTIALS_FULL_URI"].removeprefix(ENDPOINT)
        _roles[path] = (definition["taskRoleArn"], task)
    return token


@corrects(imds, "handle_request")
async def _task_credentials(stock: Any, method: str, path: str, *rest: Any) -> Any:
    """The credentials of a task: a session of the role that its definition names."""
    if path not in _roles:
        return await stock(method, path, *rest)
    role, task = _roles[path]
    account, name, session = role.split(":")[4], role.rsplit("/", 1)[-1], task.rsplit("/", 1)[-1]
    secret = {"SecretAccessKey": sts._gen_secret()}
    key, token, lasts_s = sts._gen_session_access_key(), sts._gen_session_token(), 3600
    sts.register_session(
        key,
        {
            **secret,
            "Arn": f"arn:aws:sts::{account}:assumed-role/{name}/{session}",
            "UserId": f"{sts._role_id(role)}:{session}",
            "SessionToken": token,
            "Expiration": time.time() + lasts_s,
            "AccountId": account,
            "PrincipalType": "AssumedRole",
        },
    )
    return imds._json_resp(
        {**secret, "AccessKeyId": key, "Token": token, "Expiration": imds._future(lasts_s), "RoleArn": role}
    )


@corrects(ecs, "_build_run_kwargs")
def _container(stock: Any, container: Mapping[str, Any], definition: Mapping[str, Any], *rest: Any) -> Any:
    """
    How Docker runs a container: as the task definition says, and on the host's network, where 127.0.0.1 is this server.

    Without `platform`: ministack would answer every failed start with a second one under the same name,
    and tell of the name instead of the failure.
    """
    environment, _, network, _, *identity = rest
    told = stock(container, definition, environment, None, network, True, *identity)  # noqa: FBT003 (on the host's)
    told.pop("platform", None)
    return told | {
        "mem_limit": f"{definition['memory']}m",
        "read_only": bool(container.get("readonlyRootFilesystem")),
        "user": container.get("user"),
        "cap_drop": container.get("linuxParameters", {}).get("capabilities", {}).get("drop"),
    }


@corrects(ecs, "_watch_task_lifecycle")
def _wait_for_exit(_: Any, task: Mapping[str, Any], engine: Any, *__: Any) -> None:
    """Wait for a task's containers: asking for each ten times a second, 20 tasks would keep a core busy with that."""
    while ecs._task_is_active(task["taskArn"], task):
        for container in task["_docker_ids"]:
            with suppress(NotFound, RequestException):  # removed by StopTask; still running after the client's timeout
                engine.api.wait(container)
        ecs._maybe_mark_stopped(task, engine)
        time.sleep(0.1)
