"""Distribution: the town's feeders, their tap changer, and the sensors at their substations."""
