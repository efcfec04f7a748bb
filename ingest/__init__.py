"""yujing (预警): the ingestion service. `app` wires it together; `pipeline.order` is the order of its stages."""

from importlib.metadata import version

__version__ = version("yujing")
