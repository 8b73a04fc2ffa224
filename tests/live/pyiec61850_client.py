"""A program of its own over pyiec61850-ng, which builds on libiec61850 and is under the GPL: `python pyiec61850_client.py HOST PORT WHAT`; prints JSON.

WHAT, as JSON: ["browse"] or ["browse", LARGEST_PDU] reads all that there is; ["watch", BLOCK, COUNT] waits for reports; ["command", CONTROL, VALUE, IS_ANALOG] commands.
"""

import json
import os
import sys
import time
from typing import Any

import pyiec61850.pyiec61850 as lib

KEPT: list[Any] = []
"""What must outlive the connection, or the library reads what is freed."""


def words(listed: Any) -> list[str]:
    """A list of strings of the library."""
    found = []
    one = lib.LinkedList_getNext(listed)
    while one:
        found.append(lib.toCharP(one.data))
        one = lib.LinkedList_getNext(one)
    lib.LinkedList_destroy(listed)
    return found


def done(answer: Any) -> Any:
    """What a call has come to, unless it failed: with its result the library returns an error."""
    result, error = answer
    if error != lib.IED_ERROR_OK:
        raise RuntimeError(lib.IedClientError_toString(error))
    return result


def connected(host: str, port: int, largest: int = 0) -> Any:
    """A connection that the library takes to be one: now and then it refuses to ask though it has just said that it is connected."""
    for _ in range(5):
        connection = lib.IedConnection_create()
        if largest:
            lib.MmsConnection_setLocalDetail(lib.IedConnection_getMmsConnection(connection), largest)
        done(lib.IedConnection_connect(connection, host, port))
        listed, error = lib.IedConnection_getLogicalDeviceList(connection)
        if error == lib.IED_ERROR_OK:
            lib.LinkedList_destroy(listed)
            return connection
        if error != lib.IED_ERROR_CONNECTION_LOST:
            break
        KEPT.append(connection)
    raise RuntimeError(lib.IedClientError_toString(error))


def value_of(value: Any) -> Any:
    kind = lib.MmsValue_getType(value)
    if kind == lib.MMS_FLOAT:
        return lib.MmsValue_toFloat(value)
    if kind == lib.MMS_BOOLEAN:
        return bool(lib.MmsValue_getBoolean(value))
    if kind in (lib.MMS_INTEGER, lib.MMS_UNSIGNED):
        return lib.MmsValue_toInt64(value)
    if kind == lib.MMS_BIT_STRING:
        return "".join(
            str(int(lib.MmsValue_getBitStringBit(value, k))) for k in range(lib.MmsValue_getBitStringSize(value))
        )
    if kind == lib.MMS_UTC_TIME:
        return lib.MmsValue_getUtcTimeInMs(value)
    if kind == lib.MMS_VISIBLE_STRING:
        return lib.MmsValue_toString(value)
    if kind == lib.MMS_OCTET_STRING:
        return "".join(
            f"{lib.MmsValue_getOctetStringOctet(value, k):02x}" for k in range(lib.MmsValue_getOctetStringSize(value))
        )
    if kind == lib.MMS_STRUCTURE:
        return [value_of(lib.MmsValue_getElement(value, k)) for k in range(lib.MmsValue_getArraySize(value))]
    if kind == lib.MMS_DATA_ACCESS_ERROR:
        return f"error {lib.MmsValue_getDataAccessError(value)}"
    return kind


def browse(connection: Any) -> dict[str, Any]:
    """All that a client learns of a server without knowing anything of it."""
    found: dict[str, Any] = {}
    for device in words(done(lib.IedConnection_getLogicalDeviceList(connection))):
        names = done(lib.IedConnection_getLogicalDeviceVariables(connection, device))
        sets = done(lib.IedConnection_getLogicalDeviceDataSets(connection, device))
        values = {}
        variables = words(names)
        for name in variables:
            if name.count("$") == 2:
                value, error = lib.IedConnection_readObject(connection, *reference(device, name))
                values[name] = value_of(value) if error == lib.IED_ERROR_OK else f"failed {error}"
        found[device] = {"variables": variables, "sets": words(sets), "values": values}
    return found


def reference(device: str, name: str) -> tuple[str, int]:
    """The reference and the functional constraint of a variable."""
    node, constraint, *rest = name.split("$")
    return f"{device}/{'.'.join((node, *rest))}", lib.FunctionalConstraint_fromString(constraint)


class Heard(lib.RCBHandler):
    """Keeps what reports say. reports: the values and reasons of each."""

    def __init__(self) -> None:
        super().__init__()
        self.reports: list[dict[str, Any]] = []

    def trigger(self) -> None:
        report = self._client_report
        values = lib.ClientReport_getDataSetValues(report)
        count = lib.MmsValue_getArraySize(values)
        reasons = [lib.ClientReport_getReasonForInclusion(report, k) for k in range(count)]
        self.reports.append(
            {
                "number": lib.ClientReport_getSeqNum(report),
                "entry": value_of(lib.ClientReport_getEntryId(report)) if lib.ClientReport_getEntryId(report) else None,
                "set": lib.ClientReport_getDataSetName(report),
                "values": [value_of(lib.MmsValue_getElement(values, k)) if reasons[k] else None for k in range(count)],
                "reasons": reasons,
                "references": [lib.ClientReport_getDataReference(report, k) for k in range(count)],
            }
        )


def watch(connection: Any, block: str, count: int) -> list[dict[str, Any]]:
    """Enable a report control block with a period of 1 s, and interrogate it if it is unbuffered, until so many reports have come.

    The library waits for answers with the interpreter locked, so that no report may come meanwhile: reports that wait come at once, and nothing is asked after them.
    """
    control = done(lib.IedConnection_getRCBValues(connection, block, lib.ClientReportControlBlock_create(block)))
    heard = Heard()
    subscriber = lib.RCBSubscriber()
    subscriber.setIedConnection(connection)
    subscriber.setRcbReference(block)
    subscriber.setRcbRptId(lib.ClientReportControlBlock_getRptId(control))
    subscriber.setEventHandler(heard)
    KEPT.extend((heard, subscriber, control))
    assert subscriber.subscribe()
    lib.ClientReportControlBlock_setTrgOps(control, lib.TRG_OPT_DATA_CHANGED | lib.TRG_OPT_INTEGRITY | lib.TRG_OPT_GI)
    lib.ClientReportControlBlock_setIntgPd(control, 1000)
    lib.ClientReportControlBlock_setOptFlds(
        control,
        lib.RPT_OPT_SEQ_NUM
        | lib.RPT_OPT_TIME_STAMP
        | lib.RPT_OPT_REASON_FOR_INCLUSION
        | lib.RPT_OPT_DATA_SET
        | lib.RPT_OPT_DATA_REFERENCE
        | lib.RPT_OPT_CONF_REV
        | lib.RPT_OPT_BUFFER_OVERFLOW
        | lib.RPT_OPT_ENTRY_ID,
    )
    lib.ClientReportControlBlock_setRptEna(control, True)
    chosen = lib.RCB_ELEMENT_TRG_OPS | lib.RCB_ELEMENT_INTG_PD | lib.RCB_ELEMENT_OPT_FLDS | lib.RCB_ELEMENT_RPT_ENA
    written(lib.IedConnection_setRCBValues(connection, control, chosen, True))
    if ".RP." in block:
        lib.ClientReportControlBlock_setGI(control, True)
        written(lib.IedConnection_setRCBValues(connection, control, lib.RCB_ELEMENT_GI, True))
    ends = time.monotonic() + 60.0
    while len(heard.reports) < count:
        assert time.monotonic() < ends, f"{len(heard.reports)} reports have come"
        time.sleep(0.02)
    return heard.reports


def written(answer: Any) -> None:
    """What a call without a result has come to: an error, or a list that ends with one."""
    error = answer[-1] if isinstance(answer, (list, tuple)) else answer
    if error != lib.IED_ERROR_OK:
        raise RuntimeError(lib.IedClientError_toString(error))


def command(connection: Any, control: str, word: float | bool, is_analog: bool) -> dict[str, Any]:
    """Command a control as its model wants it."""
    client = lib.ControlObjectClient_create(control, connection)
    assert client, f"{control} is no control"
    model = lib.ControlObjectClient_getControlModel(client)
    value = lib.MmsValue_newFloat(word) if is_analog else lib.MmsValue_newBoolean(word)
    lib.ControlObjectClient_setOrigin(client, "a judge", 2)
    is_selected = True
    if model == lib.CONTROL_MODEL_SBO_NORMAL:
        is_selected = lib.ControlObjectClient_select(client)
    elif model == lib.CONTROL_MODEL_SBO_ENHANCED:
        is_selected = lib.ControlObjectClient_selectWithValue(client, value)
    is_operated = lib.ControlObjectClient_operate(client, value, 0)
    error = lib.ControlObjectClient_getLastApplError(client)
    found = {"model": model, "selected": bool(is_selected), "operated": bool(is_operated), "cause": error.addCause}
    lib.ControlObjectClient_destroy(client)
    return found


def main(host: str, port: int, what: list[Any]) -> Any:
    kind, *given = what
    connection = connected(host, port, given.pop() if kind == "browse" and given else 0)
    found = {"browse": browse, "watch": watch, "command": command}[kind](connection, *given)
    if kind != "watch":
        lib.IedConnection_close(connection)
    return found


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1], int(sys.argv[2]), json.loads(sys.argv[3]))), flush=True)
    os._exit(0)  # without the library's destructors
