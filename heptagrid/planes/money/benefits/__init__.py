"""What the smart grid saves and costs society, one benefit or cost a file, found through the entry point `heptagrid.benefits`."""
