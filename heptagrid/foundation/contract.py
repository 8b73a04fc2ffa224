"""Contracts: one typed declaration for each thing that a message can be about.

The fields of a payload's dataclass are declared with `each` (a value for every message of a wave) or `shared` (one for all of them), with unit
and dtype. From the declaration come a wave, the checks of its arrays, what the receiver reads, the policy (who may send it to whom), the page of
messages and the codec.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, fields, replace
from typing import Any, Generic, TypeVar, cast

import numpy as np
import numpy.typing as npt

from heptagrid.foundation.domains import Domain, Kind
from heptagrid.foundation.errors import ContractError
from heptagrid.foundation.quarter_rows import QuarterRows

Ints = npt.NDArray[np.int64]
Payload = TypeVar("Payload")
Id = int | np.integer[Any]


@dataclass(frozen=True)
class Column:
    """How a field of a payload travels: dtype "" is a plain number, of the field's type; axes: names of a shared array's dimensions."""

    unit: str
    dtype: str
    is_shared: bool
    axes: tuple[str, ...] = ()


def each(unit: str, dtype: str = "float64") -> Any:
    """Declare a payload field with a value for every message, an array (messages,)."""
    return field(metadata={"column": Column(unit, dtype, is_shared=False)})


def shared(unit: str, dtype: str = "", *axes: str) -> Any:
    """Declare a payload field with one value for all messages of a wave: a number, or with `dtype` an array over `axes`."""
    return field(metadata={"column": Column(unit, dtype, is_shared=True, axes=axes)})


def columns(payload: type[Any]) -> tuple[tuple[str, Column], ...]:
    """(name, column) of each field of a payload's dataclass; each wave and each delivery asks for them."""
    if payload not in _COLUMNS:
        _COLUMNS[payload] = tuple((one.name, one.metadata["column"]) for one in fields(payload))
    return _COLUMNS[payload]


_COLUMNS: dict[type[Any], tuple[tuple[str, Column], ...]] = {}


@dataclass(frozen=True)
class Protection:
    """NISTIR 7628 logical interface category and its levels of confidentiality, integrity and availability: H, M or L."""

    category: int
    confidentiality: str
    integrity: str
    availability: str


@dataclass(frozen=True, eq=False)
class Contract(Generic[Payload]):
    """What messages of one topic carry, who sends them to whom, when, how protected and how large.

    size: bytes of a message before the envelope, from the payload; None takes the kind's.
    """

    payload: type[Payload]
    kind: Kind
    topic: str
    sender: Domain
    receiver: Domain
    when: str
    protection: Protection
    size: Callable[[Payload], int] | None = None

    def __post_init__(self) -> None:
        if _MADE.setdefault(self.key, self) is not self:
            raise ValueError(f"there are two contracts for {self.name}")

    @property
    def key(self) -> tuple[Kind, str, Domain, Domain]:
        return self.kind, self.topic, self.sender, self.receiver

    @property
    def name(self) -> str:
        """What a person reads: kind, topic, from whom to whom."""
        return f"{self.kind.name.lower()} about {self.topic!r} from {self.sender.name.lower()} to {self.receiver.name.lower()}"

    def wave(
        self,
        payload: Payload,
        source: Ints | Id,
        destination: Ints | Id,
        sent_ns: Ints | Id,
        cause: Ints | Id = -1,
        size: int | None = None,
    ) -> Wave:
        """Messages with this payload, (n,); a single number stands for all of them.

        Parameters
        ----------
        source, destination : endpoint ids of the message topology.
        sent_ns : when each leaves, not before the present.
        cause : index of the message that caused each; -1: a measurement, a plan, or a time of day.
        size : bytes of a message before the envelope, where it is not the contract's.

        Raises
        ------
        ContractError
            Naming the field whose dtype, shape or length is not as declared.
        """
        ends = (source, destination, sent_ns, cause)
        arrays = [one if isinstance(one, int) else np.asarray(one, dtype=np.int64) for one in ends]
        lengths = {len(one) for one in arrays if not isinstance(one, int) and one.ndim}
        sizes: dict[str, int] = {}
        for name, one in columns(self.payload):
            value = getattr(payload, name)
            if not one.is_shared:
                lengths.add(len(value))
            self._check(name, one, value, sizes)
        if len(lengths) > 1:
            raise ContractError(f"{self.name}: its arrays have {' and '.join(map(str, sorted(lengths)))} messages")
        count = lengths.pop() if lengths else 1
        source, destination, sent_ns, cause = (_all(one, count) for one in arrays)
        if size is None and self.size is not None:
            size = self.size(payload)
        return Wave(self, payload, source, destination, sent_ns, cause, size)

    def of(self, wave: Wave) -> Payload | None:
        """The payload of a wave, if it is of this contract."""
        payload: Payload | None = wave.payload if wave.contract is self else None
        return payload

    def read(self, delivery: Delivery) -> Payload:
        """The payload of the messages that arrived: of fields with a value for each, only theirs."""
        if delivery.contract is not self:
            raise ContractError(f"what arrived is a {delivery.contract.name}, and is read as a {self.name}")
        payload: Payload = delivery.wave.payload
        rows = delivery.rows
        mine = {name: getattr(payload, name)[rows] for name, one in columns(self.payload) if not one.is_shared}
        return cast(Payload, replace(cast(Any, payload), **mine)) if mine else payload

    def _check(self, name: str, column: Column, value: Any, sizes: dict[str, int]) -> None:
        """Whether a value is as declared; `sizes` are those of the axes that were met before."""
        if not column.dtype:
            if not isinstance(value, int | float | np.number):
                raise ContractError(f"{self.name}: {name} is one number, not {type(value).__name__}")
            return
        axes = len(column.axes) if column.is_shared else 1
        is_array = isinstance(value, np.ndarray | QuarterRows)
        if not is_array or value.dtype != column.dtype or value.ndim != axes:
            found = f"{value.dtype} with {value.ndim} axes" if is_array else type(value).__name__
            raise ContractError(f"{self.name}: {name} is {column.dtype} with {axes} axes, not {found}")
        for axis, size in zip(column.axes, value.shape, strict=False):
            if sizes.setdefault(axis, size) != size:
                raise ContractError(f"{self.name}: {name} has {size} {axis}, other fields have {sizes[axis]}")

    def __reduce__(self) -> tuple[Any, ...]:
        """A contract read back is the one that there is, so that `is` says which a wave has."""
        return made, tuple(getattr(self, one.name) for one in fields(self))


def _all(value: int | Ints, count: int) -> Ints:
    """A number for each of so many messages, (count,), also where one stands for all of them."""
    if not isinstance(value, int) and value.ndim:
        return value
    found = np.empty(count, dtype=np.int64)
    found.fill(value)  # a fifth of the time of `numpy.full` for few
    return found


_MADE: dict[tuple[Kind, str, Domain, Domain], Contract[Any]] = {}


def made(
    payload: type[Payload], kind: Kind, topic: str, sender: Domain, receiver: Domain, *rest: Any
) -> Contract[Payload]:
    """The contract that there is for a topic, or a new one: a checkpoint may have brought it before its module makes it."""
    return _MADE.get((kind, topic, sender, receiver)) or Contract(payload, kind, topic, sender, receiver, *rest)


@dataclass(frozen=True)
class Wave:
    """A batch of messages of one contract, as arrays of one length n; made by the contract.

    source, destination: (n,) endpoint ids. sent_ns: (n,) when each leaves. cause: (n,) index of the message that caused each, -1 if none
    did. size: bytes of each before the envelope; None takes the kind's.
    """

    contract: Contract[Any]
    payload: Any
    source: Ints
    destination: Ints
    sent_ns: Ints
    cause: Ints
    size: int | None = None

    @property
    def kind(self) -> Kind:
        return self.contract.kind

    @property
    def topic(self) -> str:
        return self.contract.topic

    @property
    def sender(self) -> Domain:
        return self.contract.sender

    @property
    def receiver(self) -> Domain:
        return self.contract.receiver


@dataclass(frozen=True)
class Delivery:
    """Messages of one wave that arrived within a step at one domain, in the order of their arrival.

    rows: (k,) positions in the wave; delivered_ns: (k,); ids: (k,) the messages' indices in the run.
    """

    wave: Wave
    rows: Ints
    delivered_ns: Ints
    ids: Ints

    @property
    def contract(self) -> Contract[Any]:
        return self.wave.contract

    @property
    def last_id(self) -> int:
        """The message that arrived last."""
        return int(self.ids[-1])

    def at(self, place: int) -> Delivery | None:
        """What of it arrived at one endpoint; None if nothing did."""
        mine = self.destination == place
        if mine.all():
            return self
        return (
            replace(self, rows=self.rows[mine], delivered_ns=self.delivered_ns[mine], ids=self.ids[mine])
            if mine.any()
            else None
        )

    @property
    def source(self) -> Ints:
        return self.wave.source[self.rows]

    @property
    def destination(self) -> Ints:
        return self.wave.destination[self.rows]

    @property
    def sent_ns(self) -> Ints:
        return self.wave.sent_ns[self.rows]
