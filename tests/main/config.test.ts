/** What the configuration accepts, what it refuses and how it is printed. */
import { test } from 'tap';
import { ConfigError, readConfig, redacted } from '../../main/config.js';

const SECRET = 'x'.repeat(32);

test('without any variable it is a sandbox on this machine', async (t) => {
  const config = readConfig({});
  t.match(config, {
    PORT: 3000,
    HOST: '127.0.0.1',
    sandbox: true,
    production: false,
    ROLES: ['api', 'projector', 'worker'],
  });
  t.equal(config.MAIL_URL, undefined, 'mail stays in the outbox');
});

test('an empty variable is as good as none', async (t) => {
  t.equal(readConfig({ PORT: '', MAIL_URL: '' }).PORT, 3000);
});

test('production asks for a mail server, or to be told that there is none', async (t) => {
  t.throws(() => readConfig({ NODE_ENV: 'production' }), { name: 'ConfigError', message: /MAIL_URL/ });
  const mailing = readConfig({ NODE_ENV: 'production', MAIL_URL: 'smtp://mail.example:587' });
  t.match(mailing, { production: true, sandbox: false });
  t.equal(readConfig({ NODE_ENV: 'production', ALLOW_SIMULATORS: 'true' }).sandbox, false, 'no demo tenants by that');
});

test('in production nobody pretends to pay out', async (t) => {
  const production = { NODE_ENV: 'production', MAIL_URL: 'smtp://mail.example:587' };
  const simulator = { ...production, PAYOUT_PARTNER: 'simulator' };
  t.equal(readConfig({}).PAYOUT_PARTNER, 'simulator');
  t.equal(readConfig({ PAYOUT_PARTNER: 'none' }).PAYOUT_PARTNER, 'none');
  t.equal(readConfig(production).PAYOUT_PARTNER, 'none');
  t.throws(() => readConfig(simulator), { name: 'ConfigError', message: /PAYOUT_PARTNER/ });
  t.equal(readConfig({ ...simulator, ALLOW_SIMULATORS: 'true' }).PAYOUT_PARTNER, 'simulator');
});

test('what is wrong is named, all of it', async (t) => {
  const wrong = {
    PORT: 'many',
    MASTER_SECRET: 'short',
    MAIL_URL: 'http://mail.example',
    ROLES: 'api,king',
    MAIL_FROM: 'nobody',
  };
  t.throws(() => readConfig(wrong), ConfigError);
  try {
    readConfig(wrong);
  } catch (error) {
    for (const name of Object.keys(wrong)) t.match((error as Error).message, name, name);
  }
});

test('secrets are not printed', async (t) => {
  const printed = JSON.stringify(
    redacted(
      readConfig({
        MASTER_SECRET: SECRET,
        TOKEN_SECRET: SECRET,
        DATABASE_URL: 'postgres://corebook:hidden-1@db.example/corebook',
        MAIL_URL: 'smtps://corebook:hidden-2@mail.example:465',
      }),
    ),
  );
  t.notMatch(printed, SECRET);
  t.notMatch(printed, /hidden-\d/);
  t.match(printed, 'mail.example:465', 'where mail goes is');
});
