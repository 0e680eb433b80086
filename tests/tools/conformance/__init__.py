"""The test vectors of other AWS SDKs, replayed: see ``docs/conformance.md``.

They are data of other projects and no part of this repository. The directory that holds them is
named by the variable ``BOTOCORE_EXT_CONFORMANCE``; without it nothing is replayed.
"""
