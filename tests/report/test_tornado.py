"""The bars of a tornado."""

from heptagrid.report.tornado import Bar, tornado


def test_bars_run_from_the_centre_to_both_ends() -> None:
    drawn = tornado("Gain", "EUR", [Bar("price <of> gas: 1 to 3", -100.0, 300.0), Bar("rate", 120.0, 80.0)], 100.0)
    assert "price &lt;of&gt; gas: 1 to 3" in drawn
    # From -100 to 300 across 476 points: the centre stands at 240.
    assert 'class="loss" x="2.0" y="1" width="238.0"' in drawn
    assert 'class="gain" x="240.0" y="1" width="238.0"' in drawn
    assert drawn.count("<svg") == 2 and "the line is 100" in drawn


def test_without_a_swing_nothing_has_a_width() -> None:
    assert 'width="0.0"' in tornado("Gain", "EUR", [Bar("rate", 5.0, 5.0)], 5.0)
