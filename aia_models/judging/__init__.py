"""Judges released representations: fresh attackers measure privacy, fresh matchers measure utility.

Other rooms use `judge` (`judge`, `Judgement`, `JUDGE_VERSION`), `released.release_faces`, `controls.judge_controls` and
`in_loop.judge_in_loop`.
"""
