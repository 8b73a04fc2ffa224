"""Which applications met their requirement: by kind, by place, and over a neighbourhood of published size."""

from __future__ import annotations

import numpy as np
import pytest

from heptagrid.contracts.kinds import FACTS
from heptagrid.contracts.requirements import FOR_KIND, REQUIREMENTS, Verdict, requirement, verdict, verdicts
from heptagrid.foundation.domains import Domain, Kind
from heptagrid.planes.messages import reliability
from heptagrid.planes.messages.plane import MessagePlane
from heptagrid.planes.messages.statistics import KINDS
from heptagrid.recording.results import Run
from heptagrid.studies.neighbourhood import Outcome, outcome, setting_of, technologies_for
from tests.messages.test_plane import S, single_server

pytestmark = pytest.mark.long


def test_a_kind_is_late_when_its_requirement_says_so() -> None:
    assert {kind: one.deadline_s for kind, one in FACTS.items()} == {
        kind: requirement(FOR_KIND[kind]).latency_s for kind in Kind
    }


def _places(kind: Kind, *rows: tuple[int, int, int, int]) -> np.ndarray:
    """Counts in which one kind was sent, delivered, lost and late in each access network."""
    places = np.zeros((KINDS, 1 + len(rows), 4), dtype=np.int64)
    places[kind, 1:] = rows
    return places


def test_lost_and_late_are_missed_and_what_is_under_way_counts_neither_way() -> None:
    places = _places(Kind.ALARM, (100, 99, 1, 0), (100, 100, 0, 3), (100, 50, 0, 0), (0, 0, 0, 0))
    share = reliability.share_by_place(places)[Kind.ALARM]
    np.testing.assert_allclose(share[:3], [0.99, 0.97, 1.0])
    assert np.isnan(share[3])
    assert reliability.missed_by_place(places)[Kind.ALARM].tolist() == [False, True, False, False], "98 % are asked for"
    assert reliability.worst_by_place(places).tolist() == [-1, Kind.ALARM, -1, -1]


def test_the_worst_application_is_the_one_farthest_beyond_its_allowance() -> None:
    places = _places(Kind.ALARM, (100, 90, 10, 0)) + _places(Kind.TELEMETRY, (100, 94, 6, 0))
    assert reliability.worst_by_place(places).tolist() == [Kind.TELEMETRY], "6 % of 0.5 % is more than 10 % of 2 %"


def test_an_unused_application_is_neither_met_nor_missed() -> None:
    plane = MessagePlane(single_server(8e9), 1)
    none = np.zeros(1, dtype=int)
    plane.send(Kind.TELEMETRY, none, none + 1, none, sender=Domain.GENERATION, receiver=Domain.OPERATIONS)
    plane.advance(S)
    rows = reliability.summary(plane.counts(), plane.counts_by_place(), plane.crossed, ("a", "b", "c"))
    assert [one["met"] for one in rows] == [kind is Kind.TELEMETRY or None for kind in Kind]
    assert rows[Kind.TELEMETRY]["share_in_time"] == 1.0
    assert sum(len(one["technologies"]) for one in rows) == 1


def test_a_reliability_is_met_only_where_enough_messages_show_it() -> None:
    # Without a miss: 0.98^148 = 0.0503 and 0.98^149 = 0.0493; 0.999^2994 = 0.0500165 and 0.999^2995 = 0.0499665.
    monthly = requirement("recurrent meter reading")  # 98 %
    assert verdict(monthly, 148, 148) is Verdict.NOT_REFUTED
    assert verdict(monthly, 149, 149) is Verdict.MET
    bid = requirement("market bid")  # 99.9 %
    assert verdict(bid, 2994, 2994) is Verdict.NOT_REFUTED
    assert verdict(bid, 2995, 2995) is Verdict.MET
    # With one miss: 0.98^n + n * 0.02 * 0.98^(n-1) is 0.0503 for n = 235 and 0.0494 for n = 236.
    assert verdict(monthly, 234, 235) is Verdict.NOT_REFUTED
    assert verdict(monthly, 235, 236) is Verdict.MET
    assert verdict(monthly, 97, 100) is Verdict.MISSED
    assert verdict(monthly, 0, 0) is Verdict.NOT_USED


def test_a_thousand_messages_do_not_show_six_nines() -> None:
    six_nines = requirement("wind turbine measurement")  # 1 - 1e-6; the rule of three asks for some 3,000,000
    assert verdict(six_nines, 1000, 1000) is Verdict.NOT_REFUTED
    assert verdict(six_nines, 999, 1000) is Verdict.MISSED
    assert verdict(six_nines, 3_000_000, 3_000_000) is Verdict.MET
    assert verdicts([0.98, 0.98], [0, 500], [0, 500]).tolist() == [Verdict.NOT_USED, Verdict.MET]


def test_acknowledgements_of_the_bulk_system_are_no_customers() -> None:
    """Behind a dead access network no acknowledgement is sent; that the bulk system's commands are acknowledged says nothing of it."""
    plane = MessagePlane(single_server(8e9), 1)
    none = np.zeros(1, dtype=int)
    plane.send(Kind.DISPATCH, none, none + 1, none, sender=Domain.OPERATIONS, receiver=Domain.GENERATION)
    plane.advance(S)
    places = plane.counts_by_place()
    assert places[Kind.ACK].sum(axis=0).tolist() == [1, 1, 0, 0]
    rows = reliability.summary(plane.counts(), _apart(places), plane.crossed, ("a", "b", "c"))
    assert rows[Kind.ACK]["verdict"] == "not used" and rows[Kind.ACK]["sent"] == 0
    assert rows[Kind.DISPATCH]["verdict"] == "not refuted", "one message shows no 99.5 %"


def _apart(places: np.ndarray) -> np.ndarray:
    """The same messages, of no access network."""
    moved = np.zeros((KINDS, 2, 4), dtype=np.int64)
    moved[:, 0] = places.sum(axis=1)
    return moved


def test_counts_by_place_outlast_the_quarters_and_begin_anew() -> None:
    plane = MessagePlane(single_server(8e9), 1)
    none = np.zeros(1, dtype=int)
    for _ in range(3):
        plane.send(Kind.TELEMETRY, none, none + 1, none, sender=Domain.GENERATION, receiver=Domain.OPERATIONS)
        plane.advance(S)
        plane.take_quarter()
    assert plane.counts_by_place()[Kind.TELEMETRY].sum(axis=0).tolist() == [3, 3, 0, 0]
    plane.begin_counting()
    assert not plane.counts_by_place().any()


def test_a_run_says_which_applications_met_their_requirement(day: Run) -> None:
    smart = day.summary["arms"]["smart"]
    rows = {one["kind"]: one for one in smart["requirements"]}
    for name, one in smart["messages"]["by_kind"].items():
        known = one["delivered"] + one["lost"]
        share = (one["delivered"] - one["late"]) / known if known else None
        if name == "ack":
            continue  # judged by those of the access networks alone
        assert rows[name]["share_in_time"] == pytest.approx(share)
        assert rows[name]["met"] == (None if share is None else share >= rows[name]["reliability"])
    assert rows["meter_reading"]["technologies"] == {"access": "wi-sun-50k", "backhaul": "lte", "wan": "mpls"}
    assert rows["telemetry"]["technologies"] == {"backhaul": "lte", "wan": "mpls"}
    assert rows["bid"]["technologies"] == {"wan": "mpls"}
    assert sum(rows["meter_reading"]["by_place"].values()) == 110, "every access network"
    assert set(day.summary["technologies"]) == {"access", "backhaul", "wan"}
    conventional = {one["kind"]: one for one in day.summary["arms"]["conventional"]["requirements"]}
    assert conventional["meter_reading"]["met"] is None


def test_places_add_up_to_the_whole(day: Run) -> None:
    kinds = day.summary["arms"]["smart"]["messages"]["by_kind"]
    table = day.messages.filter(day.messages["arm"] == "smart")
    for name, one in kinds.items():
        mine = table.filter(table["kind"] == name)
        assert mine["lost"].sum() == one["lost"] and mine["late"].sum() == one["late"]
    places = day.table("transformer_list")
    rows = day.summary["arms"]["smart"]["requirements"]
    assert places["missed_smart"].sum() == sum(one["by_place"]["missed"] for one in rows)
    assert places["applications_smart"].sum() == sum(sum(one["by_place"].values()) for one in rows)


def _found(application: str, technology: str) -> Outcome:
    return outcome(requirement(application), technology)


def test_every_application_is_tried_over_some_technology() -> None:
    assert {setting_of(one) for one in REQUIREMENTS.values()} == {"home", "neighbourhood", "wide area"}
    for place in ("home", "neighbourhood", "wide area"):
        assert len(technologies_for(place)) >= 3


def test_the_same_seed_gives_the_same_outcome() -> None:
    assert _found("AMI", "wi-sun-50k") == _found("AMI", "wi-sun-50k")


def test_a_command_waits_for_a_class_a_device_and_for_paging() -> None:
    assert not _found("Volt/VAR command", "lorawan").met
    assert not _found("Volt/VAR command", "nb-iot").met
    assert _found("Volt/VAR command", "lte").met


def test_only_a_line_or_granted_radio_protects_in_five_milliseconds() -> None:
    application = "distance protection"
    met = {name for name in technologies_for("wide area") if _found(application, name).met}
    assert met == {"fibre", "ethernet-100m", "mpls", "5g-urllc"}


def test_a_mesh_reads_meters_and_loses_none_at_one_reading_in_a_quarter_hour() -> None:
    one = _found("recurrent meter reading", "wi-sun-50k")
    assert one.share_in_time == 1.0 and one.p95_s < 1.0


def test_tones_side_by_side_carry_what_one_alone_cannot() -> None:
    assert _found("recurrent meter reading", "nb-iot-extended").met, "500 meters at 300 bit/s, twelve at a time"
