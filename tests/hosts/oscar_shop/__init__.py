"""A real django-oscar shop with Wagtail beside it, and visits to it."""
