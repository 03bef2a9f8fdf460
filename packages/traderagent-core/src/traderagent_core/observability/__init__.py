"""What a run tells those who watch it: a log without secrets and without floods, and events on a bus."""
