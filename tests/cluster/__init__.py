"""Studies on clusters of several nodes, as jobs, in object storage, and side by side."""
