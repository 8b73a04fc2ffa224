"""Circuits conductor by conductor: their elements, how one is built, and the tree of one that is radial."""
