"""What the VTN offers by itself: the retailer's day-ahead prices and the aggregator's signals as events, and the built-in VENs with their devices."""

from __future__ import annotations

from typing import Any

from heptagrid.foundation.time import NS_PER_HOUR, NS_PER_QUARTER, from_ns
from heptagrid.live.grid import LiveGrid
from heptagrid.live.inventory import Device
from heptagrid.live.orderable import name_of
from heptagrid.live.protocols.openadr.objects import pairs
from heptagrid.live.protocols.openadr.store import Object, Store
from heptagrid.live.protocols.openadr.targets import BUILT_IN, Targets
from heptagrid.live.protocols.openadr.timing import date_time

PRICES, SIGNALS, DISPATCH = "dynamic-tariff", "aggregator-signals", "aggregator-dispatch"
SIGNAL_KW = "X_HEPTAGRID_SIGNAL_KW"
"""A payload type of ours: the signal of a class of devices, which draw where it is low."""
_KEPT_DAYS = 3


class BuiltIn:
    """Keeps the built-in objects in a store up to date."""

    def __init__(self, grid: LiveGrid, store: Store, targets: Targets) -> None:
        self._grid, self._store, self._targets = grid, store, targets
        self._hours: dict[int, float] = {}
        self._signalled = -1
        self._add_programs()
        for name in targets.classes:
            self._add_ven(name)

    def refresh(self) -> None:
        """Bring events to what retailer and aggregator know now."""
        state = self._grid.state
        if state.known_prices != self._hours:
            self._hours = dict(state.known_prices)
            self._price_events()
        first, signals = state.signals
        if first != self._signalled and signals:
            self._signalled = first
            for name, signal in signals.items():
                self._signal_event(name, first, [round(float(value), 4) for value in signal])

    def _add_programs(self) -> None:
        euro = {"objectType": "EVENT_PAYLOAD_DESCRIPTOR", "payloadType": "PRICE", "units": "KWH", "currency": "EUR"}
        signal = {"objectType": "EVENT_PAYLOAD_DESCRIPTOR", "payloadType": SIGNAL_KW, "units": "KW"}
        for id, title, kind, descriptors in (
            (PRICES, "The dynamic tariff: day-ahead prices by hour", "PRICING_TARIFF", [euro]),
            (SIGNALS, "The aggregator's signals to classes of devices", "PRIVATE", [signal]),
            (DISPATCH, "For events of a desk outside, to built-in and outside VENs", "PRIVATE", []),
        ):
            content: dict[str, Any] = {
                "programName": id,
                "programLongName": title,
                "programType": kind,
                "payloadDescriptors": descriptors,
                "isBuiltIn": True,
            }
            self._store.add("PROGRAM", content, id, quietly=True)

    def _add_ven(self, name: str) -> None:
        """The VEN of a class, and its devices as its resources; each has the targets that its name gives it."""
        ven = f"{BUILT_IN}-{name}".replace("_", "-")
        whose: dict[str, Any] = {"clientID": BUILT_IN, "isBuiltIn": True}
        targets = [("GROUP", name.upper())]
        self._store.add("VEN", {"venName": ven, "targets": targets, **whose}, ven, quietly=True)
        of = self._targets.classes[name]
        for row in range(len(of)):
            device = Device(of, row)
            content = {
                "resourceName": name_of(device),
                "venID": ven,
                "attributes": [{"type": "MAX_POWER_CONSUMPTION", "values": [round(device.rated_kw, 3)]}],
                "targets": pairs(self._targets.granted(name_of(device))),
                **whose,
            }
            self._store.add("RESOURCE", content, name_of(device), quietly=True)

    def _price_events(self) -> None:
        """One event a local day, with an interval an hour."""
        zone = self._grid.scenario.zone
        days: dict[str, list[int]] = {}
        for hour in sorted(self._hours):
            days.setdefault(str(from_ns(hour * NS_PER_HOUR, zone).date()), []).append(hour)
        for day in sorted(days)[-_KEPT_DAYS:]:
            hours = days[day]
            content = {
                "programID": PRICES,
                "eventName": f"day-ahead prices of {day}",
                "intervalPeriod": {"start": date_time(hours[0] * NS_PER_HOUR), "duration": "PT1H"},
                "intervals": [
                    {
                        "id": hour - hours[0],
                        **self._own_period(hour, hours[0] + k),
                        "payloads": [{"type": "PRICE", "values": [round(self._hours[hour] / 1000.0, 6)]}],
                    }
                    for k, hour in enumerate(hours)
                ],
            }
            self._put(f"prices-{day}", content)
        kept = {f"prices-{day}" for day in sorted(days)[-_KEPT_DAYS:]}
        for one in [one["id"] for one in self._store.all("EVENT") if one["programID"] == PRICES]:
            if one not in kept:
                self._store.delete("EVENT", one)

    def _own_period(self, hour: int, expected: int) -> dict[str, Any]:
        """A period of its own for an hour that does not follow the one before."""
        return (
            {} if hour == expected else {"intervalPeriod": {"start": date_time(hour * NS_PER_HOUR), "duration": "PT1H"}}
        )

    def _signal_event(self, name: str, first_quarter: int, signal: list[float]) -> None:
        content = {
            "programID": SIGNALS,
            "eventName": f"signal to {name}",
            "targets": [("GROUP", name.upper())],
            "intervalPeriod": {"start": date_time(first_quarter * NS_PER_QUARTER), "duration": "PT15M"},
            "intervals": [
                {"id": k, "payloads": [{"type": SIGNAL_KW, "values": [value]}]} for k, value in enumerate(signal)
            ],
        }
        self._put(f"signal-{name}", content)

    def _put(self, id: str, content: Object) -> None:
        content["isBuiltIn"] = True
        old = self._store.get("EVENT", id)
        if old is None:
            self._store.add("EVENT", content, id)
        elif old["intervals"] != content["intervals"] or old["intervalPeriod"] != content["intervalPeriod"]:
            self._store.replace("EVENT", id, content)


def device_of(client: str, store: Store, targets: Targets) -> Device | None:
    """The device that the VEN of a client stands for: that of its client id, of its ven's name, or of its first resource; None: it is no device."""
    names = [client]
    names += [one["venName"] for one in store.of_client("VEN", client)]
    names += [one["resourceName"] for one in store.of_client("RESOURCE", client)]
    return next((device for name in names if (device := targets.device(name)) is not None), None)
