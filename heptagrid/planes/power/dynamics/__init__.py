"""What moves between two power flows: frequency, and the relays that answer it."""
