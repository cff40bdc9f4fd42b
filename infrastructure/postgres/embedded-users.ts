/**
 * Which processes use the embedded server: one file each in DATA_DIR/postgres-users, named by process id and start
 * time. The last one to leave stops the server; one that was killed is recognised as gone and does not count.
 */
import { randomBytes } from 'node:crypto';
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { processOf } from './postmaster.js';

/** Enters this process; answers how to leave, which tells whether nobody else is left. */
export async function enter(dataDir: string): Promise<() => Promise<boolean>> {
  const folder = join(dataDir, 'postgres-users');
  await mkdir(folder, { recursive: true });
  const startTime = (await processOf(process.pid))?.startTime ?? '0';
  const own = join(folder, `${process.pid}-${startTime}-${randomBytes(4).toString('hex')}`);
  await writeFile(own, '');
  return async () => {
    await rm(own, { force: true });
    return !(await anyoneIn(folder));
  };
}

async function anyoneIn(folder: string): Promise<boolean> {
  let anyone = false;
  for (const name of await readdir(folder).catch(() => [])) {
    const [pid, startTime] = name.split('-');
    const user = await processOf(Number(pid));
    if (user?.alive === true && user.startTime === startTime) anyone = true;
    else await rm(join(folder, name), { force: true });
  }
  return anyone;
}
