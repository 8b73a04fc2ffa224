"""Bulk generation: the fleet above the town."""
