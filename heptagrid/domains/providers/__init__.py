"""Service providers: a retailer with tariffs, prices and bills, and an aggregator of flexibility."""
