"""What the documents and the notebook show, run as it stands there."""
