"""What happened: the outbox of events, their types, and what is projected from them."""
