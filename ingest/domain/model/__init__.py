"""The records everything else works on: plant, rule, batch, alarm, warning, fault. Imports only from `base`."""
