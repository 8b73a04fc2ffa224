"""Events are named by kind, place and local time."""

from heptagrid.report.events import event_lines, event_tables


def told(begin: str, end: str) -> str:
    """The line of a cut in which three messages were lost."""
    arms = {"smart": {"messages_lost": 3, "backlog_drain_s": None}}
    (line,) = event_lines({"events": [{"kind": "cut", "where": "hub", "begin": begin, "end": end, "arms": arms}]})
    return line


def test_a_date_is_written_once_where_the_event_ends_on_the_same_day() -> None:
    said = told("2016-01-27T17:02:30+01:00", "2016-01-27T18:32:30+01:00")
    assert said == "Cut line of hub, 2016-01-27 17:02 to 18:32: 3 messages lost while it lasted"


def test_both_dates_are_written_where_the_event_goes_past_midnight() -> None:
    said = told("2016-01-27T23:30:00+01:00", "2016-01-28T00:30:00+01:00")
    assert said.startswith("Cut line of hub, 2016-01-27 23:30 to 2016-01-28 00:30:")


def test_only_a_blackout_speaks_of_outages() -> None:
    begin, end = "2016-01-27T17:20:00+01:00", "2016-01-27T18:20:00+01:00"
    arms = {"conventional": {"known_after_s": None}, "smart": {"known_after_s": 31.0}}
    trip = {"kind": "unit_trip", "where": "the largest unit", "begin": begin, "end": end, "arms": arms}
    assert "outage" not in event_tables({"events": [trip]})
    assert "operations learns of an outage only by customers' calls" in event_tables(
        {"events": [trip | {"kind": "blackout"}]}
    )
