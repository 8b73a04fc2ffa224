"""The event loop of the message plane and its queues."""
