"""Formulations: what markets solve, as columns and rows of linear and mixed-integer programs."""
