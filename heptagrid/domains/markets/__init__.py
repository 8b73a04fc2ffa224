"""Markets: the day-ahead exchange."""
