"""Several workers on any database: `TRIGGERS_TEST_DB=mariadb python3 -m tests tests/smoke`."""
