"""Pictures of plans and reports as SVG."""
