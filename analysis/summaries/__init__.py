"""Summarises a study's tables as frames, dictionaries and sentences that commands, pictures and the report show.

Other rooms may use the functions of `status`, `evidence`, `front_table`, `history`, `costs`, `rungs`, `attackers`,
`coordinates` (positions on parallel axes) and `wording` (figures as text).
"""
