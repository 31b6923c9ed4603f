"""What to show to whom: providers of recommendations, ours and those of hosts."""

from .base import Product, Recommender, Wanted
from .registry import register_recommender

__all__ = ["Product", "Recommender", "Wanted", "register_recommender"]
