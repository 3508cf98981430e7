"""JSON that others may have written: read in linear time, and refused unless it holds what it must. Pure."""

import json
from collections.abc import Mapping
from typing import Any

from worker.contract.outcomes import ContractError

MOST = 2**63 - 1
"""The largest number that counts anything here."""

LONGEST = 100_000
"""Characters, at most, of a text: the longest here are workers' command lines."""

_SHOWN = 200


def parse_object(text: str | bytes) -> Mapping[str, Any]:
    """The JSON object that the text holds. Raises ContractError when it holds none."""
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        # RecursionError: as the text nests deeper than Python calls.
        raise ContractError(f"not JSON ({type(error).__name__}): {text[:_SHOWN]!r}") from error
    if not isinstance(data, dict):
        raise ContractError(f"not a JSON object: {text[:_SHOWN]!r}")
    return data


def whole_number(value: object, *, least: int = 0, most: int = MOST) -> int:
    """The value, if it is a whole number within these bounds. Raises ContractError when it isn't."""
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise ContractError(f"not a whole number from {least} to {most}: {_shown(value)}")
    return value


def real_number(value: object, *, least: float, most: float) -> float:
    """The value, if it is a number within these bounds, which NaN never is. Raises ContractError when it isn't."""
    if not isinstance(value, int | float) or isinstance(value, bool) or not least <= value <= most:
        raise ContractError(f"not a number from {least:g} to {most:g}: {_shown(value)}")
    return float(value)


def word(value: object) -> str:
    """The value, if it is text, of a sensible length, that UTF-8 can hold. Raises ContractError when it isn't."""
    if not isinstance(value, str) or len(value) > LONGEST:
        raise ContractError(f"not text of up to {LONGEST:,} characters: {_shown(value)}")
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise ContractError(f"not text in Unicode: {_shown(value)}") from error
    return value


def _shown(value: object) -> str:
    """The value in an error; a list or an object may hold too much, nested too deeply, to be written out."""
    return repr(value)[:_SHOWN] if isinstance(value, str | int | float | None) else f"a {type(value).__name__}"
