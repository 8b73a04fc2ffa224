"""IEEE 2030.5 (Smart Energy Profile 2): a utility's server for distributed energy resources."""
