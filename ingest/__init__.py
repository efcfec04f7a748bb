"""yujing (预警): the service, one folder a layer. `runtime.service` builds it, `engine.order` orders its stages."""
