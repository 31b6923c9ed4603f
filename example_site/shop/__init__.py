"""The shop itself: catalogue, cart, checkout, accounts."""
