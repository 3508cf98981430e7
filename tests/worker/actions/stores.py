"""A results folder that keeps what it is given in memory."""

from worker.state.results_store import Store


class MemoryStore(Store):
    """Files by name; may be looked into."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}

    def names(self) -> list[str]:
        """The files' names."""
        return list(self.files)

    def read(self, name: str) -> bytes:
        """A file's content."""
        return self.files[name]

    def find(self, name: str) -> bytes | None:
        """A file's content, None when there is none."""
        return self.files.get(name)

    def create(self, name: str, content: bytes) -> bool:
        """Keep a file, unless there is another of the name."""
        return self.files.setdefault(name, content) == content

    def replace(self, name: str, content: bytes) -> None:
        """Keep a file."""
        self.files[name] = content

    def where(self, name: str = "") -> str:
        """Nowhere."""
        return f"memory:{name}"
