"""Customer journeys for Wagtail shops: hear what customers do, answer once, and rightly."""

__version__ = "0.1.0.dev0"
