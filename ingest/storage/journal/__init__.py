"""The journal: everything that arrives, on disk before it is acknowledged; everything else reads it with a cursor."""
