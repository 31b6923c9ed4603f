"""Customer journeys for Wagtail shops: hear what customers do, answer with the right message, once."""

__version__ = "0.1.0.dev0"
