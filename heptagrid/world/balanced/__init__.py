"""Balanced networks, one phase standing for three: of any shape, and radial ones with their spanning tree."""
