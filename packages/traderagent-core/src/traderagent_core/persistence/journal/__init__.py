"""The journal of one exchange account: what happened and what was decided, durable before anything is sent."""
