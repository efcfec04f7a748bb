"""The closed loop (闭环), pure: disposition, hazards, inspections, enterprise records, lists."""
