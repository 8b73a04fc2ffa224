"""Devices: lists by class, one of them, and what it is ordered to do."""

from __future__ import annotations

import math
from typing import Annotated

import numpy as np
from msgspec import Meta

from heptagrid.foundation.errors import UsageError
from heptagrid.foundation.time import NS_PER_S
from heptagrid.live.answers import ActionTold, DeviceClassShown, DeviceShown, DevicesShown
from heptagrid.live.http.endpoint import Routes, Taken
from heptagrid.live.http.interface import Interface
from heptagrid.live.http.problems import ProblemError
from heptagrid.live.http.routes.actions import told
from heptagrid.live.inventory import Device

ROUTES = Routes("devices")


class DevicesWanted(Taken, rename={"device_class": "class"}):
    """Which devices."""

    device_class: Annotated[str, Meta(max_length=100, description="only of this class, such as vehicles")] | None = None
    point: Annotated[int, Meta(ge=0, le=2**31 - 1, description="only at this metering point")] | None = None
    substation: Annotated[int, Meta(ge=0, le=2**31 - 1, description="only behind this substation")] | None = None
    first: Annotated[int, Meta(ge=0, le=2**31 - 1, description="number of the first one among these")] = 0
    count: Annotated[int, Meta(ge=1, le=2000, description="how many at most")] = 100


class DeviceNamed(Taken, rename={"device_class": "class"}):
    """Which device."""

    device_class: Annotated[str, Meta(max_length=100, description="its class, such as vehicles")]
    number: Annotated[int, Meta(ge=0, le=2**31 - 1, description="its number in the class")]


class OrderGiven(Taken):
    """What a device shall draw, below 0 give, from when for how long; it takes the place of earlier orders. A heat pump and a local unit take it as a limit."""

    power_kw: Annotated[float, Meta(ge=-100_000.0, le=100_000.0, description="kW")]
    for_s: Annotated[float, Meta(ge=1.0, le=7 * 86_400.0, description="s, from its begin on")]
    in_s: Annotated[float, Meta(ge=0.0, le=7 * 86_400.0, description="s from now until it begins")] = 0.0
    by: Annotated[str, Meta(max_length=100, description="who orders it")] = "interface"
    wait_s: Annotated[
        float, Meta(ge=0.0, le=60.0, description="how long to wait for its arrival, of the wall clock")
    ] = 0.0


class Withdrawal(Taken):
    """Who takes an order back."""

    by: Annotated[str, Meta(max_length=100, description="who takes it back")] = "interface"
    wait_s: Annotated[
        float, Meta(ge=0.0, le=60.0, description="how long to wait for its arrival, of the wall clock")
    ] = 0.0


@ROUTES.get("/classes")
async def classes(interface: Interface) -> list[DeviceClassShown]:
    """List the classes of devices and sites."""
    steered = _steered(interface)
    return [
        DeviceClassShown(one.name, one.one, one.domain.name.lower(), len(one), one.name in steered)
        for one in interface.grid.inventory.classes.values()
    ]


@ROUTES.get("/devices")
async def devices(interface: Interface, query: DevicesWanted) -> DevicesShown:
    """List devices, filtered, in pages."""
    inventory = interface.grid.inventory
    known = inventory.classes
    if query.device_class is not None and query.device_class not in known:
        raise ProblemError(
            400, f"there is no class {query.device_class!r}", "class", f"write one of {', '.join(known)}"
        )
    of_points = inventory.world.substation_of
    found: list[Device] = []
    total = 0
    for name, one in known.items():
        if query.device_class not in (None, name):
            continue
        rows = np.arange(len(one))
        if query.point is not None:
            rows = rows[one.point == query.point]
        if query.substation is not None:
            at = one.point[rows]
            rows = rows[(at >= 0) & (of_points[np.maximum(at, 0)] == query.substation)] if len(of_points) else rows[:0]
        left = query.count - len(found)
        begin = max(query.first - total, 0)
        found += [Device(one, int(row)) for row in rows[begin : begin + left]] if left > 0 else []
        total += len(rows)
    end = query.first + len(found)
    return DevicesShown(
        interface.grid.state.at_ns,
        total,
        end if end < total and found else None,
        [_shown(interface, one) for one in found],
    )


@ROUTES.get("/devices/{class}/{number}", 404)
async def device(interface: Interface, path: DeviceNamed) -> DeviceShown:
    """Show a device."""
    return _shown(interface, named(interface, path))


@ROUTES.post("/devices/{class}/{number}/order", 404)
async def order(interface: Interface, path: DeviceNamed, body: OrderGiven) -> ActionTold:
    """Order a device's power, over the modelled network: 202 while the order is on its way, `GET /actions/{number}` tells of its arrival."""
    one = _to_steer(interface, path)
    grid = interface.grid
    begin_ns = grid.now_ns + round(body.in_s * NS_PER_S)
    until_ns = begin_ns + round(body.for_s * NS_PER_S)
    what = f"order {one.name} to {body.power_kw:g} kW"
    action = await interface.actions.begin(
        what, body.by, grid.now_ns, lambda: grid.order(one, [body.power_kw], [begin_ns], until_ns), body.wait_s
    )
    return told(action)


@ROUTES.post("/devices/{class}/{number}/withdraw", 404)
async def withdraw(interface: Interface, path: DeviceNamed, body: Withdrawal) -> ActionTold:
    """Take back what a device is ordered to do, over the modelled network: it works by itself again."""
    one = _to_steer(interface, path)
    grid = interface.grid
    now_ns = grid.now_ns
    action = await interface.actions.begin(
        f"withdraw orders to {one.name}", body.by, now_ns, lambda: grid.order(one, [0.0], [now_ns], now_ns), body.wait_s
    )
    return told(action)


def named(interface: Interface, path: DeviceNamed) -> Device:
    """The device that a path names.

    Raises
    ------
    ProblemError
        404 if there is none.
    """
    try:
        return interface.grid.inventory.device(f"{path.device_class}/{path.number}")
    except UsageError as problem:
        raise ProblemError(404, str(problem), None, "see GET /classes and GET /devices") from problem


def _steered(interface: Interface) -> set[str]:
    return {*interface.grid.inventory.rated_kw, "local_units"}


def _to_steer(interface: Interface, path: DeviceNamed) -> Device:
    one = named(interface, path)
    if one.of.name not in (steered := _steered(interface)):
        raise ProblemError(
            404,
            f"{one.name} takes no orders",
            None,
            f"these do: {', '.join(sorted(steered))}; a plant takes POST /set-points/plant",
        )
    return one


def _shown(interface: Interface, one: Device) -> DeviceShown:
    grid, row = interface.grid, one.row
    state = grid.state
    at_point = one.point >= 0
    shown = DeviceShown(
        one.name,
        one.of.name,
        row,
        one.point if at_point else None,
        int(grid.inventory.world.substation_of[one.point]) if at_point else None,
        one.rated_kw,
    )
    found = state.devices.get(one.of.name)
    if found is not None:
        content = float(found.content_kwh[row])
        until_ns = int(found.ordered_until_ns[row])
        is_ordered = until_ns > state.at_ns
        shown.power_kw = float(found.power_kw[row])
        shown.given_kvar = float(found.given_kvar[row]) if one.of.name in grid.inverters else None
        shown.content_kwh = None if math.isnan(content) else content
        shown.is_home = bool(found.is_home[row])
        shown.ordered_kw = float(found.ordered_kw[row]) if is_ordered else None
        shown.ordered_until_ns = until_ns if is_ordered else None
    elif one.of.name == "local_units":
        shown.power_kw = -float(state.unit_kw[row])
        shown.given_kvar = float(state.unit_kvar[row])
    elif one.of.name == "meters":
        shown.power_kw = float(state.point_p_kw[row])
    elif one.of.name == "plants":
        shown.power_kw = -float(state.bulk_mw[row]) * 1000.0
    elif one.of.name == "substations":
        shown.power_kw = float(state.substation_kw[row])
    return shown
