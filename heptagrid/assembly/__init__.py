"""How the world of a scenario and one arm of it are put together: places, events, transport, the span of days."""
