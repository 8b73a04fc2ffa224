"""OpenADR 2.0b: a virtual top node (VTN) over simple HTTP, pulled by its end nodes (VENs), beside the desk that OpenADR 3 has."""
