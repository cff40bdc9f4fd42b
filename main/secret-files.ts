import { readFileSync } from 'node:fs';

/** What the environment holds once the files that it names are read, and what was wrong with them. */
interface Given {
  readonly values: Readonly<Record<string, string | undefined>>;
  readonly wrong: readonly string[];
}

/**
 * Secrets by file, as Docker and Kubernetes hand them over: `NAME_FILE` names a file that holds the value of `NAME`. Line
 * ends after the value do not count. An empty variable is as good as none, an empty file is a mistake: a secret that
 * comes out as "none" would be made up anew. No message quotes what is in a file.
 */
export function readSecretFiles(environment: Readonly<Record<string, string>>, names: readonly string[]): Given {
  const values: Record<string, string | undefined> = { ...environment };
  const wrong: string[] = [];
  for (const name of names) {
    const fileName = `${name}_FILE`;
    const path = environment[fileName];
    if (path === undefined) continue;
    if (environment[name] !== undefined) {
      wrong.push(`${fileName}: ${name} is set too; give one of them`);
      continue;
    }
    const read = contentOf(path);
    if ('value' in read) values[name] = read.value;
    else wrong.push(`${fileName}: ${read.error}`);
  }
  return { values, wrong };
}

function contentOf(path: string): { readonly value: string } | { readonly error: string } {
  try {
    const value = readFileSync(path, 'utf8').replace(/[\r\n]+$/, '');
    return value === '' ? { error: `the file ${path} is empty` } : { value };
  } catch (error) {
    return { error: `the file ${path} cannot be read (${(error as NodeJS.ErrnoException).code ?? String(error)})` };
  }
}
