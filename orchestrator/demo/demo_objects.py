"""The demo's objects: archived, awkwardly named, tagged, one already in the class, one missing. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

BUCKET = "demo-archive"
MISSING_KEY = "photos/was-never-here.jpg"
PLAIN_OBJECTS = 240

AWKWARD_NAMES = (
    "with space.txt",
    'quoted "name".txt',
    "comma, semicolon; and = sign.txt",
    "100% sure+maybe?.txt",
    "#hash & ampersand.txt",
    "línea de años/über/数据.txt",
    "line separator \u2028 inside.txt",
    "emoji 🧊.txt",
    "$(echo not a command).txt",
    "../not/a/path.txt",
)


@dataclass(frozen=True, kw_only=True, slots=True)
class DemoObject:
    """An object of the demo's bucket. metadata: user metadata. tags: as a query string."""

    key: str
    storage_class: str
    metadata: Mapping[str, str] = field(default_factory=dict)
    tags: str = ""


def demo_objects() -> Iterator[DemoObject]:
    """Every object that the demo's bucket holds."""
    for number in range(PLAIN_OBJECTS):
        yield DemoObject(key=f"photos/2019/{number:04d}.jpg", storage_class="DEEP_ARCHIVE" if number % 3 else "GLACIER")
    for name in AWKWARD_NAMES:
        yield DemoObject(key=f"awkward/{name}", storage_class="GLACIER")
    yield DemoObject(
        key="photos/described.jpg",
        storage_class="GLACIER",
        metadata={"camera": "box", "photographer": "unknown"},
        tags="project=album&keep=yes",
    )
    yield DemoObject(key="photos/never-archived.jpg", storage_class="STANDARD")
    yield DemoObject(key="photos/there-already.jpg", storage_class="STANDARD_IA")


def demo_keys() -> tuple[str, ...]:
    """The demo's key file: every object's key, and one that doesn't exist."""
    return (*(one.key for one in demo_objects()), MISSING_KEY)
