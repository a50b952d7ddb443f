"""The code in the documents and in the notebook runs as it is written there."""
