"""The operator console: server-rendered pages, one ES module, nothing from elsewhere."""
