"""Studies whose processes are killed, whose storage is away or full, whose journal is torn: nothing is lost."""
