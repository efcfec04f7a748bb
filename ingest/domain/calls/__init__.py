"""Calls (叫应): who is on duty, whom a ladder calls next, and when it stops."""
