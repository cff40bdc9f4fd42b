/** What the configuration accepts, what it refuses and how it is printed. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'tap';
import { ConfigError, SECRET_SETTINGS, readConfig, redacted } from '../../main/config.js';

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
        LOG_URL: 'esdb+discover://corebook:hidden-3@log.example:2113?tls=true',
      }),
    ),
  );
  t.notMatch(printed, SECRET);
  t.notMatch(printed, /hidden-\d/);
  t.match(printed, 'mail.example:465', 'where mail goes is');
});

/** A good value of each secret; a new one needs a line here. */
const SECRETS: Readonly<Record<string, string>> = {
  DATABASE_URL: 'postgres://corebook:hidden@db.example/corebook',
  LOG_URL: 'esdb://admin:hidden@node1.example:2113,node2.example:2113?tls=true&tlsCAFile=/run/secrets/ca',
  REDIS_URL: 'redis://:hidden@jobs.example:6379',
  MAIL_URL: 'smtps://corebook:hidden@mail.example:465',
  MASTER_SECRET: 'm'.repeat(32),
  TOKEN_SECRET: 't'.repeat(32),
};

test('every secret may come from a file', async (t) => {
  t.same([...SECRET_SETTINGS].sort(), Object.keys(SECRETS).sort());
  const directory = t.testdir();
  const environment: Record<string, string> = {};
  for (const [name, value] of Object.entries(SECRETS)) {
    const file = join(directory, name.toLowerCase());
    // An editor ends the last line, on Windows with two characters.
    await writeFile(file, name === 'MASTER_SECRET' ? `${value}\r\n` : `${value}\n`);
    environment[`${name}_FILE`] = file;
  }
  t.match(readConfig(environment), SECRETS);
  t.match(readConfig({ ...environment, MAIL_URL_FILE: '' }), { MAIL_URL: undefined }, 'an empty name is none');
});

test('what is wrong with files of secrets is named, with everything else that is wrong', async (t) => {
  const directory = t.testdir({ empty: '\n', short: 'too-short-secret', good: `${SECRET}\n` });
  const said = (environment: Record<string, string>): string => {
    try {
      readConfig(environment);
    } catch (error) {
      if (error instanceof ConfigError) return error.message;
      throw error;
    }
    return 'nothing';
  };
  const file = (name: string): string => join(directory, name);
  t.match(said({ MASTER_SECRET: SECRET, MASTER_SECRET_FILE: file('good') }), 'MASTER_SECRET is set too');
  t.match(said({ MASTER_SECRET_FILE: file('missing'), PORT: 'many' }), /missing cannot be read \(ENOENT\).*PORT/);
  t.match(said({ MASTER_SECRET_FILE: directory }), /cannot be read \(EISDIR\)/);
  t.match(said({ MASTER_SECRET_FILE: file('empty') }), 'is empty');
  const short = said({ MASTER_SECRET_FILE: file('short') });
  t.match(short, /MASTER_SECRET: /);
  t.notMatch(short, 'too-short-secret', 'what is in the file is not told');
});
