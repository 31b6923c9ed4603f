"""What every room stands on: time, locks, registries, the queue. It knows nothing of the rooms."""
