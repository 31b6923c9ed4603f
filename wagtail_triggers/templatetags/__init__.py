"""Template tags for a shop's own pages."""
