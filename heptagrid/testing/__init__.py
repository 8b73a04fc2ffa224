"""A live grid under somebody's tests: started in a moment, driven step by step, asked for volts, messages and euros.

    from heptagrid.testing import live_grid

    with live_grid("lane", at="2016-07-04T18:00", protocols=["ocpp"]) as grid:
        grid.advance(minutes=15)
        grid.assert_volts(0.9, 1.1)

With pytest the fixture `heptagrid_grid` gives one grid a session. Nothing is imported before one is asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from heptagrid.testing.grid import GridUnderTest, live_grid

__all__ = ["GridUnderTest", "live_grid"]


def __getattr__(name: str) -> Any:
    if name in __all__:
        from heptagrid.testing import grid

        return getattr(grid, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
