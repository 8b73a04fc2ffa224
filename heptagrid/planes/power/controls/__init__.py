"""Controls of a circuit: regulators and switched capacitors, with their delays."""
