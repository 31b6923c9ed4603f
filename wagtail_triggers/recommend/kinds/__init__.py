"""One file per provider; `registry` imports them all."""
