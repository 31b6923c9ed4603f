"""A shop as the benchmarks need it: what a checkout writes, and a mail sent the usual way."""
