"""Which people: membership, through a provider until segments have rows of their own."""
