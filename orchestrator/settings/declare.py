"""How a setting is declared: everything about it stands at its field. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass, field, fields, is_dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from orchestrator.errors import UsageError
from orchestrator.settings.checks import Check, plain_text

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True, slots=True)
class Setting:
    """
    A setting.

    name: its field. default: its value when nothing names another.
    path: its place in s3reclass.toml (`restore.days`). table: the TOML table of it, "" for the top.
    flag, metavar: its flag and the word for the flag's value. variable: its environment variable. "" where none is.
    explanation: what it is, for `--help` and the file that `init` writes; "" goes with the setting before it.
    check: converts its values and knows what they may be.
    example: what the file shows of a setting that has no default.
    """

    name: str
    default: Any
    path: str
    table: str
    flag: str
    metavar: str
    variable: str
    explanation: str
    check: Check
    example: Any = None

    @property
    def help(self) -> str:
        """The explanation for `--help`, with the default where there is one."""
        if self.default in ("", None):
            return self.explanation
        return f"{self.explanation} Default: {'no' if self.default is False else self.default}."

    def checked(self, value: Any, where: str) -> Any:
        """The value, converted and within its limits. Raises UsageError that begins with where it stands."""
        try:
            return self.check(value)
        except (TypeError, ValueError) as error:
            raise UsageError(f"{where}: {error}") from error


def setting(default: T, explanation: str = "", check: Check = plain_text, *, flag: str = "", **more: str | float) -> T:
    """
    A dataclass's field that is a setting.

    flag: with its metavar: `--days N`. more: an example, or a path other than the field's name.
    """
    about = {"explanation": explanation, "check": check, "flag": flag, **more}
    return field(default_factory=lambda: default, metadata=about)


def settings_in(group: "DataclassInstance", table: str = "") -> Iterator[Setting]:
    """
    Each setting of a dataclass, and of the dataclasses in it, in the order of their fields.

    table: the TOML table of the group. A setting at the top has a variable, named as its flag is.
    """
    for one in fields(group):
        default = getattr(group, one.name)
        if is_dataclass(default) and not isinstance(default, type):
            yield from settings_in(default, one.name)
            continue
        about = dict(one.metadata)
        flag, _, metavar = about.pop("flag").partition(" ")
        path = about.pop("path", f"{table}.{one.name}".lstrip("."))
        yield Setting(
            name=one.name,
            default=default,
            path=path,
            table=path.rpartition(".")[0],
            flag=flag,
            metavar=metavar,
            variable="" if table else "S3RECLASS_" + flag.removeprefix("--").replace("-", "_").upper(),
            **about,
        )
