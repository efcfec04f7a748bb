"""The API and the operator console: FastAPI routes over the use cases in `ingest.services`."""
