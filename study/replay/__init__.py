"""Replay: runs a search over a recorded study in virtual time, without training, to compare samplers and rules.

Other rooms use `recording.read_recording` and `recording.write_table` for recordings, and `replay.replay` for the
search.
"""
