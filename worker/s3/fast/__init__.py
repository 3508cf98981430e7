"""
The fast client: HeadObject, CopyObject and RestoreObject without boto3's machinery around each request.

It understands plain good answers and S3's errors. Any other answer, and none, is for boto3's client: the key goes on
there. So the fast client adds no way of being wrong.

`build_request.py` makes the three requests, `signing.py` signs them, `connection.py` carries bytes, `reply.py` is what
comes back, `parse_response.py` understands it, and `client.py` joins them: endpoint, credentials, and keys for boto3.
"""
