"""Where boolean masks are true: how often, at which positions, and which elements are there."""
