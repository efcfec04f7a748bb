"""Use cases of the closed loop: REST and console both call these, so scope and audit are in one place."""
