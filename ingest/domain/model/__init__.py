"""The nouns: batch, flags, rule, plant, alarm, fault. Imports nothing else of ours."""
