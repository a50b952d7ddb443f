"""The encoder that is judged and shipped: its release channel, its checkpoint and its export.

Other rooms use `anonymizer` (`Anonymizer`, `fit_anonymizer`), `channel` (`training_channel`, `fit_release_channel`),
`checkpoint` (`save`, `load`), `eraser` and `export`.
"""
