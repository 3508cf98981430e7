"""
What the user chose: flags, then `S3RECLASS_*` variables, then `s3reclass.toml`, then defaults. Pure.

The command line, the environment and the file's text are passed in.
"""

import json
import textwrap
import tomllib
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Any

from orchestrator.errors import UsageError
from orchestrator.settings.checks import same_type
from orchestrator.settings.declare import Setting
from orchestrator.settings.settings import FILE_NAME, SETTINGS, FargateSettings, Settings

_HEAD = """\
# Settings of s3reclass. A flag (--bucket) or a variable (S3RECLASS_BUCKET) outweighs what stands here.
# Lines that begin with `# name =` show a default or an example: take the # away to set it.
# AWS credentials, Region and profile are set as for every AWS tool (AWS_PROFILE, AWS_REGION, ...), never here.
"""

_COLUMNS = 110


def load_settings(*, flags: Mapping[str, Any], environ: Mapping[str, str], toml: str) -> Settings:
    """
    The settings that flags, variables and the file's text amount to, checked.

    flags: by setting name; a value of None wasn't given.
    toml: the text of s3reclass.toml, "" when there is none.
    Raises UsageError naming the flag, variable or line that can't be taken.
    """
    found = [
        *_read_file(toml),
        *((one, environ.get(one.variable) or None, one.variable) for one in SETTINGS.values() if one.variable),
        *((SETTINGS[name], value, SETTINGS[name].flag) for name, value in flags.items()),
    ]
    top: dict[str, Any] = {}
    fargate: dict[str, Any] = {}
    for one, value, where in found:
        if value is not None:
            (fargate if one.table == "fargate" else top)[one.name] = one.checked(value, where)
    return Settings(fargate=FargateSettings(**fargate), **top)


def _read_file(toml: str) -> Iterator[tuple[Setting, Any, str]]:
    """Each setting in the file, its value, and where it stands (for messages)."""
    try:
        tables = tomllib.loads(toml)
    except (ValueError, RecursionError) as error:
        # TOMLDecodeError, and what it doesn't wrap: a number of thousands of digits, brackets without end.
        raise UsageError(f"{FILE_NAME} isn't TOML: {error}") from error
    known = {one.path: one for one in SETTINGS.values()}
    for path, value in _leaves(tables):
        if path not in known:
            near = get_close_matches(path, known, n=1)
            raise UsageError(f"{FILE_NAME}: {path} is no setting" + (f": did you mean {near[0]}?" if near else ""))
        where, one = f"{FILE_NAME}: {path}", known[path]
        try:
            yield one, same_type(value, one.default) if one.table == "fargate" else value, where
        except TypeError as error:
            raise UsageError(f"{where} {error}") from error


def _leaves(tables: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Each value with its dotted path; `[fargate.environment]` is one value."""
    for name, value in tables.items():
        if isinstance(value, dict):
            yield from ((f"{name}.{inner}", one) for inner, one in value.items())
        else:
            yield name, value


def format_settings_file(chosen: Mapping[str, Any]) -> str:
    """
    The text of an s3reclass.toml: every setting, explained.

    chosen: the values to set, by their field in Settings; everything else is commented out.
    """
    lines, table = _HEAD.splitlines(), ""
    for one in SETTINGS.values():
        if one.table != table:
            table = one.table
            lines += ["", f"[{table}]"]
        elif one.explanation:
            lines.append("")
        lines += textwrap.wrap(one.explanation, _COLUMNS, initial_indent="# ", subsequent_indent="# ")
        shown = one.default if one.example is None else one.example
        # TOML writes strings, numbers, booleans, and empty lists and tables just as JSON does.
        value = json.dumps(chosen.get(one.name, shown), ensure_ascii=False)
        lines.append(f"{'' if one.name in chosen else '# '}{one.path.rpartition('.')[2]} = {value}")
    return "\n".join(lines) + "\n"
