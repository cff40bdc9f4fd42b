import { z } from 'zod';
import { defineEndpoint } from '../endpoint.js';
import { JWK_EXAMPLE, jwkOut, jwkShape } from './key-shape.js';
import { refusedKeys } from './refused-keys.js';

export const jwks = defineEndpoint({
  id: 'jwks',
  group: 'security',
  title: 'JSON Web Key Set',
  description:
    'RFC 7517: the tenant’s public keys that are accepted now. `use: sig` verify access tokens (RS256), `use: enc` are for secrets in bodies.',
  method: 'GET',
  path: '/api/v6/services/securitymanagement/jwks',
  aliases: [{ method: 'GET', path: '/.well-known/jwks.json' }],
  roles: 'PUBLIC',
  tenant: 'named',
  kind: 'query',
  movesMoney: false,
  unknownMembers: 'refuse',
  requestExamples: { one: {} },
  success: {
    status: 200,
    description: 'The key set',
    data: z.object({ keys: z.array(jwkShape) }),
    example: { keys: [JWK_EXAMPLE] },
    envelope: false,
  },
  errors: [],
  async handler(call) {
    const { keys } = call.services.identity;
    const published = await refusedKeys(() => keys.published(call.caller.tenantId));
    if ('kind' in published) return published;
    const content = JSON.stringify({ keys: published.map((key) => jwkOut(keys, key)) });
    return { kind: 'file', status: 200, contentType: 'application/json; charset=utf-8', content };
  },
});
