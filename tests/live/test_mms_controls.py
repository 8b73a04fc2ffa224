"""Commands to IEC 61850 devices: direct and selected before, what they change, and what is told of those that fail."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from heptagrid.live.inventory import SUBSTATIONS, Device
from heptagrid.live.protocols.mms.controls import Cause
from heptagrid.live.protocols.mms.data import (
    BOOLEAN,
    INSTANT,
    INT8,
    INT32,
    PAIR,
    REAL,
    UINT8,
    AccessError,
    Failure,
    Octets,
    Structure,
    Type,
)
from heptagrid.live.protocols.mms.devices import model_of
from heptagrid.live.protocols.mms.ied import Ied, Rules
from heptagrid.live.serve import Options
from heptagrid.scenario.schema import Scenario
from tests.live.mms_client import Client, associated, told
from tests.live.mms_host import Host
from tests.live.test_mms import NIGHT, PLANT, PRIMARY, SUBSTATION, devices, own, port_of

SWITCH = f"{SUBSTATION}/CSWI1$CO$Pos$"
SHOWN = f"{SUBSTATION}/XSWI1$ST$Pos$stVal"
AUTOMATIC = f"{PRIMARY}/ATCC1$CO$Auto$"
POWER = f"{PLANT}/GGIO1$CO$AnOut1$"
_ORIGIN = Structure({"orCat": INT8, "orIdent": Octets(255)})


def command(
    value: Any,
    type: Type = BOOLEAN,
    *,
    number: int = 1,
    test: bool = False,
    is_cancel: bool = False,
    identity: bytes = b"a test",
) -> bytes:
    """The structure of a command."""
    parts: dict[str, Type] = {"ctlVal": type, "origin": _ORIGIN, "ctlNum": UINT8, "T": INSTANT, "Test": BOOLEAN}
    given = {"ctlVal": value, "origin": {"orCat": 2, "orIdent": identity}, "ctlNum": number, "T": 0, "Test": test}
    if not is_cancel:
        parts["Check"], given["Check"] = PAIR, "00"
    return Structure(parts).encode(given)


def causes(client: Client) -> list[tuple[str, int, int]]:
    """Of each error that was told before a negative answer: the control, its number and the cause."""
    found = []
    for names, values in client.reports:
        if names[0] == "LastApplError":
            reference, _, _, number, cause = told(values[:1])[0]  # type: ignore[misc]
            found.append((reference, number, cause))
    return found


def test_a_direct_command_opens_a_switch_and_closes_it(lane: Scenario) -> None:
    async def drive() -> None:
        async with devices(lane) as harness, associated(port_of(harness)) as client:
            assert told(await client.read(f"{SUBSTATION}/CSWI1$CF$Pos$ctlModel", SHOWN)) == [1, "10"]
            for value, shown in ((False, "01"), (True, "10")):
                assert await client.write_value(SWITCH + "Oper", command(value)) is None
                await harness.advance(60.0)
                await asyncio.sleep(0.1)
                await harness.advance(60.0)
                assert told(await client.read(SHOWN)) == [shown]
            assert not client.reports

    asyncio.run(drive())


def test_a_set_point_is_sent_over_the_network_and_one_beyond_the_limits_is_refused(lane: Scenario) -> None:
    async def drive() -> None:
        options = Options(at=NIGHT, http_port=None)
        async with devices(lane, options=options) as harness:
            host = own(harness, "plants/0")
            async with associated(port_of(harness), host) as client:
                most = float(harness.run.grid.inventory.world.bulk.units.p_max_mw[0])
                power = Structure({"f": REAL})
                assert await client.write_value(POWER + "Oper", command({"f": 2.0 * most}, power)) == Failure.DENIED
                assert causes(client) == [(POWER + "Oper", 1, Cause.INCONSISTENT_PARAMETERS)]
                assert client.order[-2:] == ["report LastApplError", "answer"]
                assert await client.write_value(POWER + "Oper", command({"f": 0.5 * most}, power)) is None

    asyncio.run(drive())


@pytest.mark.parametrize(("model", "number"), [("sbo-normal", 2), ("sbo-enhanced", 4)])
def test_a_control_is_selected_before_it_is_operated(lane: Scenario, model: str, number: int) -> None:
    async def select(client: Client) -> bool:
        if number == 2:
            (word,) = told(await client.read(SWITCH + "SBO"))
            return bool(word)
        return await client.write_value(SWITCH + "SBOw", command(False)) is None

    async def drive() -> None:
        async with devices(lane, f"control_model='{model}'") as harness:
            port = port_of(harness)
            async with associated(port) as first, associated(port) as second:
                assert told(await first.read(f"{SUBSTATION}/CSWI1$CF$Pos$ctlModel")) == [number]
                assert await first.write_value(SWITCH + "Oper", command(False, number=7)) == Failure.DENIED
                assert causes(first) == [(SWITCH + "Oper", 7, Cause.NOT_SELECTED)]
                assert await select(first) and not await select(second)
                assert await second.write_value(SWITCH + "Oper", command(False)) == Failure.DENIED
                assert causes(second)[-1][2] == Cause.LOCKED_BY_OTHER
                assert await second.write_value(SWITCH + "Cancel", command(False, is_cancel=True)) == Failure.DENIED
                assert await first.write_value(SWITCH + "Cancel", command(False, is_cancel=True)) is None
                assert await select(second)
            async with associated(port) as third:
                await third.until(lambda: len(harness.run.grid.peers) == 1)
                assert await select(third), "who has left has nothing selected"
                assert await third.write_value(SWITCH + "Oper", command(False)) is None
                await harness.advance(60.0)
                await asyncio.sleep(0.1)
                await harness.advance(60.0)
                assert told(await third.read(SHOWN)) == ["01"]

    asyncio.run(drive())


def test_what_was_selected_with_a_value_is_operated_with_that_value(lane: Scenario) -> None:
    async def drive() -> None:
        async with devices(lane, "control_model='sbo-enhanced'") as harness, associated(port_of(harness)) as client:
            assert await client.write_value(SWITCH + "SBOw", command(False)) is None
            assert await client.write_value(SWITCH + "Oper", command(True)) == Failure.DENIED
            assert told(await client.read(SHOWN)) == ["10"]

    asyncio.run(drive())


def test_with_enhanced_security_the_end_of_a_command_is_told(lane: Scenario) -> None:
    async def drive() -> None:
        async with devices(lane, "control_model='direct-enhanced'") as harness:
            port = port_of(harness)
            async with associated(port) as client:
                for number, (name, is_done) in enumerate(((SWITCH, True), (AUTOMATIC, False)), 1):
                    assert await client.write_value(name + "Oper", command(False, number=number)) is None
                    await harness.advance(60.0)
                    await client.until(
                        lambda name=name: bool(client.reports) and client.reports[-1][0][-1] == name + "Oper"
                    )
                    names, values = client.reports[-1]
                    assert names == ([name + "Oper"] if is_done else ["LastApplError", name + "Oper"])
                    assert told(values)[-1][2] == number  # type: ignore[index]
                assert causes(client)[-1] == (AUTOMATIC + "Oper", 2, Cause.BLOCKED_BY_PROCESS)

    asyncio.run(drive())


def test_commands_that_cannot_be_are_refused(lane: Scenario) -> None:
    async def drive() -> None:
        async with devices(lane) as harness, associated(port_of(harness)) as client:
            assert await client.write_value(SWITCH + "Oper", command(False, test=True)) == Failure.DENIED
            assert causes(client)[-1][2] == Cause.BLOCKED_BY_MODE, "a test of a device that is on"
            tap = f"{PRIMARY}/ATCC1$CO$TapChg$Oper"
            assert await client.write_value(tap, command("00", PAIR)) == Failure.DENIED
            assert causes(client)[-1][2] == Cause.NOT_SUPPORTED, "a tap changer is not stopped"
            assert await client.write_value(SWITCH + "Oper", command("10", PAIR)) == Failure.TYPE_INCONSISTENT
            assert await client.write_value(SWITCH + "Oper", BOOLEAN.encode(True)) == Failure.TYPE_INCONSISTENT
            assert await client.write_value(SWITCH + "Oper$ctlVal", BOOLEAN.encode(True)) == Failure.DENIED
            assert await client.write_value(SWITCH + "SBOw", command(False)) == Failure.NON_EXISTENT
            await harness.advance(60.0)
            assert told(await client.read(SHOWN)) == ["10"]

    asyncio.run(drive())


def test_an_identity_of_a_client_has_64_bytes_at_most(lane: Scenario) -> None:
    async def drive() -> None:
        async with devices(lane) as harness, associated(port_of(harness)) as client:
            for count, failure in ((65, Failure.VALUE_INVALID), (64, None)):
                assert await client.write_value(SWITCH + "Oper", command(True, identity=b"x" * count)) == failure

    asyncio.run(drive())


def test_a_command_that_is_being_carried_out_is_not_given_again() -> None:
    host = Host()
    ied = Ied(Device(None, 0), SUBSTATION, model_of(SUBSTATIONS, 1, 1), {}, host, Rules())  # type: ignore[arg-type]
    given = {"ctlVal": False, "origin": {"orCat": 2, "orIdent": b""}, "ctlNum": 1, "T": 0, "Test": False, "Check": "00"}
    ied.controls.command("Oper", "switch", given, host)
    with pytest.raises(AccessError):
        ied.controls.command("Oper", "switch", given, host)
    assert len(host.told) == 1 and host.told[0].endswith(INT32.encode(Cause.IN_EXECUTION))
    host.done[0](True)
    ied.controls.command("Oper", "switch", given, host)
    assert len(host.done) == 2
