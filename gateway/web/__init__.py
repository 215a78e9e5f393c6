"""HTTP: the composition root, the stages and the routes."""
