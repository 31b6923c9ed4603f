"""What steps have done outside: asked for with the step, carried out by a worker or a person."""

from .ledger import answers, cancel, insert, leave

__all__ = ["answers", "cancel", "insert", "leave"]
