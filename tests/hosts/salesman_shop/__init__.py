"""A real Salesman shop with Wagtail beside it, and visits to it over its own API."""
