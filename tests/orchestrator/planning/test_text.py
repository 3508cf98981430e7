"""Text from outside, made safe to show."""

import pytest

from orchestrator.planning.text import printable


@pytest.mark.parametrize(
    ("expected", "text"),
    [
        ("plain äöü 数据 🧊", "plain äöü 数据 🧊"),
        ("\\x1b[31mred", "\x1b[31mred"),
        ("two\\nlines", "two\nlines"),
        ("tab\tstays", "tab\tstays"),
        ("\\x9b2J", "\x9b2J"),
        ("\\u202eright to left", "\u202eright to left"),
        ("\\u2028", "\u2028"),
    ],
)
def test_control_characters_are_shown_as_escapes(expected: str, text: str) -> None:
    """Nothing in a key or a log can steer the terminal."""
    assert printable(text) == expected
