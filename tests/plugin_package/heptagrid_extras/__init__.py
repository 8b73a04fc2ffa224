"""Parts of heptagrid that come from another package: an example, which the tests install and run."""
