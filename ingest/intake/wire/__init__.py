"""The wire: bytes to batches and back; pure."""
