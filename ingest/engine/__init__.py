"""The pipeline: intake, the engine and its stages in their order, commit."""
