"""Apps of Oscar that this shop has made its own."""
