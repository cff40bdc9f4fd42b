/**
 * The fake as a process of its own: `npx tsx tests/support/eventstore-fake/serve.ts --port 2113 [--file PATH]` prints its
 * URL and serves until SIGTERM. With a file it keeps everything, whatever kills it.
 */
import { parseArgs } from 'node:util';
import { EventStoreFake } from './fake.js';
import { FakeStore } from './store.js';

const { values } = parseArgs({
  options: {
    port: { type: 'string', default: '0' },
    file: { type: 'string' },
    user: { type: 'string' },
    version: { type: 'string' },
  },
});
const [name, password = ''] = values.user?.split(':') ?? [];
const store = new FakeStore(values.file);
const fake = new EventStoreFake({
  port: Number.parseInt(values.port, 10),
  store,
  ...(name !== undefined && { users: { [name]: password } }),
  ...(values.version !== undefined && { version: values.version }),
});
await fake.start();
process.once('SIGTERM', () => {
  void fake.stop().then(() => {
    store.close();
    process.exit(0);
  });
});
console.log(fake.url);
