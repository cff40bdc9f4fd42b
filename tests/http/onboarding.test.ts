import t from 'tap';
import { tenantIdOf } from '../../domain/shared/ids.js';
import { HttpWorld } from '../support/http-world.js';
import { walk } from '../support/walk.js';

const EMAIL = 'walk@customers.example';

t.test('the documented onboarding, as a script walks it', async (t) => {
  const world = await HttpWorld.open();
  t.teardown(() => world.close());
  const environment = { URL: `http://127.0.0.1:${world.port}`, TENANT: 'demo', EMAIL };
  const { code, stdout, stderr } = await walk('onboarding.sh', environment);
  t.equal(code, 0, stdout + stderr);
  t.match(stdout, /self-registration: true/);
  t.match(stdout, /a password has at least 8 characters/);
  t.match(stdout, /customer [0-9A-Z]{6} is PENDING_VERIFICATION/);
  t.match(stdout, /good for 3600 seconds/);
  t.match(stdout, /Chidi, \+2348031234567/);
  t.match(stdout, /has one: true/);
  t.match(stdout, /the profile answers 401/);
  t.match(stdout, /the refresh token answers 401/);
  const customer = /onboarded (\w+)/.exec(stdout)?.[1] ?? '';
  const view = await world.identity.readModels.customer(tenantIdOf('demo'), customer);
  t.match(view, { person: { email: EMAIL }, hasTransactionPin: true });

  const second = await walk('onboarding.sh', environment);
  t.not(second.code, 0, 'it says so when a step is refused');
  t.match(second.stderr, /refused: .*"field":"email","code":"DUPLICATE"/);
  const closed = { preferences: { ALLOW_PLAINTEXT_SECRETS: 'NO' } };
  const path = '/api/v6/services/admin/organisation-preference-management/update-organisation-preference';
  await world.send(path, { method: 'PUT', body: closed });
  const strict = await walk('onboarding.sh', { ...environment, EMAIL: 'strict@customers.example' });
  t.equal(strict.code, 0, `it needs no plain secrets ${strict.stderr}`);
});
