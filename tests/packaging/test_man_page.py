"""The manual page: fresh, whole, and roff."""

import re
import shutil
import subprocess

import pytest

from tests.command_docs import documented_commands
from tests.man_page import PAGE, escaped, man_page


def test_the_page_is_what_the_commands_say() -> None:
    """docs/s3reclass.1 is fresh; `make docs` writes it."""
    assert PAGE.read_text(encoding="utf-8") == man_page(), "run `make docs`"


def test_every_command_and_flag_has_its_place() -> None:
    """Each command a section, each flag a paragraph in it."""
    sections = dict(
        re.findall(r"^\.SS s3reclass (\S+) [^\n]*\n(.*?)(?=^\.S[SH])", man_page(), re.MULTILINE | re.DOTALL)
    )

    for one in documented_commands():
        if one.name != "s3reclass":
            flags = {flag for option in one.command.params for flag in option.opts if flag.startswith("-")}
            assert {flag for flag in flags if escaped(flag) not in sections[escaped(one.name)]} == set()


def test_what_means_something_to_roff_is_escaped() -> None:
    """A hyphen that can be copied, a backslash, a dot and an apostrophe at a line's beginning."""
    assert escaped("a-b \\n\n.s3reclass/\n'x'") == "a\\-b \\en\n\\&.s3reclass/\n\\&'x'"


@pytest.mark.skipif(shutil.which("groff") is None, reason="there is no groff")
def test_groff_has_nothing_to_say_about_it() -> None:
    """No warning, and the flags come out as they are typed."""
    done = subprocess.run(
        ["groff", "-man", "-Tascii", "-ww", str(PAGE)], capture_output=True, text=True, check=False, timeout=60
    )

    assert (done.returncode, done.stderr) == (0, "")
    assert "s3reclass run --phase restore" in done.stdout
