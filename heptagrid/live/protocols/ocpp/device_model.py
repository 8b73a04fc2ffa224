"""The device model of OCPP 2.0.1 over a station's settings: GetVariables, SetVariables and the reports.

Source: OCPP 2.0.1 part 2, block B, and the appendix of components and variables.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from heptagrid.live.protocols.ocpp.settings import BY_VARIABLE, COMPONENTS, Setting, Settings

_PER_MESSAGE = 20  # entries of a report
_TYPES = {"int": "integer", "bool": "boolean", "text": "string", "measurands": "MemberList"}


def get_variables(settings: Settings, given: dict[str, Any]) -> dict[str, Any]:
    """The answer to GetVariables."""
    found = []
    for one in given["getVariableData"]:
        setting, status = _sought(one)
        result = _named(one) | {"attributeStatus": status}
        if setting is not None:
            result["attributeValue"] = settings.value(setting)
        found.append(result)
    return {"getVariableResult": found}


def set_variables(settings: Settings, given: dict[str, Any]) -> dict[str, Any]:
    """The answer to SetVariables, after it was done."""
    found = []
    for one in given["setVariableData"]:
        setting, status = _sought(one)
        if setting is not None and not settings.change(setting, one["attributeValue"]):
            status = "Rejected"
        found.append(_named(one) | {"attributeStatus": status})
    return {"setVariableResult": found}


def report(settings: Settings, request: int, stamp: str) -> Iterator[dict[str, Any]]:
    """The payloads of NotifyReport that together tell all variables."""
    entries = [_entry(setting, value) for setting, value in settings.all_of(of_201=True)]
    pages = [entries[k : k + _PER_MESSAGE] for k in range(0, len(entries), _PER_MESSAGE)]
    for number, page in enumerate(pages):
        yield {
            "requestId": request,
            "generatedAt": stamp,
            "seqNo": number,
            "tbc": number + 1 < len(pages),
            "reportData": page,
        }


def _sought(one: dict[str, Any]) -> tuple[Setting | None, str]:
    """The setting that an entry names, and whether it may be looked at."""
    component, variable = one["component"]["name"], one["variable"]["name"]
    if one.get("attributeType", "Actual") != "Actual":
        return None, "NotSupportedAttributeType"
    setting = BY_VARIABLE.get((component, variable))
    if setting is None:
        return None, "UnknownVariable" if component in COMPONENTS else "UnknownComponent"
    return setting, "Accepted"


def _named(one: dict[str, Any]) -> dict[str, Any]:
    named = {"component": one["component"], "variable": one["variable"]}
    return named | ({"attributeType": one["attributeType"]} if "attributeType" in one else {})


def _entry(setting: Setting, value: str) -> dict[str, Any]:
    mutability = "ReadWrite" if setting.mutable else "ReadOnly"
    return {
        "component": {"name": setting.component},
        "variable": {"name": setting.variable},
        "variableAttribute": [{"value": value, "mutability": mutability}],
        "variableCharacteristics": {"dataType": _TYPES[setting.kind], "supportsMonitoring": False},
    }
