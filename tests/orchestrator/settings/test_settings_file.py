"""The text of a new s3reclass.toml."""

import re
import tomllib
from dataclasses import fields

import pytest

from orchestrator.settings.settings import SETTINGS, FargateSettings, Settings
from orchestrator.settings.settings_file import format_settings_file, load_settings


def load(text: str) -> Settings:
    """The settings that a file's text amounts to."""
    return load_settings(flags={}, environ={}, toml=text)


def test_what_was_chosen_comes_back() -> None:
    """Each value chosen is read back from the file, and everything else has its default."""
    chosen = {"bucket": "my-bucket", "storage_class": "ONEZONE_IA", "place": "local", "state": 'a "b" ü', "days": 3}

    assert load(format_settings_file(chosen)) == Settings(
        bucket="my-bucket", storage_class="ONEZONE_IA", place="local", state='a "b" ü', days=3
    )
    assert load(format_settings_file({})) == Settings()


def test_the_file_shows_the_defaults() -> None:
    """With every # taken away the file still loads, and but for the examples every value is the default."""
    text = re.sub(r"(?m)^# (\w+ = )", r"\1", format_settings_file({"bucket": "b-one", "storage_class": "GLACIER"}))

    assert load(text) == Settings(
        bucket="b-one",
        storage_class="GLACIER",
        max_tasks=20,
        rate=900,
        threads=32,
        request_payer="requester",
        bucket_owner="123456789012",
    )


def test_every_setting_stands_in_the_file() -> None:
    """Each in its table; none is forgotten, and none is there twice."""
    text = re.sub(r"(?m)^# (\w+ = )", r"\1", format_settings_file({}))
    tables = tomllib.loads(text)
    paths = [
        f"{name}.{inner}" if isinstance(value, dict) else name
        for name, value in tables.items()
        for inner in (value if isinstance(value, dict) else [name])
    ]

    assert sorted(paths) == sorted(one.path for one in SETTINGS.values())
    assert {one.path: one.name for one in SETTINGS.values() if one.path != one.name} == {
        "restore.days": "days",
        "restore.tier": "tier",
        "run.max_tasks": "max_tasks",
        "run.rate": "rate",
        "run.threads": "threads",
        "run.s3_client": "s3_client",
        "stack.name": "stack",
        **{f"fargate.{field.name}": field.name for field in fields(FargateSettings)},
    }


@pytest.mark.parametrize("table", ["restore", "run", "fargate", "stack"])
def test_each_table_begins_once(table: str) -> None:
    """A table's settings stand together."""
    assert format_settings_file({}).count(f"\n[{table}]\n") == 1
