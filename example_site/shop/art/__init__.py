"""Pictures of the shop's wares, drawn at set-up so that the repository ships no binary files."""

from __future__ import annotations

from .gallery import PICTURES, draw

__all__ = ["PICTURES", "draw"]
