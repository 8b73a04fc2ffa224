"""A desk in operations that tells the retailer, hour by hour, the lowest voltage that a substation reported."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from heptagrid.assembly.desks import Desk, DeskSetting
from heptagrid.contracts import telemetry
from heptagrid.contracts.protection import BUSINESS
from heptagrid.foundation.actors import Outbox
from heptagrid.foundation.contract import Contract, Delivery, each
from heptagrid.foundation.domains import Domain, Kind
from heptagrid.foundation.parameters import parameter
from heptagrid.foundation.time import Step

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Parameters:
    """When it tells."""

    below_pu: float = parameter(
        1.1,
        info="lowest voltage of an hour from which on it tells nothing",
        unit="pu",
        low=0.5,
        high=1.2,
        source="assumption",
    )


@dataclass(frozen=True)
class LowestVoltage:
    """The lowest voltage of the hour."""

    v_pu: Floats = each("pu")


NOTICE = Contract(
    LowestVoltage, Kind.TELEMETRY, "lowest_voltage", Domain.OPERATIONS, Domain.PROVIDERS, "each hour", BUSINESS
)


class VoltageWatch(Desk):
    """Knows only what substations report."""

    name = "voltage_watch"
    title = "Voltage watch"
    domain = Domain.OPERATIONS
    contracts = (NOTICE,)
    section = Parameters

    def __init__(self, setting: DeskSetting) -> None:
        self._setting = setting
        self._reports = self._notices = 0
        self._hour_pu, self._lowest_pu = np.inf, np.inf
        self._cause = -1

    def receive(self, delivery: Delivery) -> None:
        """Look at telemetry of substations."""
        if delivery.contract is telemetry.SUBSTATION:
            told = telemetry.SUBSTATION.read(delivery)
            self._reports += len(told.v_pu)
            self._hour_pu, self._cause = min(self._hour_pu, float(told.v_pu.min())), delivery.last_id

    def work(self, step: Step, outbox: Outbox) -> None:
        """Tell the retailer at the end of an hour."""
        if not step.ends_hour or not np.isfinite(self._hour_pu):
            return
        self._lowest_pu = min(self._lowest_pu, self._hour_pu)
        if self._hour_pu < self._setting.own.below_pu:
            here, told = self._setting.endpoints, LowestVoltage(np.array([self._hour_pu]))
            outbox.send(NOTICE.wave(told, here.operations, here.retailers[0], step.end_ns, self._cause))
            self._notices += 1
        self._hour_pu = np.inf

    def figures(self) -> dict[str, float]:
        """What it saw and sent."""
        lowest_pu = self._lowest_pu if np.isfinite(self._lowest_pu) else 0.0
        return {"reports": float(self._reports), "notices": float(self._notices), "lowest_pu": lowest_pu}

    def said_to(self, customer: int) -> str:
        """What a customer is told with the bill."""
        return f"The lowest voltage that a substation reported was {self._lowest_pu:.3f} pu." if self._notices else ""
