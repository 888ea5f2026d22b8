"""From a model's source to the graph that is linked: one model, or all of a manifest in parallel."""
