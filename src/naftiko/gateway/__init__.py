"""Many capabilities on shared ports, and how they change while they serve."""
