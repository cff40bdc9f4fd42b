import type { Method, Route } from './endpoint.js';

/** Methods and paths to values: exact, case-sensitive, a trailing slash is part of the path. */
export class Router<T> {
  readonly #fixed = new Map<string, Leaf<T>>();
  readonly #root: Node<T> = { children: new Map(), wildcard: undefined, leaf: undefined };

  /** Throws when the route is taken: two definitions must not share one. */
  add(route: Route, value: T): void {
    const names: string[] = [];
    const segments = route.path.split('/');
    let node = this.#root;
    for (const segment of segments) {
      const name = /^\{(\w+)\}$/.exec(segment)?.[1];
      if (name !== undefined) names.push(name);
      node = name === undefined ? childOf(node, segment) : wildcardOf(node);
    }
    node.leaf ??= new Map();
    if (node.leaf.has(route.method)) throw new Error(`${route.method} ${route.path} is defined twice`);
    node.leaf.set(route.method, { value, names });
    if (names.length === 0) this.#fixed.set(route.path, node.leaf);
  }

  /** Undefined: no such path. Without `found`: the path exists, `allowed` says with which methods. */
  match(method: string, path: string): Match<T> | undefined {
    const fixed = this.#fixed.get(path);
    const values: string[] = [];
    const leaf = fixed ?? find(this.#root, path.split('/'), 0, values);
    if (leaf === undefined) return undefined;
    const found = leaf.get((method === 'HEAD' ? 'GET' : method) as Method);
    return found === undefined
      ? { allowed: [...leaf.keys()] }
      : { allowed: [], found: found.value, names: found.names, values };
  }
}

export interface Match<T> {
  readonly allowed: readonly Method[];
  readonly found?: T;
  readonly names?: readonly string[];
  /** Raw (still percent-encoded) values of `names`. */
  readonly values?: readonly string[];
}

type Leaf<T> = Map<Method, { readonly value: T; readonly names: readonly string[] }>;
interface Node<T> {
  readonly children: Map<string, Node<T>>;
  wildcard: Node<T> | undefined;
  leaf: Leaf<T> | undefined;
}

function childOf<T>(node: Node<T>, segment: string): Node<T> {
  let child = node.children.get(segment);
  if (child === undefined) {
    child = { children: new Map(), wildcard: undefined, leaf: undefined };
    node.children.set(segment, child);
  }
  return child;
}

function wildcardOf<T>(node: Node<T>): Node<T> {
  node.wildcard ??= { children: new Map(), wildcard: undefined, leaf: undefined };
  return node.wildcard;
}

/** Depth is bounded by the longest route, whatever the path: nothing below it matches. */
function find<T>(node: Node<T>, segments: readonly string[], index: number, values: string[]): Leaf<T> | undefined {
  const segment = segments[index];
  if (segment === undefined) return node.leaf;
  const child = node.children.get(segment);
  if (child !== undefined) {
    const leaf = find(child, segments, index + 1, values);
    if (leaf !== undefined) return leaf;
  }
  if (node.wildcard === undefined || segment === '') return undefined;
  values.push(segment);
  const leaf = find(node.wildcard, segments, index + 1, values);
  if (leaf === undefined) values.pop();
  return leaf;
}

/** Decoded parameters by name; undefined when one is not proper percent-encoding. */
export function decodeParams(names: readonly string[], values: readonly string[]): Record<string, string> | undefined {
  const params: Record<string, string> = {};
  for (let i = 0; i < names.length; i += 1) {
    const raw = values[i] ?? '';
    try {
      params[names[i] ?? ''] = raw.includes('%') ? decodeURIComponent(raw) : raw;
    } catch {
      return undefined;
    }
  }
  return params;
}
