"""One file per kind of block; `registry` imports them all."""
