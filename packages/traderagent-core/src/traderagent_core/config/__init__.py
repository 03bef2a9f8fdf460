"""Configuration: one YAML file, checked whole before anything starts, every problem with its position."""
