"""The API and the operator console: FastAPI over read-only ports, plus the one command there is (acknowledge)."""
