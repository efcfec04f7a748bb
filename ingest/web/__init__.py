"""The API and the operator console: FastAPI over ports that read, and commands that others carry out."""
