"""What a read asks for: present values and events, by the object headers of its request (IEEE 1815-2012, 4.4.2)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial

from heptagrid.live.protocols.dnp3.application import Header, Indications
from heptagrid.live.protocols.dnp3.events import Event, Events
from heptagrid.live.protocols.dnp3.objects import (
    ANALOG_EVENT,
    BINARY_EVENT,
    CLASSES,
    DEFAULTS,
    STATIC,
    TIME,
    Item,
    variation_of,
)
from heptagrid.live.protocols.dnp3.outstation import Outstation, event_item

MOST_ITEMS = 4096
"""Objects in an answer at most: a request of 2,048 bytes could ask for the same ones hundreds of times."""


@dataclass
class Reading:
    """What is answered. said: what is wrong with the request; the rest is answered all the same."""

    items: list[Item] = field(default_factory=list)
    objects: bytearray = field(default_factory=bytearray)
    said: Indications = Indications.NONE
    wants_time: bool = False


def read(headers: Iterable[Header], outstation: Outstation, events: Events) -> Reading:
    """Find what a request asks for.

    Raises
    ------
    MalformedError
        If a header is none.
    """
    found = Reading()
    chosen: set[int] = set()

    def tell(is_asked: Callable[[Event], bool], most: int | None, variation: int = 0) -> None:
        for one in events.find(lambda one: id(one) not in chosen and is_asked(one), most):
            chosen.add(id(one))
            found.items.append(event_item(one, variation))

    for header in headers:
        group, variation = header.group, header.variation
        if len(found.items) > MOST_ITEMS:
            found.said |= Indications.PARAMETER_ERROR
            break
        if group == CLASSES and variation in (2, 3, 4) and header.indices is None:
            tell(partial(_is_of_class, variation - 1), header.most)
        elif group == CLASSES and variation == 1:
            for one in STATIC:
                found.items += outstation.told(one, DEFAULTS[one], outstation.indices(one))
        elif group in (BINARY_EVENT, ANALOG_EVENT) and variation_of(group, variation) and header.indices is None:
            tell(partial(_is_of_group, group), header.most, variation)
        elif group in STATIC and (form := variation_of(group, variation)) is not None:
            _add_present(found, header, form, outstation)
        elif group == TIME and variation in (0, 1):
            found.wants_time = True
        else:
            found.said |= Indications.OBJECT_UNKNOWN
    return found


def _add_present(found: Reading, header: Header, variation: int, outstation: Outstation) -> None:
    """Present values of the points that a header chooses; of those that there are not, the answer says so."""
    known = outstation.indices(header.group)
    if header.indices is None:
        chosen = known if header.most is None else known[: header.most]
    else:
        chosen = [k for k in known if k in header.indices]
        if len(chosen) < len(header.indices):
            found.said |= Indications.PARAMETER_ERROR
    found.items += outstation.told(header.group, variation, chosen)


def _is_of_class(of_class: int, event: Event) -> bool:
    return event.of_class == of_class


def _is_of_group(group: int, event: Event) -> bool:
    return event.group == group
