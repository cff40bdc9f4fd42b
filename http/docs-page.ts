import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import express, { type Request, type Response, type Router } from 'express';
import { securityHeaders } from './headers.js';

const DIRECTORY = dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'));
/** What the page needs of the package; the rest (source maps, its own index) is not served. */
const FILES = ['swagger-ui.css', 'swagger-ui-bundle.js', 'favicon-32x32.png'] as const;

/**
 * Everything comes from this server: no CDN, no inline script. Swagger UI writes style attributes, and its icons are
 * data images; nothing else is let through.
 */
const HEADERS = securityHeaders({
  contentSecurityPolicy: {
    useDefaults: false,
    directives: {
      'default-src': ["'none'"],
      'script-src': ["'self'"],
      'style-src': ["'self'", "'unsafe-inline'"],
      'img-src': ["'self'", 'data:'],
      'connect-src': ["'self'"],
      'font-src': ["'self'"],
      'form-action': ["'none'"],
      'base-uri': ["'none'"],
      'frame-ancestors': ["'none'"],
    },
  },
});

const PAGE = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <title>Corebook API</title>
    <link rel="icon" type="image/png" href="/docs/favicon-32x32.png" />
    <link rel="stylesheet" href="/docs/swagger-ui.css" />
  </head>
  <body>
    <div id="reference"></div>
    <noscript>The reference needs JavaScript; the document itself is at <a href="/openapi.json">/openapi.json</a>.</noscript>
    <script src="/docs/swagger-ui-bundle.js"></script>
    <script src="/docs/start.js"></script>
  </body>
</html>
`;

const START = `window.ui = SwaggerUIBundle({
  url: '/openapi.json',
  dom_id: '#reference',
  deepLinking: true,
  validatorUrl: null,
  filter: true,
  docExpansion: 'list',
  persistAuthorization: false,
});
`;

/** The browsable reference at `/docs`. */
export function docsRouter(): Router {
  const router = express.Router({ strict: false, caseSensitive: true });
  router.use((_: Request, response: Response, next) => {
    for (let i = 0; i < HEADERS.length; i += 2) response.setHeader(HEADERS[i] ?? '', HEADERS[i + 1] ?? '');
    next();
  });
  router.get('/', (_: Request, response: Response) => {
    response.type('html').set('Cache-Control', 'no-cache').send(PAGE);
  });
  router.get('/start.js', (_: Request, response: Response) => {
    response.type('js').set('Cache-Control', 'no-cache').send(START);
  });
  for (const file of FILES) {
    router.get(`/${file}`, (_: Request, response: Response) => {
      response.sendFile(file, { root: DIRECTORY, maxAge: '1h' });
    });
  }
  return router;
}
