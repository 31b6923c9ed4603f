"""Which variant: random splits that stick to a person, and holdouts."""
