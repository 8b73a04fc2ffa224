"""A desk and an end node of `openadr3-client` at a VTN, as a program of its own: python openadr3_client_peer.py BASE BL_SECRET VEN_SECRET [BLOCK ...].

The package needs Python 3.12. Where an older one runs this, a copy of its sources is read in which class parameters are written as type variables.
"""

from __future__ import annotations

import atexit
import importlib.util
import os
import re
import shutil
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

_HEAD = "from typing import Generic as _Generic, TypeAlias, TypeVar as _TypeVar\n"
_CLASS = re.compile(r"^((?:@.*\n)*)class (\w+)\[((?:[^\[\]]|\[[^\]]*\])*)\](\([^:]*\))?:", re.MULTILINE)


def _old_class(found: re.Match[str]) -> str:
    decorators, name, bases = found.group(1), found.group(2), found.group(4)
    parameters = re.split(r",\s*(?![^\[]*\])", found.group(3))
    pairs = [(one.partition(":")[0].strip(), one.partition(":")[2].strip()) for one in parameters]
    made = "".join(f'{one} = _TypeVar("{one}"{f", bound={bound}" if bound else ""})\n' for one, bound in pairs)
    before = f"{bases[1:-1]}, " if bases else ""
    return f"{made}{decorators}class {name}({before}_Generic[{', '.join(one for one, _ in pairs)}]):"


def _for_older_python(package: Path) -> None:
    """Put a copy that Python 3.11 reads before the installed package."""
    place = Path(tempfile.mkdtemp(prefix="openadr3-client-"))
    atexit.register(shutil.rmtree, place, ignore_errors=True)
    shutil.copytree(package, place / package.name)
    for file in (place / package.name).rglob("*.py"):
        old = file.read_text(encoding="utf-8")
        new = _CLASS.sub(_old_class, re.sub(r"^type (\w+) = ", r'\1: "TypeAlias" = ', old, flags=re.MULTILINE))
        new = re.sub(
            r"from typing import ([^\n(]*)\boverride\b",
            r"from typing_extensions import override\nfrom typing import \1TYPE_CHECKING",
            new,
        )
        if new != old:
            future = "from __future__ import annotations\n"
            file.write_text(new.replace(future, future + _HEAD, 1) if future in new else _HEAD + new, encoding="utf-8")
    sys.path.insert(0, str(place))


def _new_style(base: str, bl_secret: str, ven_secret: str) -> None:
    from openadr3_client._models.common.interval import Interval
    from openadr3_client._models.common.interval_period import IntervalPeriod
    from openadr3_client.bl.http_factory import BusinessLogicHttpClientFactory
    from openadr3_client.oadr310._vtn.interfaces.filters import PaginationFilter, TargetFilter
    from openadr3_client.oadr310.models.event.event import EventUpdate, NewEvent
    from openadr3_client.oadr310.models.event.event_payload import EventPayload, EventPayloadType
    from openadr3_client.oadr310.models.program.program import NewProgram
    from openadr3_client.oadr310.models.report.report import NewReport, ReportResource
    from openadr3_client.oadr310.models.report.report_payload import ReportPayload, ReportPayloadType
    from openadr3_client.oadr310.models.ven.ven import NewVenVenRequest, VenUpdateBlRequest
    from openadr3_client.ven.http_factory import VirtualEndNodeHttpClientFactory
    from openadr3_client.version import OADRVersion

    url, options = f"{base}/openadr3/3.1.0", {"allow_insecure_http": True, "version": OADRVersion.OADR_310}
    desk = BusinessLogicHttpClientFactory.create_http_bl_client(url, "bl", bl_secret, **options)
    node = VirtualEndNodeHttpClientFactory.create_http_ven_client(url, "ven", ven_secret, **options)
    programs = desk.programs.get_programs(target=None, pagination=PaginationFilter(skip=0, limit=50))
    assert "dynamic-tariff" in [one.id for one in programs]
    prices = node.events.get_events(target=None, pagination=None, program_id="dynamic-tariff")
    assert prices and prices[0].intervals and prices[0].interval_period.duration == timedelta(hours=1)
    ven = node.vens.create_ven(NewVenVenRequest(ven_name="peer"))
    ven = desk.vens.update_ven_by_id(ven.id, VenUpdateBlRequest(ven_name="peer", client_id="ven", targets=("group-7",)))
    assert ven.targets == ("group-7",)
    program = desk.programs.create_program(NewProgram(program_name="judged"))
    start = datetime(2016, 7, 4, 20, tzinfo=UTC)
    interval = Interval(id=0, payloads=(EventPayload(type=EventPayloadType.SIMPLE, values=(1,)),))
    event = desk.events.create_event(
        NewEvent(
            program_id=program.id,
            event_name="judged",
            priority=1,
            targets=("group-7", "hidden"),
            interval_period=IntervalPeriod(start=start, duration=timedelta(minutes=15)),
            intervals=(interval,),
        )
    )
    seen = node.events.get_events(target=TargetFilter(targets=["group-7"]), pagination=None, program_id=program.id)
    assert [one.id for one in seen] == [event.id] and seen[0].targets == ("group-7",), "other targets are hidden"
    assert not node.events.get_events(target=None, pagination=None, program_id=program.id)
    payload = ReportPayload(type=ReportPayloadType.DEMAND, values=(1.5,))
    resource = ReportResource(resource_name="meter", intervals=(Interval(id=0, payloads=(payload,)),))
    report = node.reports.create_report(NewReport(event_id=event.id, client_name="peer", resources=(resource,)))
    assert [one.id for one in desk.reports.get_reports(None, None, event.id, None)] == [
        report.id
    ] and report.client_id == "ven"
    update = EventUpdate(
        program_id=program.id, event_name="changed", intervals=(interval,), duration=timedelta(days=9999 * 365)
    )
    assert desk.events.update_event_by_id(event.id, update).event_name == "changed"
    assert desk.events.delete_event_by_id(event.id).id == event.id
    assert desk.vens.delete_ven_by_id(ven.id).ven_name == "peer"
    assert desk.programs.delete_program_by_id(program.id).id == program.id
    for refused in (lambda: node.programs.create_program, lambda: node.events.create_event):
        try:
            refused()
        except AttributeError:
            continue
        raise AssertionError("an end node may not write programs and events")


def _old_style(base: str, bl_secret: str, ven_secret: str) -> None:
    from openadr3_client._models.common.interval import Interval
    from openadr3_client._models.common.interval_period import IntervalPeriod
    from openadr3_client.bl.http_factory import BusinessLogicHttpClientFactory
    from openadr3_client.oadr301.models.event.event import NewEvent
    from openadr3_client.oadr301.models.event.event_payload import EventPayload, EventPayloadType
    from openadr3_client.oadr301.models.target import Target
    from openadr3_client.ven.http_factory import VirtualEndNodeHttpClientFactory
    from openadr3_client.version import OADRVersion

    url, options = (
        f"{base}/openadr3/3.0.1",
        {"allow_insecure_http": True, "version": OADRVersion.OADR_301, "token_url": f"{base}/auth/token"},
    )
    desk = BusinessLogicHttpClientFactory.create_http_bl_client(url, "bl", bl_secret, **options)
    node = VirtualEndNodeHttpClientFactory.create_http_ven_client(url, "ven", ven_secret, **options)
    assert "dynamic-tariff" in [one.id for one in node.programs.get_programs(target=None, pagination=None)]
    prices = node.events.get_events(target=None, pagination=None, program_id="dynamic-tariff")
    assert prices and prices[0].intervals
    interval = Interval(id=0, payloads=(EventPayload(type=EventPayloadType.SIMPLE, values=(0,)),))
    event = desk.events.create_event(
        NewEvent(
            program_id="aggregator-dispatch",
            targets=(Target(type="GROUP", values=("VEHICLES",)),),
            interval_period=IntervalPeriod(start=datetime(2016, 7, 4, 20, tzinfo=UTC), duration=timedelta(minutes=15)),
            intervals=(interval,),
        )
    )
    assert event.targets[0].type == "GROUP" and tuple(event.targets[0].values) == ("VEHICLES",)
    vens = desk.vens.get_vens("built-in-vehicles", None, None)
    assert [one.ven_name for one in vens] == ["built-in-vehicles"]
    assert desk.vens.get_ven_resources(vens[0].id, None, None, None)
    assert desk.events.delete_event_by_id(event.id).id == event.id


if __name__ == "__main__":
    os.environ["OAUTHLIB_INSECURE_TRANSPORT"] = "1"  # on loopback there is no TLS
    if sys.version_info < (3, 12):
        found = importlib.util.find_spec("openadr3_client")
        assert found is not None and found.origin is not None
        _for_older_python(Path(found.origin).parent)
    _new_style(*sys.argv[1:4])
    _old_style(*sys.argv[1:4])
    for block in sys.argv[4:]:  # of the documents, which know another address
        exec(block.replace("http://127.0.0.1:8180", sys.argv[1]), {"SECRET": sys.argv[2]})
    print("judged")
