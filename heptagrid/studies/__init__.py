"""One plane alone: power flow of a network file, messages over a communication network."""
