"""The tests' own look at the Docker engine: which containers were started, which images are there."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Thread
from typing import Any

from docker import DockerClient


@dataclass(frozen=True, kw_only=True, slots=True)
class Start:
    """A container's start, as the engine remembers it. task: the ECS task's ARN, or ""."""

    container: str
    image: str
    task: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Ran:
    """How a container ended. log: its standard output and error."""

    exit_code: int
    log: str


class Engine:
    """A Docker engine that answers."""

    def __init__(self, client: DockerClient) -> None:
        # The stubs know neither fractions of a second nor lists of labels.
        self._client: Any = client

    @contextmanager
    def watched(self, registry: str) -> Iterator[list[Start]]:
        """
        Every start of a container of an image from this registry from now on, in order; the list grows.

        The engine is listened to, since it remembers only its last 256 events.
        """
        starts: list[Start] = []
        events = self._client.events(decode=True, filters={"type": "container", "event": "start"})

        def listen() -> None:
            for event in events:
                about = event["Actor"]["Attributes"]
                if about["image"].startswith(f"{registry}/"):
                    task = about.get("com.amazonaws.ecs.task-arn", "")
                    starts.append(Start(container=event["Actor"]["ID"], image=about["image"], task=task))

        listener = Thread(target=listen, daemon=True)
        listener.start()
        try:
            yield starts
        finally:
            events.close()
            listener.join(60)

    def images(self, registry: str) -> Sequence[str]:
        """The tag of every image of this registry that the engine holds."""
        tags = (tag for image in self._client.images.list() for tag in image.tags)
        return sorted(tag for tag in tags if tag.startswith(f"{registry}/"))

    def remove_images(self, registry: str) -> None:
        """Forget this registry's images; what they were built from stays, as the next build's cache."""
        for image in self._client.images.list():
            # An image that was pulled by digest has no tag; one that has a tag loses its digest with it.
            for name in image.tags or image.attrs["RepoDigests"]:
                if name.startswith(f"{registry}/"):
                    self._client.images.remove(name, force=True, noprune=True)

    def run(self, image: str, command: Sequence[str], environment: Mapping[str, str]) -> Ran:
        """Run a container on the host's network until it ends, as `docker run --network host` does."""
        container = self._client.containers.run(
            image, list(command), environment=dict(environment), network_mode="host", detach=True
        )
        try:
            ended = container.wait(timeout=60)
            return Ran(exit_code=ended["StatusCode"], log=container.logs().decode())
        finally:
            container.remove(force=True)
