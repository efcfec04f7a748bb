"""Use cases behind the API and the console: queries in a caller's scope, and commands; free of HTTP and SQL."""
