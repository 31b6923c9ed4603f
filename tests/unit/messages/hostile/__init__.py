"""Templates that attack: 500 that reach for what is not theirs, 200 that never end."""
