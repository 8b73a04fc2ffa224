"""Transmission: the network between the fleet, the town and the other loads."""
