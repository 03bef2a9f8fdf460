"""The simulator: runs the engine over candles by jumping from wake to wake."""
