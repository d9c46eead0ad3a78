"""Measures what the README claims: `python -m benchmarks.NAME`. Each prints ratios against an alternative in the same run."""
