"""The control adapter: what an operator sees and does; the routes and answers are those of the reference engine."""
