// A process that takes one job and never finishes it, for the test that kills it: argv[2] is { queue, ...options } as JSON.
import { type JobQueuesOptions, openJobQueues } from '../../infrastructure/jobs/open-job-queues.js';

const { queue, ...options } = JSON.parse(process.argv[2] ?? '') as { queue: string } & Omit<
  JobQueuesOptions,
  'observer'
>;
const queues = await openJobQueues({
  ...options,
  observer: { connectionError: () => undefined, attemptFailed: () => undefined },
});
await queues.open(queue, { attempts: 3, firstDelayMs: 100 }).work((job) => {
  process.stdout.write(`${job.id}\n`);
  return new Promise(() => undefined);
});
