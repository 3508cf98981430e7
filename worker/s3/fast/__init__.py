"""
The fast lane: HeadObject, CopyObject and RestoreObject without boto3's machinery around each request.

It understands plain good answers and a few well-known errors. Whatever else comes back, or doesn't come, the key
goes on in the careful lane, boto3's client: so being fast adds no way of being wrong.

`sending.py` makes the three requests, `signing.py` signs them, `connection.py` carries bytes, `reading.py` understands
the answers, and `lane.py` joins them: which endpoint, whose credentials, and which keys are no longer for it.
"""
