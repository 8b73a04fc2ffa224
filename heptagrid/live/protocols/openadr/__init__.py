"""OpenADR 3.0.1 and 3.1: a virtual top node (VTN) of the retailer and the aggregator, and built-in end nodes (VENs) at the scenario's devices."""
