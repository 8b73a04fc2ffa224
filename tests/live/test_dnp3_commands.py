"""An outstation of DNP3 without sockets: commands, the clock, counters, restarts, broadcasts."""

from __future__ import annotations

import struct

import pytest

from heptagrid.live.protocols.dnp3.application import Function, Indications
from heptagrid.live.protocols.dnp3.controls import Status
from heptagrid.live.protocols.dnp3.link import (
    MalformedError,
)
from heptagrid.live.protocols.dnp3.objects import ONLINE
from heptagrid.live.protocols.dnp3.outstation import Rules
from heptagrid.live.protocols.dnp3.session import Session
from heptagrid.live.stations.points import REGULATE, TAP
from tests.live.dnp3_master import (
    CLASS_0,
    CLOSE,
    LATCH_ON,
    TRIP,
    answer,
    relay,
    request,
    set_point,
)
from tests.live.dnp3_rig import CLEAR_RESTART, Rig


def test_select_and_operate() -> None:
    rig = Rig()
    (told,) = rig.send(0, Function.SELECT, relay(0, CLOSE))
    assert told.objects == relay(0, CLOSE) and not rig.orders
    (told,) = rig.send(1, Function.OPERATE, relay(0, CLOSE))
    assert told.objects == relay(0, CLOSE)
    assert [(one.output.control.action, one.value) for one in rig.orders] == [(TAP, 1.0)]
    (again,) = rig.send(1, Function.OPERATE, relay(0, CLOSE))
    assert again == told and len(rig.orders) == 1, "the same request again is answered, and not done, again"
    (told,) = rig.send(2, Function.OPERATE, relay(0, CLOSE))
    assert told.objects[-1] == Status.NO_SELECT and len(rig.orders) == 1


@pytest.mark.parametrize("case", ["late", "other", "between", "direct"])
def test_what_was_not_selected_so_is_not_operated(case: str) -> None:
    rig = Rig(Rules(select_s=10.0))
    rig.send(0, Function.SELECT, set_point(0, 20.0))
    number, value = 1, 20.0
    if case == "late":
        rig.now += 11.0
    elif case == "other":
        value = 21.0
    elif case == "between":
        rig.send(1, Function.READ, CLASS_0)
        number = 2
    else:
        other = Session(rig.outstation)
        other.receive(request(0, Function.DIRECT_OPERATE, set_point(0, 21.0)), rig.now)
        assert answer(other.take()[0]).objects[-1] == Status.ALREADY_ACTIVE and not rig.orders
        return
    (told,) = rig.send(number, Function.OPERATE, set_point(0, value))
    assert told.objects[-1] == (Status.TIMEOUT if case == "late" else Status.NO_SELECT) and not rig.orders


@pytest.mark.parametrize(
    ("objects", "status"),
    [
        (set_point(0, 30.0), Status.OUT_OF_RANGE),
        (set_point(0, float("nan")), Status.OUT_OF_RANGE),
        (set_point(9, 20.0), Status.NOT_SUPPORTED),
        (relay(9, CLOSE), Status.NOT_SUPPORTED),
        (relay(0, LATCH_ON), Status.NOT_SUPPORTED),
        (relay(0, 1), Status.NOT_SUPPORTED),
        (relay(0, CLOSE, 2), Status.NOT_SUPPORTED),
        (relay(0, CLOSE | 0x10), Status.NOT_SUPPORTED),
    ],
)
def test_what_cannot_be_done_is_refused_with_a_reason(objects: bytes, status: Status) -> None:
    rig = Rig()
    (told,) = rig.send(0, Function.DIRECT_OPERATE, objects)
    assert told.objects == objects[:-1] + bytes((status,)) and not rig.orders and rig.session.refused == 1
    rig.send(1, Function.DIRECT_OPERATE_NR, objects)
    assert not rig.orders


def test_commands_without_selection_and_without_an_answer() -> None:
    rig = Rig()
    both = bytes((12, 1, 0x28, 2, 0)) + b"".join(
        bytes((k, 0)) + relay(k, code)[5:] for k, code in ((0, TRIP), (1, LATCH_ON))
    )
    (told,) = rig.send(0, Function.DIRECT_OPERATE, both)
    assert told.objects == both
    assert [(one.output.control.action, one.value) for one in rig.orders] == [(TAP, 0.0), (REGULATE, 1.0)]
    (told,) = rig.send(1, Function.DIRECT_OPERATE, relay(0, TRIP))
    assert told.objects[-1] == Status.ALREADY_ACTIVE, "the first one is still being carried out"
    rig.outstation.selections.end(TAP)
    assert not rig.send(2, Function.DIRECT_OPERATE_NR, relay(0, TRIP))
    assert len(rig.orders) == 3
    rig.flags = 0
    rig.outstation.selections.end(TAP)
    (told,) = rig.send(3, Function.DIRECT_OPERATE, relay(0, TRIP))
    assert told.objects[-1] == Status.AUTOMATION_INHIBIT


def test_the_clock_follows_a_master_where_it_may() -> None:
    rig = Rig(Rules(keeps_clock=False))
    (told,) = rig.send(0, Function.READ, CLASS_0)
    assert told.indications & Indications.NEED_TIME
    assert not rig.send(1, Function.RECORD_CURRENT_TIME)[0].objects
    rig.ms += 40
    (told,) = rig.send(2, Function.WRITE, bytes((50, 3, 7, 1)) + (1000).to_bytes(6, "little"))
    assert not told.indications & (Indications.NEED_TIME | Indications.PARAMETER_ERROR)
    assert rig.outstation.now_ms == 1040
    (told,) = rig.send(3, Function.READ, bytes((50, 1, 7, 1)))
    assert told.objects == bytes((50, 1, 7, 1)) + (1040).to_bytes(6, "little")
    (told,) = rig.send(4, Function.WRITE, bytes((50, 3, 7, 1)) + bytes(6))
    assert told.indications & Indications.PARAMETER_ERROR, "no time was recorded"
    kept = Rig()
    kept.send(0, Function.WRITE, bytes((50, 1, 7, 1)) + bytes(6))
    assert kept.outstation.now_ms == kept.ms


def test_counters_are_frozen() -> None:
    rig = Rig()
    rig.send(0, Function.IMMED_FREEZE, bytes((20, 0, 6)))
    rig.values[20, 0] = 1000.0
    (told,) = rig.send(1, Function.READ, bytes((21, 1, 0, 0, 0)))
    assert told.objects == bytes((21, 1, 0, 0, 0, ONLINE)) + struct.pack("<I", 20)
    (told,) = rig.send(2, Function.READ, bytes((20, 5, 0, 0, 0)))
    assert told.objects == bytes((20, 5, 0, 0, 0)) + struct.pack("<I", 1000)


def test_a_restart_begins_anew() -> None:
    rig = Rig().heard()
    rig.send(1, Function.WRITE, CLEAR_RESTART)
    (told,) = rig.send(2, Function.COLD_RESTART)
    assert told.objects == bytes((52, 2, 7, 1, 1, 0))
    assert not rig.move(30, 1, 5.0)
    (told,) = rig.send(3, Function.READ, CLASS_0)
    assert told.indications & Indications.DEVICE_RESTART


def test_a_broadcast_is_done_and_told_with_the_next_answer() -> None:
    rig = Rig()
    rig.session.receive(request(0, Function.DIRECT_OPERATE_NR, relay(0, CLOSE)), 0.0, 0xFFFE)
    assert len(rig.orders) == 1 and not rig.took()
    (told,) = rig.send(1, Function.READ, bytes((1, 0, 6)))
    assert told.indications & Indications.BROADCAST and told.must_confirm
    rig.confirm(1)
    (told,) = rig.send(2, Function.READ, bytes((1, 0, 6)))
    assert not told.indications & Indications.BROADCAST


def test_what_is_not_there_is_said() -> None:
    rig = Rig()
    (told,) = rig.send(0, 25)
    assert told.indications & Indications.NO_FUNCTION
    (told,) = rig.send(1, Function.DIRECT_OPERATE, b"\x0c\x01\x17\x01")
    assert told.indications & Indications.PARAMETER_ERROR
    (told,) = rig.send(2, Function.WRITE, b"\x01\x02\x17\x01\x00\x00")
    assert told.indications & Indications.OBJECT_UNKNOWN
    rig.is_well = False
    (told,) = rig.send(3, Function.READ, b"\x01\x02\x06")
    assert told.indications & Indications.DEVICE_TROUBLE
    for fragment in (b"\xc0", b"\x40\x01", b"\xc0\x81\0\0", b"\xd0\x01"):
        with pytest.raises(MalformedError):
            rig.session.receive(fragment, 0.0)
