"""How many connections each listener may hold: what the others do not need, and never less than its own part."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from heptagrid.live.places import MOST_CONNECTIONS, Places


def test_one_listener_alone_holds_ten_thousand_where_twenty_thousand_files_may_be_open() -> None:
    held: list[int] = []
    listener = Places(20_000).listener(held)
    while not listener.is_full:
        held.append(0)
    assert 10_000 <= len(held) == 15_000


def test_ten_listeners_leave_ten_thousand_places_to_one() -> None:
    places = Places(20_000)
    many: list[int] = []
    listener = places.listener(many)
    others = [places.listener([]) for _ in range(7)]
    while not listener.is_full:
        many.append(0)
    assert len(many) >= 10_000
    assert not any(one.is_full for one in others), "each has its part still"


def test_without_a_bound_of_the_system_a_listener_has_one_of_its_own() -> None:
    held = [0] * (MOST_CONNECTIONS - 1)
    listener = Places(1 << 20).listener(held)
    assert not listener.is_full
    held.append(0)
    assert listener.is_full


@given(st.integers(16, 1 << 20), st.integers(1, 12), st.lists(st.integers(0, 11), max_size=300))
def test_no_listener_takes_what_another_keeps(files: int, listeners: int, who: list[int]) -> None:
    places = Places(files)
    held: list[list[int]] = [[] for _ in range(listeners)]
    all_of_them = [places.listener(one) for one in held]
    for number in who:
        k = number % listeners
        for _ in range(1 + files // 40):
            if not all_of_them[k].is_full:
                held[k].append(0)
        assert all(one.is_full <= (one.held >= places.kept) for one in all_of_them)
    assert sum(map(len, held)) <= max(places.all_places, listeners * places.kept)
