"""`heptagrid plan`: how many collectors, gateways or cells, where, and at what cost."""
