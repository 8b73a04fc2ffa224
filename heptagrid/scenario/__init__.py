"""What to run: the scenario's schema, gathered from what the rooms declare, its checks, and the built-in ones."""
