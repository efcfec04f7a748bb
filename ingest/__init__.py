"""yujing (预警): the ingestion service. `app` wires it together; `pipeline.order` is the order of its stages."""
