"""The message plane: what is sent becomes delivered, late or lost, at exact times."""
