"""The anomaly-detection core: NumPy only, one algorithm a file, no I/O, no plant knowledge."""
