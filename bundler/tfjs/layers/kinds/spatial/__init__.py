"""Layers over the axes of series, images and volumes: windows that move, and images that change their size."""
