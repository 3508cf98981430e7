"""CloudFormation's intrinsic functions as stack.yaml uses them in policies, so that a test reads what IAM gets."""

import re
from collections.abc import Mapping
from typing import Any


def resolved(value: Any, given: Mapping[str, Any]) -> Any:
    """
    The value with its functions replaced by what they mean; every Fn::If is true.

    given: what names stand for: parameters (a list for a list), pseudo parameters, and `Part.Attribute`.
    """
    if isinstance(value, list):
        return [resolved(one, given) for one in value]
    if not isinstance(value, Mapping):
        return str(value)
    name = str(next(iter(value)))
    if name == "Ref" or name.startswith("Fn::"):
        return _called(name, value[name], given)
    return {str(key): resolved(one, given) for key, one in value.items()}


def _called(name: str, argument: Any, given: Mapping[str, Any]) -> Any:
    """What one function means."""
    answer: Any
    match name:
        case "Ref":
            answer = given[argument]
        case "Fn::GetAtt":
            answer = given[".".join(argument)]
        case "Fn::If":
            answer = resolved(argument[1], given)
        case "Fn::Join":
            answer = str(argument[0]).join(resolved(argument[1], given))
        case "Fn::Split":
            answer = resolved(argument[1], given).split(argument[0])
        case "Fn::Sub":
            text, more = argument if isinstance(argument, list) else (argument, {})
            here = {**given, **{str(key): resolved(one, given) for key, one in more.items()}}
            answer = re.sub(r"\$\{([^}]+)\}", lambda found: str(here[found[1]]), str(text))
        case _:
            raise NotImplementedError(name)
    return answer


def statements(role: Any, given: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """A role's policy statements by Sid, conditional ones included; Action and Resource are lists."""
    (policy,) = role["Properties"]["Policies"]
    found = [resolved(one, given) for one in policy["PolicyDocument"]["Statement"]]
    return {
        one["Sid"]: one
        | {part: one[part] if isinstance(one[part], list) else [one[part]] for part in ("Action", "Resource")}
        for one in found
    }
