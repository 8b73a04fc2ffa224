"""Commands at a device (IEC 61850-7-2, clause 20): direct or selected before, with normal or enhanced security, and what is told of those that fail."""

from __future__ import annotations

import math
from collections.abc import Mapping
from enum import IntEnum
from typing import TYPE_CHECKING, Any, NoReturn

from heptagrid.live.protocols.mms.data import IDENTIFIER, INT8, INT32, REFERENCE, UINT8, AccessError, Failure, Structure
from heptagrid.live.protocols.mms.nodes import SEPARATOR, found
from heptagrid.live.protocols.mms.pdu import domain_name, information_report, listed, named_by_server
from heptagrid.live.stations.points import POWER, TAP, TARGET, Control
from heptagrid.live.stations.selection import Selections

if TYPE_CHECKING:
    from heptagrid.live.protocols.mms.ied import Client, Ied

MODELS = ("direct-normal", "sbo-normal", "direct-enhanced", "sbo-enhanced")
"""Control models by their numbers, from 1 (IEC 61850-7-3, CtlModelKind)."""
_WITH_VALUE = 4
_LOWER, _HIGHER = "01", "10"
_ORIGIN = Structure({"orCat": INT8, "orIdent": IDENTIFIER})
_LAST_ERROR = Structure({"CntrlObj": REFERENCE, "Error": INT32, "Origin": _ORIGIN, "ctlNum": UINT8, "AddCause": INT32})
_UNKNOWN_ERROR = 1


class Cause(IntEnum):
    """Why a command fails (IEC 61850-7-2, AddCause)."""

    NOT_SUPPORTED = 1
    BLOCKED_BY_MODE = 8
    BLOCKED_BY_PROCESS = 9
    IN_EXECUTION = 12
    NOT_SELECTED = 18
    INCONSISTENT_PARAMETERS = 26
    LOCKED_BY_OTHER = 27


class Controls:
    """All controls of a device. model: the number of the control model. places: where each stands, such as CSWI1$CO$Pos, by action."""

    def __init__(
        self, ied: Ied, controls: Mapping[str, Control], places: Mapping[str, str], model: int, select_s: float
    ) -> None:
        self._ied, self._controls, self._places, self.model = ied, controls, places, model
        self._selections = Selections(select_s)
        self._executing: set[str] = set()

    @property
    def _must_select(self) -> bool:
        return self.model in (2, 4)

    @property
    def _is_enhanced(self) -> bool:
        return self.model >= 3

    def select(self, action: str, client: Client) -> str:
        """A client selects a control by reading it; its reference, empty if another one has it."""
        is_selected = self._selections.select(action, client, None, self._ied.now())
        return f"{self._ied.domain}/{self._places[action]}{SEPARATOR}SBO" if is_selected else ""

    def command(self, kind: str, action: str, given: Any, client: Client) -> None:
        """A client selects (SBOw), operates (Oper) or cancels (Cancel).

        Raises
        ------
        AccessError
            If it may not; why is told before.
        """
        now = self._ied.now()
        if kind == "Cancel":
            if not self._selections.cancel(action, client, now):
                self._fail(kind, action, given, client, Cause.NOT_SELECTED)
            return
        value = self._value(kind, action, given, client)
        wanted = repr((given["ctlVal"], given["origin"])) if self.model == _WITH_VALUE else None
        if kind == "SBOw":
            if not self._selections.select(action, client, wanted, now):
                self._fail(kind, action, given, client, self._why_not(action))
            return
        if not self._selections.execute(action, client, wanted, now, self._must_select):
            self._fail(kind, action, given, client, self._why_not(action))
        self._executing.add(action)
        self._ied.order(action, value, lambda is_done: self._finished(action, given, client, is_done))

    def left(self, client: Client) -> None:
        """A client is gone: what it had selected is free."""
        self._selections.forget(client)

    def check(self, action: str, value: float) -> bool:
        """Whether a set-point can be held."""
        control = self._controls.get(action)
        return control is not None and math.isfinite(value) and control.low <= value <= control.high

    def _value(self, kind: str, action: str, given: Any, client: Client) -> float:
        """What is commanded, as `heptagrid.live.stations.orders` has it."""
        if given["Test"]:
            self._fail(kind, action, given, client, Cause.BLOCKED_BY_MODE)
        value = given["ctlVal"]
        if action == TAP:
            if value not in (_LOWER, _HIGHER):
                self._fail(kind, action, given, client, Cause.NOT_SUPPORTED)
            return float(value == _HIGHER)
        if action in (POWER, TARGET):
            if not self.check(action, value["f"]):
                self._fail(kind, action, given, client, Cause.INCONSISTENT_PARAMETERS)
            return float(value["f"])
        return float(value)

    def _why_not(self, action: str) -> Cause:
        if action in self._executing:
            return Cause.IN_EXECUTION
        return Cause.LOCKED_BY_OTHER if self._selections.is_held(action, self._ied.now()) else Cause.NOT_SELECTED

    def _fail(self, kind: str, action: str, given: Any, client: Client, cause: Cause) -> NoReturn:
        item = f"{self._places[action]}{SEPARATOR}{kind}"
        self._ied.refused(client)
        client.inform(self._ied, information_report(listed(_LAST_NAME), [self._error(item, given, cause)]))
        raise AccessError(Failure.DENIED)

    def _error(self, item: str, given: Any, cause: Cause) -> bytes:
        told = {
            "CntrlObj": f"{self._ied.domain}/{item}",
            "Error": _UNKNOWN_ERROR,
            "Origin": given["origin"],
            "ctlNum": given["ctlNum"],
            "AddCause": cause,
        }
        return _LAST_ERROR.encode(told)

    def _finished(self, action: str, given: Any, client: Client, is_done: bool) -> None:
        """What was commanded is done, or could not be."""
        self._selections.end(action)
        self._executing.discard(action)
        if not self._is_enhanced:
            return
        item = f"{self._places[action]}{SEPARATOR}Oper"
        node = found(self._ied.root, item)
        assert node is not None
        names, values = [domain_name(self._ied.domain, item)], [node.type.encode(given)]
        if not is_done:
            names, values = [_LAST_NAME, *names], [self._error(item, given, Cause.BLOCKED_BY_PROCESS), *values]
        client.inform(self._ied, information_report(listed(*names), values))


_LAST_NAME = named_by_server("LastApplError", is_list=False)
