"""Text from outside, made safe to show; lengths of time, in words and from words."""

import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.common.text import duration, parse_duration, printable


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
        ("\\u200e\\u200f\\u061c", "\u200e\u200f\u061c"),
        ("\\u2066\\u2069\\u202a", "\u2066\u2069\u202a"),
        ("a\\u200bb\\u200d\\ufeff\\xad", "a\u200bb\u200d\ufeff\xad"),
        ("\\U000e0041\\U000e007f", "\U000e0041\U000e007f"),
        ("a\\ufe0f\\U000e0100", "a\ufe0f\U000e0100"),
        ("\\u3164\\u115f\\u034f", "\u3164\u115f\u034f"),
        ("\\udcff", "\udcff"),
        ("\\ue000\\uffff", "\ue000\uffff"),
        ("no\\xa0break", "no\xa0break"),
    ],
)
def test_control_characters_are_shown_as_escapes(expected: str, text: str) -> None:
    """Nothing in a key or a log can steer the terminal."""
    assert printable(text) == expected


def test_every_character_that_shows_nothing_is_an_escape() -> None:
    """Whatever Unicode calls control, format, surrogate, private, unassigned, or a separator other than the space."""
    hidden = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}

    shown = [
        hex(code)
        for code in range(sys.maxunicode + 1)
        if unicodedata.category(chr(code)) in hidden and chr(code) != "\t" and printable(chr(code)) == chr(code)
    ]

    assert shown == []


@given(st.text())
def test_what_is_shown_is_printable(text: str) -> None:
    """And what was printable is shown as it is."""
    shown = printable(text)

    assert shown.replace("\t", "").isprintable()
    assert printable(shown) == shown


@pytest.mark.parametrize(
    ("expected", "text"),
    [(60 * 3_600, "60h"), (60, "60s"), (72 * 3_600, "72"), (5_400, "90m"), (5_400, "90 min"), (216_000, "2.5d")],
)
def test_a_length_of_time(expected: float, text: str) -> None:
    """A number with its unit; hours without one."""
    assert parse_duration(text) == expected


@pytest.mark.parametrize("text", ["", "h", "-1h", "1h30m", "1w", "nan", "1e3s", "9" * 400, "\u0661h"])
def test_no_length_of_time(text: str) -> None:
    """Anything else is refused, with an example."""
    with pytest.raises(ValueError, match="60h, say"):
        parse_duration(text)


@pytest.mark.parametrize(
    ("expected", "seconds"), [("59 s", 59), ("1 min 05 s", 65), ("12 h 30 min", 45_000), ("2 d 12 h", 216_000)]
)
def test_a_length_of_time_in_words(expected: str, seconds: float) -> None:
    """In the two largest units that matter."""
    assert duration(seconds) == expected
