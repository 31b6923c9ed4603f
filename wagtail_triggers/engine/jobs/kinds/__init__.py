"""One kind of job a file; each registers itself."""
