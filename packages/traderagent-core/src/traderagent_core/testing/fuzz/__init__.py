"""What comes from outside, spoilt at random: configurations, candles and plugins. Each case follows from its seed."""
