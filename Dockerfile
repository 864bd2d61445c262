# Collector in one image: `collector serve` by default, `collector beacons` or `reports` as asked.
#
# Runs as a user without rights and without a name, on a read-only file system; it writes /data, and
# nothing else. Built from the locked packages, whose hashes are checked.

FROM python:3.11.11-slim-bookworm@sha256:081075da77b2b55c23c088251026fb69a7b2bf92471e491ff5fd75c192fd38e5 AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore
WORKDIR /build
COPY requirements.lock requirements-build.lock ./
RUN python -m venv --without-pip /opt/collector && python -m venv --without-pip tools
RUN pip --python /opt/collector install --require-hashes -r requirements.lock
RUN pip --python tools install --require-hashes -r requirements-build.lock
COPY pyproject.toml README.md LICENSE ./
COPY collector/ collector/
COPY dashboards/ dashboards/
COPY geoip/ geoip/
RUN tools/bin/python -m hatchling build -t wheel -d dist
RUN pip --python /opt/collector install --no-deps --no-index dist/*.whl
RUN mkdir -m 700 data

FROM python:3.11.11-slim-bookworm@sha256:081075da77b2b55c23c088251026fb69a7b2bf92471e491ff5fd75c192fd38e5
COPY --from=build /opt/collector /opt/collector
COPY --from=build --chown=10001:10001 /build/data /data
ENV PATH=/opt/collector/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    COLLECTOR_DATA_DIR=/data \
    COLLECTOR_BEACONS_BIND=0.0.0.0:8000 \
    COLLECTOR_REPORTS_BIND=0.0.0.0:8001
USER 10001:10001
WORKDIR /data
VOLUME /data
EXPOSE 8000 8001
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s CMD ["python", "-m", "collector.health"]
ENTRYPOINT ["collector"]
CMD ["serve"]
