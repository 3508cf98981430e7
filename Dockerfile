# The worker's image: Python, boto3 and the worker package; no credentials, no settings.
#
#   docker build -t s3reclass-worker .
#   docker run s3reclass-worker restore --help
#
# Only what every builder knows (no BuildKit syntax): `push-image` builds through the engine's API.

ARG BASE_IMAGE=public.ecr.aws/docker/library/python:3.13-slim

FROM ${BASE_IMAGE} AS build
COPY requirements/worker.txt /tmp/worker.txt
# As the lock says: wheels alone, since building would fetch tools that no lock pins, and nothing resolved again.
RUN pip install --no-cache-dir --no-compile --only-binary :all: --no-deps --require-hashes --target /app/packages -r /tmp/worker.txt \
    && PYTHONPATH=/app/packages pip check
# botocore describes 400 services; the worker talks to S3, and its credentials may come by way of STS or SSO.
RUN find /app/packages/botocore/data -mindepth 1 -maxdepth 1 -type d \
        ! -name s3 ! -name sts ! -name sso ! -name sso-oidc ! -name signin -exec rm -r {} + \
    && rm -rf /app/packages/bin
COPY worker/ /app/worker/
# Compiled here, since the user below can't write there; readable, whatever the umask of the checkout.
RUN python -m compileall -q --invalidation-mode unchecked-hash /app && chmod -R a+rX /app

FROM ${BASE_IMAGE} AS worker
ENV PYTHONPATH=/app/packages PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
COPY --from=build /app /app
WORKDIR /app
# A number, so that "runAsNonRoot" policies can see that it isn't root.
USER 10001:10001
ENTRYPOINT ["python", "-m", "worker"]

# For `push-image --with-lots`: a job's lots travel inside the image.
FROM worker AS with-lots
COPY lots/ /lots/

# A build without --target makes the last stage, which is the worker alone.
FROM worker
