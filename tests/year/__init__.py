"""A shop's year in minutes: twelve journeys that compete for people, on the frozen clock."""
