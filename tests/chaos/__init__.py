"""Faults on purpose: real workers, a real broker, a real database, and what survives."""
