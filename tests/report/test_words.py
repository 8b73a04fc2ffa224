"""Words for what a run counts: there are some for everything that it can count."""

from __future__ import annotations

from heptagrid.planes.messages.tables import CAUSES
from heptagrid.report.trace_text import LOST_TO
from heptagrid.report.words import LOST_BY, kind_of_places


def test_every_cause_of_a_loss_has_words_on_the_page_and_in_a_trace() -> None:
    assert set(LOST_BY) == set(LOST_TO) == set(CAUSES)


def test_a_city_has_areas_and_others_have_towns() -> None:
    assert kind_of_places(["area-1", "area-12"]) == "area"
    assert [kind_of_places(names) for names in ([], [""], ["area-1", "west"], ["north", "south"])] == ["town"] * 4
