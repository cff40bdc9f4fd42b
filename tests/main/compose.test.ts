/** The compose files as docker-compose reads and merges them: does what they say fit together, and is it closed? */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { test, type Test } from 'tap';
import { SETTINGS, readConfig } from '../../main/config.js';
import { type ComposeProject, type ComposeService, composeProject } from '../support/compose.js';

const PROJECTS = {
  'one event store': ['docker-compose.yml'],
  'a cluster of event stores': ['docker-compose.yml', 'docker-compose.cluster.yml'],
} as const;
const ROLES = ['api', 'projector', 'worker'];
/** Where docker-compose mounts a secret unless told otherwise. */
const MOUNTED = '/run/secrets/';
/** What the server takes at most (TFConsts.EffectiveMaxLogRecordSize in its sources); it does not start with more. */
const MOST_OF_AN_APPEND = 16 * 1024 * 1024 - 10_000;
/** What the image brings, see the Dockerfile. */
const IMAGE = { NODE_ENV: 'production', HOST: '0.0.0.0', PORT: '3000', OPS_PORT: '3001' };

const version = (JSON.parse(readFileSync('package.json', 'utf8')) as { version: string }).version;
const isApplication = ({ image }: ComposeService): boolean => image.startsWith('corebook:');
const isEventStore = ({ image }: ComposeService): boolean => image.includes('kurrentdb');
const namesOf = (project: ComposeProject, is: (service: ComposeService) => boolean): string[] =>
  Object.keys(project.services).filter((name) => is(project.services[name]!));
const seconds = (text = '0s'): number => Number.parseInt(text, 10) * (text.endsWith('m') ? 60 : 1);

for (const [title, files] of Object.entries(PROJECTS)) {
  test(title, async (t) => {
    const project = await composeProject(files);
    if (project === undefined) {
      t.not(process.env['CI_REQUIRE_COMPOSE'], '1', 'docker-compose must be installed here');
      t.pass('the compose files', { skip: 'docker-compose is not installed' });
      return;
    }
    for (const [name, service] of Object.entries(project.services)) hardened(t, name, service);
    closed(t, project);
    secretsAreFiles(t, project);
    applicationIsConfigured(t, project);
    eventStoresAgree(t, project);
  });
}

/** Whatever it is: it is known which, it may not take the machine, somebody notices when it is ill, and it is nobody's root. */
function hardened(t: Test, name: string, service: ComposeService): void {
  t.match(service.image, /:\d+\.\d+[\w.-]*$/, `${name}: an exact version`);
  t.ok(service.healthcheck !== undefined && service.healthcheck.test[0] !== 'NONE', `${name}: a health check`);
  t.ok(service.mem_limit !== undefined && service.cpus !== undefined, `${name}: limits of memory and processors`);
  t.ok(Number(service.pids_limit) > 0, `${name}: a limit of processes`);
  t.match(service.user, /^[1-9]\d*:[1-9]\d*$/, `${name}: not root`);
  t.same(service.cap_drop, ['ALL'], `${name}: no capabilities`);
  t.ok(service.security_opt?.includes('no-new-privileges:true'), `${name}: no new privileges`);
  t.equal(service.restart, 'unless-stopped', `${name}: starts again`);
  t.ok(service.logging?.options['max-size'], `${name}: a limit of its log`);
  t.ok(seconds(service.stop_grace_period) >= 30, `${name}: time to stop`);
  if (!isEventStore(service)) t.equal(service.read_only, true, `${name}: a file system that nobody changes`);
}

/** Only the API is reached from outside its network, and from this machine only. */
function closed(t: Test, project: ComposeProject): void {
  t.equal(project.networks['data']?.internal, true, 'the network of the stores is internal');
  for (const [name, service] of Object.entries(project.services)) {
    if (!isApplication(service)) t.same(Object.keys(service.networks), ['data'], `${name}: in the inner network only`);
    if (name !== 'api') t.equal(service.ports, undefined, `${name}: publishes nothing`);
  }
  const ports = project.services['api']?.ports ?? [];
  t.equal(ports.length, 1);
  t.match(ports[0], /^127\.0\.0\.1:\d+-\d+:3000\//, 'a range, so that --scale has room');
}

function secretsAreFiles(t: Test, project: ComposeProject): void {
  for (const [name, { file }] of Object.entries(project.secrets)) t.type(file, 'string', `secret ${name} is a file`);
  for (const [name, { environment = {}, secrets = [] }] of Object.entries(project.services)) {
    const mounted = secrets.map(({ source, target }) => {
      t.ok(project.secrets[source], `${name}: secret ${source} is defined`);
      return target?.startsWith('/') === true ? target : `${MOUNTED}${target ?? source}`;
    });
    for (const [variable, value] of Object.entries(environment)) {
      if (value.startsWith(MOUNTED)) t.ok(mounted.includes(value), `${name}: ${variable} is mounted`);
      else t.notMatch(variable, /PASSWORD|SECRET|_URL$/, `${name}: ${variable} comes from a file`);
    }
  }
}

/** With the secrets that our script makes, every service of ours has a configuration that it accepts. */
function applicationIsConfigured(t: Test, project: ComposeProject): void {
  const folder = t.testdir({});
  const env = { ...process.env, SECRETS_DIR: folder };
  execFileSync(resolve('deploy/make-secrets.sh'), ['smtps://user:password@mail.example:465'], { env });
  const fileOf = (source: string): string => join(folder, (project.secrets[source]?.file ?? '').replace(/^.*\//, ''));
  const applications = namesOf(project, isApplication);
  const stores = Object.keys(project.services).filter((name) => !applications.includes(name));
  const done: string[] = [];
  for (const name of applications) {
    const { image, environment = {}, depends_on: dependsOn = {} } = project.services[name]!;
    t.equal(image, `corebook:${version}`, `${name}: this version`);
    for (const variable of Object.keys(environment)) t.ok(SETTINGS.includes(variable), `${name}: ${variable} is known`);
    const filled = Object.entries(environment).map(([variable, value]) =>
      value.startsWith(MOUNTED) ? [variable, fileOf(value.slice(MOUNTED.length))] : [variable, value],
    );
    const config = readConfig({ ...IMAGE, ...(Object.fromEntries(filled) as Record<string, string>) });
    done.push(...config.ROLES);
    t.match(config, { production: true, sandbox: false, DATABASE_URL: /@postgres:/, REDIS_URL: /@redis:/ }, name);
    t.ok(config.MASTER_SECRET !== undefined && config.TOKEN_SECRET !== undefined, `${name}: the same secrets for all`);
    t.same(Object.keys(dependsOn).sort(), stores.sort(), `${name}: waits for every store`);
    for (const { condition } of Object.values(dependsOn)) t.equal(condition, 'service_healthy');
    const [address, options] = (config.LOG_URL ?? '').split('?');
    const hosts = /^esdb:\/\/(?:[^@]*@)?(.*)$/.exec(address ?? '')?.[1]?.split(',') ?? [];
    const nodes = namesOf(project, isEventStore).map((node) => `${node}:2113`);
    t.same(hosts.sort(), nodes.sort(), `${name}: every node of the log is named`);
    const parameters = new URLSearchParams(options);
    const secure = hosts.length > 1;
    t.equal(parameters.get('tls'), String(secure), `${name}: TLS`);
    const authorities = project.services[name]!.secrets?.map(({ source }) => `${MOUNTED}${source}`) ?? [];
    if (secure) t.ok(authorities.includes(parameters.get('tlsCAFile') ?? ''), `${name}: the authority is mounted`);
    t.ok(seconds(project.services[name]!.stop_grace_period) >= 45, `${name}: longer than a shutdown may take`);
  }
  t.same(done.sort(), ROLES, 'every role is somebody’s, and once');
}

/** The nodes know each other, and differ in what must differ. */
function eventStoresAgree(t: Test, project: ComposeProject): void {
  const nodes = namesOf(project, isEventStore);
  const homes = new Set<string>();
  for (const name of nodes) {
    const { environment = {}, volumes = [], secrets = [] } = project.services[name]!;
    t.ok(Number(environment['KURRENTDB_MAX_APPEND_SIZE']) > 1024 * 1024, `${name}: takes large batches`);
    t.ok(Number(environment['KURRENTDB_MAX_APPEND_SIZE']) <= MOST_OF_AN_APPEND, `${name}: would start with that`);
    t.equal(environment['KURRENTDB_CLUSTER_SIZE'], String(nodes.length));
    const data = volumes.filter((volume) => volume.includes(':/var/lib/kurrentdb'));
    t.equal(data.length, 1, `${name}: one volume for its data`);
    homes.add(data[0]!.split(':')[0]!);
    t.equal(environment['KURRENTDB_INSECURE'], String(nodes.length === 1));
    if (nodes.length === 1) continue;
    const others = nodes.filter((other) => other !== name).map((other) => `${other}:2113`);
    t.same(environment['KURRENTDB_GOSSIP_SEED']?.split(',').sort(), others.sort(), `${name}: knows the others`);
    t.equal(environment['KURRENTDB_NODE_HOST_ADVERTISE_AS'], name);
    t.equal(environment['KURRENTDB_REPLICATION_HOST_ADVERTISE_AS'], name);
    const certificate = secrets.find(({ target }) => target === 'eventstore_certificate')?.source ?? '';
    t.match(project.secrets[certificate]?.file, new RegExp(`/certificates/${name}/node\\.crt$`), `${name}: its own`);
    const key = secrets.find(({ target }) => target === 'eventstore_key')?.source ?? '';
    t.match(project.secrets[key]?.file, new RegExp(`/certificates/${name}/node\\.key$`), `${name}: its own`);
  }
  t.equal(homes.size, nodes.length, 'no two nodes share a volume');
  const mounted = Object.values(project.secrets).map(({ file }) => file);
  t.notOk(
    mounted.some((file) => file?.endsWith('ca.key')),
    'the authority’s key goes into no container',
  );
}
