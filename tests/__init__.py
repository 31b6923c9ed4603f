"""The tests. `python3 -m tests [pytest arguments]` runs them with nothing installed but Python.

Imports nothing: `tests.__main__` must start before any package is there.
"""
