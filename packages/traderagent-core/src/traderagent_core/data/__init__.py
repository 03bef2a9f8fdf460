"""Market data: catalogue, import, quality, resampling, generation, and loading for a run."""
