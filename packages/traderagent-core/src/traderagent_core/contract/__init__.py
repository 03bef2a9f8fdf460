"""What plugin authors implement: base classes for strategies, entry filters and risk modes."""
