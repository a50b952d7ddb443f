"""Studies lose nothing when processes are killed, the storage is away or full, or the journal is damaged."""
