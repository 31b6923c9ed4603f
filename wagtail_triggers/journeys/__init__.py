"""The plan: what shall happen to whom, after what. Pure values; the engine carries them out."""
