"""A synchronous, public model of an exchange: matching, paths, fees, slippage, funding, liquidation."""
