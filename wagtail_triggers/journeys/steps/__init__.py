"""The kinds of step, one a file. A step looks at a run and returns a decision; it never acts."""
