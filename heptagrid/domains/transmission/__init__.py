"""Transmission: the 24-bus network between the fleet, the town and the other loads."""
