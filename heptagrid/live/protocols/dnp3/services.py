"""What masters ask of an outstation beside its points and controls: to be written, frozen, restarted, and told the time (IEEE 1815-2012, 4.4)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from heptagrid.live.protocols.dnp3.application import Function, Header, Indications, Request, headers_of
from heptagrid.live.protocols.dnp3.objects import COUNTER, DELAY, INDICATIONS, REQUESTED, TIME
from heptagrid.live.protocols.dnp3.outstation import Outstation

_RESTARTED = 7  # the indication that a master may clear


@dataclass(frozen=True, slots=True)
class Reply:
    """What is answered to a request. said: indications of this answer alone. clears_restart: whether the master knows of the restart; restarts: whether there is one."""

    objects: bytes = b""
    said: Indications = Indications.NONE
    clears_restart: bool = False
    restarts: bool = False


def served(request: Request, outstation: Outstation) -> Reply:
    """Do what a request says.

    Raises
    ------
    MalformedError
        If its objects are none.
    """
    handler = _SERVICES.get(request.function)
    return handler(request, outstation) if handler else Reply(said=Indications.NO_FUNCTION)


def _write(request: Request, outstation: Outstation) -> Reply:
    clears = False
    for one in headers_of(request.objects, REQUESTED):
        if one.group == INDICATIONS and one.indices == range(_RESTARTED, _RESTARTED + 1) and not one.values[0][0] & 1:
            clears = True
        elif not _set_time(one, outstation):
            return Reply(said=Indications.PARAMETER_ERROR, clears_restart=clears)
    return Reply(clears_restart=clears)


def _set_time(header: Header, outstation: Outstation) -> bool:
    """Take what a master says of the time; whether it does."""
    if header.group != TIME or len(header.values) != 1:
        return False
    ms = int.from_bytes(header.values[0], "little")
    if header.variation == 3:
        return outstation.set_recorded(ms)
    outstation.set_clock(ms)
    return True


def _freeze(request: Request, outstation: Outstation) -> Reply:
    counters = outstation.indices(COUNTER)
    for one in headers_of(request.objects, None):
        if (one.group, one.variation) != (COUNTER, 0):
            return Reply(said=Indications.OBJECT_UNKNOWN)
        chosen = counters if one.indices is None else [k for k in counters if k in one.indices]
        if one.indices is not None and len(chosen) < len(one.indices):
            return Reply(said=Indications.PARAMETER_ERROR)
        outstation.freeze(chosen)
    return Reply()


def _restart(request: Request, outstation: Outstation) -> Reply:
    """Begin anew at once; it takes a millisecond."""
    return Reply(bytes((DELAY, 2, 0x07, 1, 1, 0)), restarts=True)


def _delay(request: Request, outstation: Outstation) -> Reply:
    """Nothing passes between a request and its answer."""
    return Reply(bytes((DELAY, 2, 0x07, 1, 0, 0)))


def _record(request: Request, outstation: Outstation) -> Reply:
    outstation.record_time()
    return Reply()


_SERVICES: dict[int, Callable[[Request, Outstation], Reply]] = {
    Function.WRITE: _write,
    Function.IMMED_FREEZE: _freeze,
    Function.IMMED_FREEZE_NR: _freeze,
    Function.COLD_RESTART: _restart,
    Function.WARM_RESTART: _restart,
    Function.DELAY_MEASURE: _delay,
    Function.RECORD_CURRENT_TIME: _record,
}
