"""Power flow of unbalanced circuits, conductor by conductor."""
