# One image for API, worker and migration; the command says which.
FROM node:24-bookworm-slim AS build
WORKDIR /plumbline
COPY package.json package-lock.json ./
COPY db/package.json db/
COPY nodes/package.json nodes/
COPY workflows/package.json workflows/
COPY engine/package.json engine/
COPY studio/package.json studio/
COPY tests/package.json tests/
# The server's database is elsewhere, so the embedded one's install script is not needed.
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY . .
RUN npx turbo run build --no-update-notifier && npm prune --omit=dev --ignore-scripts --no-audit --no-fund

FROM node:24-bookworm-slim
ENV NODE_ENV=production
WORKDIR /plumbline
COPY --from=build --chown=root:root /plumbline /plumbline
USER node
EXPOSE 4400
CMD ["node", "engine/src/server-main.ts"]
