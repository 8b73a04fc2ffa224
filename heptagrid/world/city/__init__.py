"""A city made from a seed: streets, customers, cables and substations of each primary substation's area."""
