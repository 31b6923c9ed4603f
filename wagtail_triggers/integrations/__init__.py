"""Adapters of shops: each a small Django app that a host adds beside ours. See ADDING_SHOPS."""
