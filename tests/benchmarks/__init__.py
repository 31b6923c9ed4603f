"""Benchmarks: ratios of two things that are measured in one run, interleaved.

`docs/explanation/performance.md` says what they found.

Imports nothing that would have to be installed: `tests.benchmarks.__main__` starts before any
package is.
"""
