"""Reads what others wrote: networks, profiles, weather, bulk systems, into the arrays of `world`."""
