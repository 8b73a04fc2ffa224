"""Write the page of all communication technologies from their records.

python tools/technology_page.py docs/technologies.md
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path

from heptagrid.planes.messages.technology import Technology, technologies

HEAD = """# Communication technologies

Made from the records in `heptagrid/planes/messages/technologies` by `make docs`; do not edit.
*Source not read* after a source means: the document is named, but no text of it could be read to check the value.

## Facts

| name | technology | used in | method | up, down | header and payload, bytes | tries again | reach of a hop | 150 bytes up |
|---|---|---|---|---|---|---|---|---|
"""
COSTS = """
## Costs

In EUR: once and a year, for each device and for each site (gateway, base station, concentrator); per km of line.

| name | device | device, a year | site | site, a year | km of line | devices to a site |
|---|---|---|---|---|---|---|
"""


def _rate(bps: float) -> str:
    for unit, size in (("Gbit/s", 1e9), ("Mbit/s", 1e6), ("kbit/s", 1e3)):
        if bps >= size:
            return f"{bps / size:.4g} {unit}"
    return f"{bps:.4g} bit/s"


def _distance(meters: float) -> str:
    return f"{meters / 1000:g} km" if meters >= 1000 else f"{meters:g} m"


def _time(seconds: float) -> str:
    for unit, size in (("s", 1.0), ("ms", 1e-3)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds * 1e6:.3g} us"


def _row(cells: tuple[object, ...]) -> str:
    return "| " + " | ".join(str(cell).replace("|", "/") for cell in cells) + " |\n"


def _facts(one: Technology) -> str:
    return _row(
        (
            f"`{one.name}`",
            one.title,
            ", ".join(one.networks),
            one.medium.access if one.medium else "own link",
            f"{_rate(one.uplink_bps)}, {_rate(one.downlink_bps)}",
            f"{one.header_bytes} + {one.payload_bytes}",
            one.retries,
            _distance(one.range_m) + (", relayed" if one.multi_hop else ""),
            _time(one.airtime_s(150)),
        )
    )


def _costs(one: Technology) -> str:
    costs = one.costs
    return _row(
        (
            f"`{one.name}`",
            f"{costs.device_capex_eur:g}",
            f"{costs.device_opex_eur_per_year:g}",
            f"{costs.site_capex_eur:g}",
            f"{costs.site_opex_eur_per_year:g}",
            f"{costs.line_capex_eur_per_km:g}",
            one.members_per_site,
        )
    )


def _sources(one: Technology) -> str:
    rows = "".join(_row((f"`{each.name}`", one.sources[each.name])) for each in fields(one) if each.name in one.sources)
    return (
        f"\n## `{one.name}`: {one.title}\n\nNot modelled: {one.not_modelled}.\n\n| field | source |\n|---|---|\n{rows}"
    )


def page(known: Mapping[str, Technology]) -> str:
    """The page as Markdown."""
    each = [known[name] for name in sorted(known)]
    facts, costs, sources = ("".join(write(one) for one in each) for write in (_facts, _costs, _sources))
    return HEAD + facts + COSTS + costs + sources


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(page(technologies()), encoding="utf-8")
