"""Use cases behind the API and the console: what a caller may see, and what people ask for; no HTTP in here."""
