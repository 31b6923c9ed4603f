"""Wagtail's view of all this."""
