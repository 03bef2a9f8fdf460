"""The live driver: streams of an exchange become events of the engine, its commands leave once they are durable."""
