"""Text for people: safe to show, whatever a key, a log or AWS holds, and with units. Pure."""

import re

_UNSEEN = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)
"""
What is neither a control character nor a space, and shows nothing all the same: variation selectors, fillers, joiners.

Those of Unicode's `Default_Ignorable_Code_Point` (DerivedCoreProperties.txt, 16.0) that `str.isprintable` lets through,
and the blank of Braille.
"""


def printable(text: str) -> str:
    r"""
    The text with all that shows nothing written as its escape (`\x1b`, `\u200e`), so that it can't steer a terminal.

    Escaped is what Unicode counts among "other" (control and format characters, surrogates, what isn't assigned) and
    "separator" (but for the space), changes of writing direction and zero-width characters among them; a tab stays.
    """
    if text.isprintable() and (text.isascii() or not _UNSEEN.search(text)):
        return text
    return "".join(map(_shown, text))


def _shown(character: str) -> str:
    if character == "\t" or (character.isprintable() and not _UNSEEN.match(character)):
        return character
    return character.encode("unicode_escape").decode()


def duration(seconds: float) -> str:
    """A length of time in the two largest units that matter: `3 h 05 min`."""
    whole = round(seconds)
    minutes, secs = divmod(whole, 60)
    hours, mins = divmod(minutes, 60)
    days, hrs = divmod(hours, 24)
    if days:
        return f"{days} d {hrs} h"
    if hours:
        return f"{hours} h {mins:02d} min"
    return f"{mins} min {secs:02d} s" if minutes else f"{secs} s"


_UNITS_S = {"s": 1, "m": 60, "min": 60, "h": 3_600, "d": 86_400}
LONGEST_S = 3_653 * 86_400
"""Ten years: beyond all waiting, and far from what dates can't hold."""

_LENGTH = re.compile(r"(\d{1,9}(?:\.\d{1,9})?) ?(s|min|m|h|d|)", re.ASCII)


def parse_duration(text: str) -> float:
    """The seconds of a length of time: `90m`, `60h`, `2.5d`, `30s`; a bare number is hours. Raises ValueError."""
    match = _LENGTH.fullmatch(text.strip().lower())
    if match is None:
        raise ValueError(f"{text!r} is no length of time: it takes a number and s, m, h or d (60h, say)")
    seconds = float(match[1]) * _UNITS_S[match[2] or "h"]
    if seconds > LONGEST_S:
        raise ValueError(f"{text!r} is too long: ten years are the most")
    return seconds
