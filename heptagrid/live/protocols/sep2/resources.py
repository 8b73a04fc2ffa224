"""The server's resources as XML, their children in the order of the schema. Source: IEEE 2030.5-2018, schema version 2.1."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from heptagrid.foundation.time import NS_PER_S, from_ns, to_ns
from heptagrid.live.protocols.sep2.model import Control, EndDevice, Mirror, Program, event_status, mrid
from heptagrid.live.protocols.sep2.xml import Element, leaf, link, of


def device_capability(devices: int, mirrors: int, poll_s: int) -> Element:
    """The entry to everything else."""
    return of(
        "DeviceCapability",
        link("ResponseSetListLink", "/rsps", 1),
        link("TimeLink", "/tm"),
        link("EndDeviceListLink", "/edev", devices),
        link("MirrorUsagePointListLink", "/mup", mirrors),
        href="/dcap",
        pollRate=poll_s,
    )


def time(now_ns: int, zone: ZoneInfo, poll_s: int) -> Element:
    """The simulated time, and the zone's daylight saving of its year."""
    now = from_ns(now_ns, zone)
    begins_s, ends_s, offset_s = _daylight(now.year, zone)
    saving_s = int((now.dst() or timedelta()).total_seconds())
    zone_s = int((now.utcoffset() or timedelta()).total_seconds()) - saving_s
    now_s = now_ns // NS_PER_S
    return of(
        "Time",
        leaf("currentTime", now_s),
        leaf("dstEndTime", ends_s),
        leaf("dstOffset", offset_s),
        leaf("dstStartTime", begins_s),
        leaf("localTime", now_s + zone_s + saving_s),
        leaf("quality", 3),
        leaf("tzOffset", zone_s),
        href="/tm",
        pollRate=poll_s,
    )


def _daylight(year: int, zone: ZoneInfo) -> tuple[int, int, int]:
    """When daylight saving begins and ends in a year, in seconds since 1970, and by how much; without it, twice its first instant and 0."""
    first_s = to_ns(datetime(year, 1, 1, tzinfo=zone)) // NS_PER_S
    begins_s = ends_s = first_s
    offset_s = 0
    before = timedelta()
    for hour in range(366 * 24):
        at = from_ns((first_s + hour * 3600) * NS_PER_S, zone)
        saving = at.dst() or timedelta()
        if saving and not before:
            begins_s, offset_s = first_s + hour * 3600, int(saving.total_seconds())
        elif before and not saving:
            ends_s = first_s + hour * 3600
        before = saving
    return begins_s, ends_s, offset_s


def end_device(one: EndDevice, post_s: int) -> Element:
    """A client's device."""
    at = f"/edev/{one.number}"
    return of(
        "EndDevice",
        link("DERListLink", f"{at}/der", 1),
        link("DeviceInformationLink", f"{at}/di"),
        link("DeviceStatusLink", f"{at}/dstat"),
        leaf("lFDI", one.lfdi),
        leaf("sFDI", one.sfdi),
        leaf("changedTime", one.since_s),
        leaf("enabled", True),
        link("FunctionSetAssignmentsListLink", f"{at}/fsa", 1),
        leaf("postRate", post_s),
        link("RegistrationLink", f"{at}/rg"),
        href=at,
        subscribable=0,
    )


def registration(one: EndDevice, pin: int, poll_s: int) -> Element:
    """That a device is registered, and with which PIN."""
    return of(
        "Registration",
        leaf("dateTimeRegistered", one.since_s),
        leaf("pIN", pin),
        href=f"/edev/{one.number}/rg",
        pollRate=poll_s,
    )


def assignments(one: EndDevice, programs: int) -> Element:
    """What is assigned to a device: its programmes, the time, where it responds."""
    at = f"/edev/{one.number}/fsa/1"
    return of(
        "FunctionSetAssignments",
        link("DERProgramListLink", f"{at}/derp", programs),
        link("ResponseSetListLink", "/rsps", 1),
        link("TimeLink", "/tm"),
        leaf("mRID", mrid(2, one.number)),
        leaf("description", (one.name or "device")[:32]),
        href=at,
        subscribable=0,
    )


def der(one: EndDevice, programs: int) -> Element:
    """A device's distributed energy resource."""
    at = f"/edev/{one.number}/der/1"
    return of(
        "DER",
        link("AssociatedDERProgramListLink", f"/edev/{one.number}/fsa/1/derp", programs),
        link("DERAvailabilityLink", f"{at}/dera"),
        link("DERCapabilityLink", f"{at}/dercap"),
        link("DERSettingsLink", f"{at}/derg"),
        link("DERStatusLink", f"{at}/ders"),
        href=at,
    )


def program(one: Program, now_s: int) -> Element:
    """A programme with links to what is in it."""
    at = f"/derp/{one.number}"
    return of(
        "DERProgram",
        leaf("mRID", one.mrid),
        leaf("description", one.name[:32]),
        link("ActiveDERControlListLink", f"{at}/actderc", len(active(one, now_s))),
        link("DefaultDERControlLink", f"{at}/dderc"),
        link("DERControlListLink", f"{at}/derc", len(one.alive(now_s))),
        link("DERCurveListLink", f"{at}/dc", len(one.curves)),
        leaf("primacy", one.primacy),
        href=at,
        subscribable=0,
    )


def active(one: Program, now_s: int) -> list[Control]:
    """A programme's controls that hold now."""
    alive = [each for each in one.alive(now_s) if each.cancelled_s is None and not one.is_superseded(each)]
    return [each for each in alive if each.begin_s <= now_s < each.end_s]


def default_control(one: Program) -> Element:
    """What holds while no control does: everything is allowed, unless the operator put something else."""
    base = one.default or of(
        "DERControlBase", leaf("opModConnect", True), leaf("opModEnergize", True), leaf("opModMaxLimW", 10_000)
    )
    return of(
        "DefaultDERControl",
        leaf("mRID", mrid(3, one.number)),
        leaf("description", "default"),
        base,
        href=f"/derp/{one.number}/dderc",
    )


def control(of_program: Program, one: Control, now_s: int) -> Element:
    """A control with its status now; clients are asked to respond when they receive, begin and complete it."""
    is_superseded = of_program.is_superseded(one)
    status, since_s = one.status(now_s, is_superseded)
    return of(
        "DERControl",
        leaf("mRID", one.mrid),
        leaf("description", one.description or "control"),
        leaf("creationTime", one.made_s),
        event_status(status, since_s, is_superseded),
        of("interval", leaf("duration", one.end_s - one.begin_s), leaf("start", one.begin_s)),
        one.base,
        href=f"/derp/{of_program.number}/derc/{one.number}",
        replyTo="/rsps/1/rsp",
        responseRequired="03",
    )


def mirror(one: Mirror, post_s: int) -> Element:
    """A mirrored meter, as it was posted, with its address and how often it may post."""
    kept = [child for child in one.usage.children if child.tag not in ("MirrorMeterReading", "postRate")]
    return of("MirrorUsagePoint", *kept, leaf("postRate", post_s), href=f"/mup/{one.number}")


def response_set(responses: int) -> Element:
    """Where clients respond."""
    return of(
        "ResponseSet",
        leaf("mRID", mrid(4, 1)),
        leaf("description", "responses"),
        link("ResponseListLink", "/rsps/1/rsp", responses),
        href="/rsps/1",
    )


def listing(tag: str, href: str, members: Sequence[Element], query: dict[str, int], poll_s: int | None) -> Element:
    """A page of a list. query: `s` the first member, `l` how many: one where it is not said, as the standard has it."""
    start, most = query.get("s", 0), query.get("l", 1)
    page = list(members[start : start + most])
    return of(tag, *page, href=href, all=len(members), results=len(page), pollRate=poll_s)
