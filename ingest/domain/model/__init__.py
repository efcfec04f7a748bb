"""The nouns: batch, flags, rule, plant, alarm, fault. Imports nothing of the other layers but base."""
