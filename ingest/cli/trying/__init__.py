"""`yujing try`: judges a CSV file without a plant, a broker or a network."""
