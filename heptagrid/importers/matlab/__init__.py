"""The part of the MATLAB language that MATPOWER's case files use."""
