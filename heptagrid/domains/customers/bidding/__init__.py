"""How devices bid into the local market: a rule for each class, in a file of its own."""
