"""yujing (预警): the service, one folder a layer. `runtime.service` builds it; `engine.order` is the order of the stages."""
