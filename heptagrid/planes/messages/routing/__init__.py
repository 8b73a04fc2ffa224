"""Over which links a message goes."""
