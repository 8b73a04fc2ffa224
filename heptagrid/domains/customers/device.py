"""What a class of devices behind the meter is: the base of the file in which everything about it stands.

A class is found through an entry point of the group `heptagrid.devices`. Its name there is the name of its section in a scenario, of its column of
power (`NAME_kw`) and its count in the results, and of its set-points (`signal.NAME`). `docs/devices.md` shows how one is written.
"""

from __future__ import annotations

import zlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from types import MappingProxyType
from typing import Any, ClassVar, Generic, TypeVar
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from heptagrid.domains.customers.bidding.orders import OrderBook
from heptagrid.domains.customers.bidding.rule import BidRule
from heptagrid.domains.customers.gateways import PlanBook
from heptagrid.domains.customers.moved_energy import MovedEnergy
from heptagrid.foundation.errors import HeptagridError
from heptagrid.foundation.random import uniforms
from heptagrid.foundation.registry import DEVICES, devices
from heptagrid.foundation.time import Step
from heptagrid.world.registrations import Need
from heptagrid.world.weather import Weather

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
P = TypeVar("P")

_OTHER_COLUMNS = {"base", "consumed", "export", "generated", "import", "local_units", "lost"}  # of the results
_OWN_STREAMS = 1 << 32  # beyond those of `Stream`


@dataclass(frozen=True)
class Words:
    """What a class of devices is called on pages, in the terminal and in explanations.

    one, many: without article. verb: what one does when it draws power. owned: what a customer with one has. chart: title of the chart of its power.
    """

    one: str
    many: str
    verb: str
    owned: str
    chart: str


@dataclass(frozen=True)
class Complaint:
    """Something that owners would complain of, or tell of how they live with their devices, summed over a run: how the page shows it.

    per: what the page divides the sum by: "device-day", "device-week", or the key of another sum of the class; nothing if empty.
    """

    title: str
    unit: str
    digits: int
    per: str = ""

    def shown(self, key: str, sums: Mapping[str, float], devices: int, days: int) -> float | None:
        """The figure of one arm of a run of so many devices and days; None where it has none."""
        if key not in sums:
            return None
        by = {"": 1.0, "device-day": devices * days, "device-week": devices * days / 7.0}.get(self.per)
        by = sums.get(self.per, 0.0) if by is None else by
        return sums[key] / by if by else None


@dataclass(frozen=True)
class Candidates:
    """The customers among whom the owners are drawn.

    is_household: (customers,) those with a household's load profile. photovoltaic_kw: (customers,) rating of the smallest
    photovoltaic unit behind their meter, infinite without one.
    """

    is_household: Bools
    photovoltaic_kw: Floats
    seed: int

    def drawn(self, share: float, stream: int, occasion: int = 0) -> Bools:
        """A share of the customers, (customers,); a larger share of the same stream and occasion adds some and leaves none out."""
        ids = np.arange(len(self.is_household), dtype=np.int64)
        return np.asarray(uniforms(self.seed, int(stream), ids, occasion) < share)


def stream_of(name: str) -> int:
    """The stream of random numbers of a class that has none in `heptagrid.foundation.random.Stream`, from its name."""
    return _OWN_STREAMS + zlib.crc32(name.encode())


@dataclass(frozen=True)
class Surroundings:
    """What devices know besides their own state."""

    weather: Weather
    zone: ZoneInfo
    seed: int


class Device(ABC, Generic[P]):
    """All devices of one class as arrays, at most one for each customer; a subclass says how they are owned, work and are steered.

    Attributes
    ----------
    section : the dataclass that declares the class's parameters, its section of a scenario.
    words : what the class is called.
    order : place in the order of work behind the meter: who works later sees what the others draw. Vehicles are 10, heat pumps 20, batteries 30.
    complaints : what owners would complain of, by the names that `complained` gives values to.
    in_every_run : whether results name the class also where nobody owns one.
    is_capped : whether a request for relief limits the power of each to `cap_kw` until `cap_until_ns`, (devices,).
    has_inverter : whether an inverter of `rated_kw` stands between each and the grid, which then also gives reactive power, and `give_less` and `reach_kw` do their part.
    bid_rule : how they bid where there is a local market, and what they do at its price; None: they do not.
    owner : (devices,) metering points, ascending; they are the customers' global ids, for which random numbers are drawn.
    plans : the set-points and prices that have reached each device.
    orders : what the local market gave each device; `work` follows it while it holds.
    moved : energy moved under the aggregator's plans; `work` adds to `moved.less_kwh`.
    total_kw : power that all drew together in the last step.
    used_kwh, losses_kwh : since the start; what was drawn is what was used, lost, and stored (`stored_kwh`).
    """

    section: ClassVar[type[Any]]
    words: ClassVar[Words]
    order: ClassVar[int]
    complaints: ClassVar[Mapping[str, Complaint]] = MappingProxyType({})
    in_every_run: ClassVar[bool] = True
    is_capped: ClassVar[bool] = False
    has_inverter: ClassVar[bool] = False
    bid_rule: ClassVar[type[BidRule[Any]] | None] = None

    def __init__(self, parameters: P, owner: Ints, surroundings: Surroundings) -> None:
        count = len(owner)
        self.parameters, self.owner, self.surroundings = parameters, owner, surroundings
        self.plans = PlanBook(count)
        self.orders = OrderBook(count)
        self.moved = MovedEnergy(count)
        self.cap_kw = np.full(count, np.inf)
        self.cap_until_ns = np.zeros(count, dtype=np.int64)
        self.total_kw = self.used_kwh = self.losses_kwh = 0.0

    @classmethod
    def made(cls, parameters: P, owner: Ints, surroundings: Surroundings) -> Device[P]:
        """The devices of the class; one of several behaviours returns those of the behaviour that its parameters want."""
        return cls(parameters, owner, surroundings)

    @classmethod
    @abstractmethod
    def owners(cls, parameters: P, candidates: Candidates) -> Bools:
        """Whether each customer owns a device, (customers,)."""

    @abstractmethod
    def work(self, step: Step, p_kw: Floats, supplied: Bools) -> float:
        """Do a step's work and return the power that all drew together, in kW.

        p_kw: (points,) net draw behind each meter so far; what the devices draw is added to it. supplied: (points,) who has supply.
        Adds to `used_kwh`, `losses_kwh` and, for devices under a plan of the aggregator, to `moved.less_kwh`.
        """

    def give_less(self, less_kw: Floats, hours: float) -> None:
        """Take back what each drew less, (devices,), for its inverter did not feed what `work` offered: it gave less, or where `less_kw` is below 0 drew less."""

    def reach_kw(self, hours: float) -> tuple[Floats, Floats]:
        """The least and the most that each could have given in the step that `work` has done, (devices,); below 0 it draws. As it is, nothing else."""
        given_kw = -self.orders.drawn_kw
        return given_kw, given_kw

    @property
    @abstractmethod
    def rated_kw(self) -> float:
        """Power of one device; prices become a signal that spreads over twice of it."""

    @property
    def stored_kwh(self) -> float:
        """Electrical energy that all hold now, to be given back or used later."""
        return 0.0

    @property
    def stored_heat_kwh(self) -> float:
        """Heat that all hold now beyond what they must, as the electricity that it would take; it counts as used."""
        return 0.0

    def contents_kwh(self) -> Floats:
        """(devices,) what each battery holds; not a number of those that hold nothing."""
        return np.full(len(self.owner), np.nan)

    def at_home(self) -> Bools:
        """(devices,) whether each is where it can draw power."""
        return np.ones(len(self.owner), dtype=np.bool_)

    def complained(self) -> dict[str, float]:
        """The values of `complaints` since the start."""
        return {}

    def day_of(self, row: int, day: date) -> str:
        """What the owner of a device is told of its day, in a sentence; nothing if empty."""
        return ""

    @classmethod
    def mean_kw(cls, parameters: P, surroundings: Surroundings) -> Callable[[Ints], Floats] | None:
        """What operations registers of the class: the mean draw of one that nobody steers, over quarter hours since 1970; None: nothing."""
        return None

    @classmethod
    def need(cls, parameters: P) -> Need | None:
        """What the aggregator expects one to need on a day, with which it fills the low hours first; None: its signal is what is left of them."""
        return None

    def advance(self, step: Step, p_kw: Floats, supplied: Bools | None = None) -> None:
        """Do a step's work; without `supplied` all have supply."""
        if supplied is None:
            supplied = np.ones(len(p_kw), dtype=np.bool_)
        self.orders.begin(step.start_ns)
        self.total_kw = self.work(step, p_kw, supplied)
        self.moved.advance(step)


@cache
def device_classes() -> dict[str, type[Device[Any]]]:
    """The installed classes by name, in the order of their work behind the meter.

    Raises
    ------
    HeptagridError
        For a name that means something else in the results.
    """
    found: dict[str, type[Device[Any]]] = devices()
    for name in _OTHER_COLUMNS.intersection(found):
        raise HeptagridError(f"the entry point {name} of {DEVICES}: results have a column of this name; choose another")
    return found


def device_words() -> dict[str, Words]:
    """What the installed classes are called, by name, in the order of their work."""
    return {name: one.words for name, one in device_classes().items()}
