"""The networks of a training: encoder, decoder, matcher and adversaries.

Other rooms use `networks.Networks` (all networks of one training), the network classes of `encoder`, `decoder`,
`matcher` and `adversary`, and `standardise`.
"""
