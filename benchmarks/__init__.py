"""What the README claims, measured: `python -m benchmarks.NAME`. Each prints ratios against an alternative of the same run."""
