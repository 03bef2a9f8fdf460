"""The Smart Money Concepts entry filter and what it is made of."""
