# One image; `api`, `worker`, `migrate` and every other verb of `zeroten` are its commands. PostgreSQL is not inside.
FROM python:3.13-slim AS build
WORKDIR /build
COPY requirements-image.lock ./
RUN python -m venv /zeroten \
    && /zeroten/bin/pip install --no-cache-dir --disable-pip-version-check --require-hashes -r requirements-image.lock
COPY pyproject.toml README.md LICENSE NOTICE ./
COPY app app
COPY migrations migrations
RUN /zeroten/bin/pip install --no-cache-dir --disable-pip-version-check --no-deps --no-build-isolation . \
    && /zeroten/bin/pip uninstall --yes --quiet hatchling pip

FROM python:3.13-slim
RUN apt-get update \
    && apt-get install --yes --no-install-recommends tini \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --user-group --no-create-home --home-dir /nonexistent zeroten
COPY --from=build /zeroten /zeroten
ENV PATH=/zeroten/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    ZEROTEN_HOST=0.0.0.0 \
    ZEROTEN_PORT=8010 \
    ZEROTEN_LOG_FORMAT=json
USER 10001:10001
EXPOSE 8010
# For `api`; a worker answers nobody, so compose.yaml switches this off for it.
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s \
    CMD ["python", "-c", "import os, urllib.request as r; r.urlopen(f'http://127.0.0.1:{os.environ[\"ZEROTEN_PORT\"]}/livez', timeout=2)"]
ENTRYPOINT ["tini", "--", "zeroten"]
CMD ["api"]
