import { get } from 'node:http';
import { readConfig } from './config.js';
import { endWhenDone } from './end.js';

/**
 * What a container's health check runs (`node build/main/health.js`): asks this container's own /health and exits with 0
 * or 1. A program of its own, because starting the whole command line every few seconds costs a second each.
 */
const TIMEOUT_MS = 3_000;

const config = readConfig();
const port = config.ROLES.includes('api') ? config.PORT : config.OPS_PORT;

function unhealthy(reason: string): void {
  process.stdout.write(`unhealthy: ${reason}\n`);
  process.exitCode = 1;
}

endWhenDone();
if (port === undefined) {
  unhealthy('OPS_PORT is not set, and this process serves no API');
} else {
  const request = get({ host: '127.0.0.1', port, path: '/health', timeout: TIMEOUT_MS }, (response) => {
    response.resume();
    if (response.statusCode !== 200) unhealthy(`/health answers ${response.statusCode}`);
    request.destroy();
  });
  request.on('timeout', () => request.destroy(new Error(`no answer within ${TIMEOUT_MS / 1_000} s`)));
  request.on('error', (error) => unhealthy(error.message));
}
