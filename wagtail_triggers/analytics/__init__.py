"""What came of it: daily numbers, and the queries that listings and the start page read."""
