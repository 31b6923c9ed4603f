"""Oscar's order app with a field of this shop."""
