"""What watches over the whole account: regimes, routes, transitions, capital, correlation, guards, halt."""
