"""Markets: bids cleared, units committed and dispatched."""
