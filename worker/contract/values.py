"""JSON that others may have written: read in linear time, and refused unless it holds what it must."""

import json
from collections.abc import Mapping
from typing import Any

from worker.contract.outcomes import ContractError

MOST = 2**63 - 1
"""The largest number that counts anything here."""

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
        raise ContractError(f"not a whole number from {least} to {most}: {repr(value)[:_SHOWN]}")
    return value


def word(value: object) -> str:
    """The value, if it is text. Raises ContractError when it isn't."""
    if not isinstance(value, str):
        raise ContractError(f"not text: {repr(value)[:_SHOWN]}")
    return value
