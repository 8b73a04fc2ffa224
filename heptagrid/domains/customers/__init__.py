"""Customers: what they use and make, their vehicles, heat pumps and batteries, their meters and gateways."""
