"""Text for people: safe to show, whatever keys, logs or AWS may hold, and in their units."""

import re

_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


def printable(text: str) -> str:
    r"""The text with every control character written as its escape (`\x1b`), so that it can't steer a terminal."""
    return _CONTROL.sub(lambda match: match[0].encode("unicode_escape").decode(), text)


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
_LENGTH = re.compile(r"(\d+(?:\.\d+)?) ?(s|min|m|h|d|)")


def parse_duration(text: str) -> float:
    """The seconds of a length of time: `90m`, `60h`, `2.5d`, `30s`; a bare number is hours. Raises ValueError."""
    match = _LENGTH.fullmatch(text.strip().lower())
    if match is None:
        raise ValueError(f"{text!r} is no length of time: it takes a number and s, m, h or d (60h, say)")
    return float(match[1]) * _UNITS_S[match[2] or "h"]
