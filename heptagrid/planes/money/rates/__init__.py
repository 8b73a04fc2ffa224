"""Rates as data: what a customer pays for metered quantities, one kind of charge a file, and the bill that they make together."""
