"""uvicorn within an event loop that others share: it takes no signals."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import uvicorn


def embedded(config: uvicorn.Config) -> uvicorn.Server:
    """A server whose `serve` leaves signals to whoever runs the loop."""
    import uvicorn

    class Embedded(uvicorn.Server):
        def capture_signals(self) -> AbstractContextManager[None]:  # type: ignore[override]
            return nullcontext()

    return Embedded(config)
