"""Who: contacts, their identities and the facts known about them."""
