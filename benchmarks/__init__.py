"""One script a claim; each prints JSON. Run `python -m benchmarks.detectors`, or all with `make bench`."""
