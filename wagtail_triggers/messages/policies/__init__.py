"""When, how often and how fast marketing may leave: decided at the claim, person by person."""
