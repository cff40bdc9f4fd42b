/** What can be checked of the image without a container engine, and the scripts that make what the containers mount. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { once } from 'node:events';
import { join, resolve } from 'node:path';
import type { AddressInfo } from 'node:net';
import { connect, createServer } from 'node:tls';
import { test } from 'tap';
import { SETTINGS } from '../../main/config.js';
import { VERSION } from '../../main/version.js';

interface Instruction {
  readonly word: string;
  readonly text: string;
}

/** The stages of the Dockerfile, each with its instructions; the first is its FROM. */
function stagesOf(dockerfile: string): Instruction[][] {
  const stages: Instruction[][] = [];
  for (const line of dockerfile.replaceAll(/\\\n/g, ' ').split('\n')) {
    const [, word, text] = /^([A-Z]+)\s+(.*)$/.exec(line) ?? [];
    if (word === undefined || text === undefined) continue;
    if (word === 'FROM') stages.push([]);
    stages.at(-1)?.push({ word, text });
  }
  return stages;
}

const STAGES = stagesOf(readFileSync('Dockerfile', 'utf8'));
const FINAL = STAGES.at(-1) ?? [];
const textsOf = (stage: readonly Instruction[], word: string): string[] =>
  stage.filter((instruction) => instruction.word === word).map(({ text }) => text);
/** What a stage takes from the checkout. */
const copied = (stage: readonly Instruction[]): string[] =>
  textsOf(stage, 'COPY')
    .filter((text) => !text.startsWith('--from='))
    .flatMap((text) => text.split(/\s+/).slice(0, -1));

test('the image is of one known Node, small, and nobody’s root', async (t) => {
  t.ok(STAGES.length > 1, 'compilers stay in a stage of their own');
  const bases = new Set(STAGES.map(([from]) => from!.text.split(' ')[0]));
  t.same([...bases], ['node:20.20.2-bookworm-slim'], 'one base, by its exact version');
  t.match(textsOf(FINAL, 'USER').at(-1), /^(?!root|0\b)\w+$/, 'the last stage ends as a user who is not root');
  t.equal(textsOf(FINAL, 'RUN').length, 0, 'and runs nothing as root before');
  t.match(textsOf(FINAL, 'HEALTHCHECK')[0], 'build/main/health.js');
  t.ok(existsSync('main/health.ts'));
  const names = textsOf(FINAL, 'ENV').flatMap((text) => [...text.matchAll(/(\w+)=/g)].map(([, name]) => name!));
  for (const name of names) t.ok(SETTINGS.includes(name), `${name} is known`);
  t.ok(STAGES.some((stage) => textsOf(stage, 'RUN').some((text) => text.includes('npm ci --omit=dev'))));
});

test('the release has one number everywhere', async (t) => {
  const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
  t.equal(VERSION, version, 'main/version.ts');
  for (const file of ['Dockerfile', 'docker-compose.yml']) {
    const images = [...readFileSync(file, 'utf8').matchAll(/\bcorebook:(\d[\w.]*)/g)].map(([, found]) => found);
    t.ok(images.length > 0 && images.every((found) => found === version), file);
  }
});

test('whatever is copied is there, and may be sent to the builder; nothing else may', async (t) => {
  const patterns = readFileSync('.dockerignore', 'utf8').split('\n');
  t.ok(patterns.includes('*'), 'everything is left out');
  const sent = patterns.filter((line) => line.startsWith('!')).map((line) => line.slice(1));
  const sources = new Set(STAGES.flatMap(copied));
  for (const source of sources) {
    t.ok(existsSync(source), `${source} exists`);
    t.ok(sent.includes(source.split('/')[0]!), `${source} is sent`);
  }
  for (const name of sent)
    t.ok(
      [...sources].some((source) => source.split('/')[0] === name),
      `${name} is used`,
    );
  for (const stage of STAGES) {
    for (const from of textsOf(stage, 'COPY').map((text) => /^--from=(\S+)/.exec(text)?.[1])) {
      if (from !== undefined)
        t.ok(
          STAGES.some(([first]) => first!.text.endsWith(` AS ${from}`)),
          `stage ${from} exists`,
        );
    }
  }
  const { include } = JSON.parse(readFileSync('tsconfig.json', 'utf8')) as { include: string[] };
  for (const folder of include.filter((name) => !['tests', 'bench'].includes(name)))
    t.ok(copied(STAGES[0]!).includes(folder), `${folder} is compiled`);
});

test('secrets are made once, and only their owner enters the folder', async (t) => {
  const folder = join(t.testdir({}), 'secrets');
  const make = (...parameters: string[]): string =>
    execFileSync(resolve('deploy/make-secrets.sh'), parameters, {
      env: { ...process.env, SECRETS_DIR: folder },
      encoding: 'utf8',
    });
  const all = (): Record<string, string> =>
    Object.fromEntries(readdirSync(folder).map((name) => [name, readFileSync(join(folder, name), 'utf8')]));
  t.match(make(), 'MAIL_URL_FILE=', 'without a mail server it says how to go on');
  const first = all();
  t.equal(first['mail_url'], '');
  t.equal(statSync(folder).mode & 0o777, 0o700);
  make('smtps://user:password@mail.example:465');
  t.same(
    all(),
    { ...first, mail_url: 'smtps://user:password@mail.example:465\n' },
    'the second run adds what was missing',
  );
  t.notSame(first['master_secret'], first['token_secret']);
  for (const name of ['master_secret', 'token_secret', 'postgres_password'])
    t.match(first[name], /^[0-9a-f]{48}\n$/, name);
});

test('a node’s certificate is for that node, and signed by our authority', async (t) => {
  const folder = join(t.testdir({}), 'certificates');
  const env = { ...process.env, CERTIFICATES_DIR: folder };
  execFileSync(resolve('deploy/make-certificates.sh'), ['eventstore', 'eventstore-2'], { env });
  const read = (name: string): string => readFileSync(join(folder, name), 'utf8');
  t.equal(statSync(folder).mode & 0o777, 0o700);
  t.equal(statSync(join(folder, 'ca', 'ca.key')).mode & 0o777, 0o400, 'the authority’s key is its owner’s');
  const ca = read('ca/ca.crt');
  const node = { key: read('eventstore-2/node.key'), cert: read('eventstore-2/node.crt') };
  // Nodes show each other their certificate: it must do for both ends.
  const server = createServer({ ...node, ca, requestCert: true, rejectUnauthorized: true }, (socket) => socket.end());
  server.on('tlsClientError', () => undefined);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  const { port } = server.address() as AddressInfo;
  const reached = (servername: string, trusted: string | undefined): Promise<string> =>
    new Promise((resolve) => {
      const client = { key: read('eventstore/node.key'), cert: read('eventstore/node.crt') };
      const socket = connect(
        { ...client, port, host: '127.0.0.1', servername, ...(trusted && { ca: trusted }) },
        () => {
          const { subject } = socket.getPeerCertificate();
          socket.destroy();
          resolve(`reached ${String(subject.CN)}`);
        },
      );
      socket.on('error', (error: NodeJS.ErrnoException) => resolve(String(error.code)));
    });
  t.equal(await reached('eventstore-2', ca), 'reached eventstoredb-node');
  t.equal(await reached('localhost', ca), 'reached eventstoredb-node', 'its own health check');
  t.equal(await reached('eventstore-3', ca), 'ERR_TLS_CERT_ALTNAME_INVALID', 'not for another node');
  t.match(await reached('eventstore-2', undefined), /UNABLE_TO|SELF_SIGNED/, 'not for who does not know the authority');
  const before = read('eventstore/node.crt');
  execFileSync(resolve('deploy/make-certificates.sh'), [], { env });
  t.equal(read('eventstore/node.crt'), before, 'a second run keeps what is there');
  t.ok(existsSync(join(folder, 'eventstore-3', 'node.crt')), 'and adds what is missing');
});
