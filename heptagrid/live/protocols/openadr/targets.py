"""What OpenADR's targets are called here: classes, devices, sites and areas of the scenario.

"VEHICLES" is a class, "vehicles-17" a device, "point-40" the site behind a metering point, "substation-3" the area behind a substation. Several of one sort
add up; a class and an area, or a site, narrow one another.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

from heptagrid.live.orderable import Orderable, name_of

Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]

GROUP, RESOURCE_NAME, SERVICE_AREA = "GROUP", "RESOURCE_NAME", "SERVICE_AREA"
BUILT_IN = "built-in"


class Targets(Orderable):
    """The devices that can be targeted."""

    def granted(self, name: str) -> Sequence[dict[str, object]]:
        """The targets that a ven or resource has by its name, where it is a device's."""
        device = self.device(name)
        if device is None:
            return []
        area = f"substation-{self.substation_of[device.point]}"
        return [
            {"type": RESOURCE_NAME, "values": [name_of(device)]},
            {"type": GROUP, "values": [device.of.name.upper()]},
            {"type": SERVICE_AREA, "values": [area, f"point-{device.point}"]},
        ]

    def rows(self, targets: Iterable[tuple[str, str]]) -> dict[str, Ints]:
        """The devices that targets name, by class; without targets all."""
        values = {value for _, value in targets}
        named = [device for value in values if (device := self.device(value)) is not None]
        groups = {value.lower() for value in values} & set(self.classes)
        points = _numbers(values, "point-", len(self.substation_of))
        areas = _numbers(values, "substation-", int(self.substation_of.max()) + 1)
        narrows = bool(len(points) or len(areas))
        found: dict[str, Ints] = {}
        for name, of in self.classes.items():
            chosen: Bools = np.zeros(len(of), dtype=np.bool_)
            if not values or name in groups or (narrows and not groups):
                inside = np.isin(of.point, points) | np.isin(self.substation_of[of.point], areas)
                chosen = inside if narrows else np.ones(len(of), dtype=np.bool_)
            chosen[[device.row for device in named if device.of.name == name]] = True
            if chosen.any():
                found[name] = np.flatnonzero(chosen)
        return found


def _numbers(values: Iterable[str], prefix: str, count: int) -> Ints:
    """The numbers of names such as "point-40" that exist."""
    texts = [value.removeprefix(prefix) for value in values if value.lower().startswith(prefix)]
    found = [int(text) for text in texts if text.isascii() and text.isdecimal() and len(text) < 10]
    return np.array(sorted(number for number in found if number < count), dtype=np.int64)
