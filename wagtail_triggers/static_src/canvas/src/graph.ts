/* The graph and everything that can be done to it. Nothing here knows React, the page or the server;
 * every function returns a new graph and leaves the old one as it was. */

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
export type Settings = Record<string, Json>;
export type Position = readonly [number, number];

export interface Step {
  readonly id: string;
  readonly kind: string;
  readonly settings: Settings;
  readonly position?: Position;
  /** What editors tell each other about the step. */
  readonly note?: string;
}

export interface Way {
  readonly source: string;
  readonly port: string;
  readonly target: string;
}

export interface Graph {
  readonly nodes: readonly Step[];
  readonly edges: readonly Way[];
}

export type Role = 'entry' | 'step' | 'watch';
export type Port = readonly [name: string, label: string];

export interface Kind {
  readonly kind: string;
  readonly label: string;
  readonly description: string;
  readonly icon: string;
  readonly role: Role;
  readonly settings: Settings;
  readonly ports: readonly Port[];
}

/** The ways out of a step, in their order. */
export type PortsOf = (step: Step) => readonly Port[];
export type KindOf = (kind: string) => Kind | undefined;

/** What the operations must know of the kinds of steps. */
export interface World {
  readonly portsOf: PortsOf;
  readonly kindOf: KindOf;
}

export interface Place {
  readonly source: string;
  readonly port: string;
}

export const EMPTY: Graph = { nodes: [], edges: [] };

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Read a graph from text; null if it is none that can be drawn. */
export function parse(text: string): Graph | null {
  let data: unknown;
  try {
    data = JSON.parse(text.trim() || '{}');
  } catch {
    return null;
  }
  if (!isRecord(data)) return null;
  const { nodes = [], edges = [], ...others } = data;
  if (!Array.isArray(nodes) || !Array.isArray(edges) || Object.keys(others).length > 0) return null;
  const seen = new Set<string>();
  for (const one of nodes as unknown[]) {
    if (!isRecord(one) || typeof one.id !== 'string' || typeof one.kind !== 'string') return null;
    if (seen.has(one.id) || !isRecord(one.settings ?? {})) return null;
    seen.add(one.id);
  }
  for (const one of edges as unknown[]) {
    if (!isRecord(one) || typeof one.source !== 'string' || typeof one.target !== 'string') {
      return null;
    }
  }
  return {
    nodes: (nodes as Step[]).map((one) => ({ ...one, settings: { ...one.settings } })),
    edges: (edges as Way[]).map((one) => ({ ...{ port: 'next' }, ...one })),
  };
}

const WIDTH = 60;

/** Write JSON so that a person can read it: as the server lays it out. */
export function layoutJson(value: Json, indent = 0, room = WIDTH): string {
  const flat = JSON.stringify(value);
  const spaced = spread(value);
  const isLeaf = typeof value !== 'object' || value === null || Object.keys(value).length === 0;
  if (isLeaf || (spaced.length <= room && indent > 1)) return isLeaf ? flat : spaced;
  const pad = '  '.repeat(indent + 1);
  const parts: [string, Json][] = Array.isArray(value)
    ? value.map((one) => ['', one])
    : Object.entries(value).map(([key, one]) => [`${JSON.stringify(key)}: `, one]);
  const lines = parts.map(
    ([head, one]) => pad + head + layoutJson(one, indent + 1, WIDTH - pad.length - head.length),
  );
  const [open, close] = Array.isArray(value) ? ['[', ']'] : ['{', '}'];
  return `${open}\n${lines.join(',\n')}\n${'  '.repeat(indent)}${close}`;
}

function spread(value: Json): string {
  if (Array.isArray(value)) return `[${value.map(spread).join(', ')}]`;
  if (typeof value === 'object' && value !== null) {
    const pairs = Object.entries(value).map(([k, v]) => `${JSON.stringify(k)}: ${spread(v)}`);
    return `{${pairs.join(', ')}}`;
  }
  return JSON.stringify(value);
}

/** Write the graph as it is stored. */
export function serialise(graph: Graph): string {
  return layoutJson(graph as unknown as Json);
}

export function stepOf(graph: Graph, id: string): Step | undefined {
  return graph.nodes.find((one) => one.id === id);
}

export function targetOf(graph: Graph, place: Place): string | undefined {
  return graph.edges.find((one) => one.source === place.source && one.port === place.port)?.target;
}

/** An id that nothing in the graph has: "send", "send-2", "send-3". */
export function freshId(graph: Graph, kind: string): string {
  const base = kind.replace(/[^A-Za-z0-9_-]/g, '').slice(0, 50) || 'step';
  const taken = new Set(graph.nodes.map((one) => one.id));
  if (!taken.has(base)) return base;
  let number = 2;
  while (taken.has(`${base}-${number}`)) number += 1;
  return `${base}-${number}`;
}

function withEdge(edges: readonly Way[], way: Way): Way[] {
  const others = edges.filter((one) => !(one.source === way.source && one.port === way.port));
  return [...others, way];
}

/** Whether an edge may lead to this step. */
export function canEnter(step: Step, kindOf: KindOf): boolean {
  const role = kindOf(step.kind)?.role ?? 'step';
  return role === 'step';
}

/** Lead a way out to a step, in the place of where it led before. Unchanged if it must not. */
export function connect(graph: Graph, way: Way, kindOf: KindOf): Graph {
  const target = stepOf(graph, way.target);
  const source = stepOf(graph, way.source);
  if (!target || !source || way.source === way.target || !canEnter(target, kindOf)) return graph;
  if (kindOf(source.kind)?.role === 'watch') return graph;
  return { ...graph, edges: withEdge(graph.edges, way) };
}

/** Keep a note at a step; an empty one is none. */
export function annotate(graph: Graph, id: string, note: string): Graph {
  const nodes = graph.nodes.map((one): Step => {
    if (one.id !== id) return one;
    const bare = { ...one };
    delete (bare as { note?: string }).note;
    return note.trim() ? { ...bare, note } : bare;
  });
  return { ...graph, nodes };
}

/** Let a way out lead nowhere. */
export function disconnect(graph: Graph, place: Place): Graph {
  const edges = graph.edges.filter((e) => !(e.source === place.source && e.port === place.port));
  return edges.length === graph.edges.length ? graph : { ...graph, edges };
}

function isEnd(step: Step, world: World): boolean {
  return canEnter(step, world.kindOf) && world.portsOf(step).length === 0;
}

/** Add a step that is joined to nothing; returns it with the graph. */
export function addFree(graph: Graph, kind: Kind, position?: Position): [Graph, Step] {
  const step: Step = {
    id: freshId(graph, kind.kind),
    kind: kind.kind,
    settings: kind.settings,
    ...(position ? { position } : {}),
  };
  return [{ ...graph, nodes: [...graph.nodes, step] }, step];
}

/** Put a step at a way out. Where that led, the step's first way out leads; its others to an end.
 *
 * A step without a way out ends the way there. Entries and watches are joined to nothing. */
export function insertAt(
  graph: Graph,
  place: Place,
  kind: Kind,
  world: World,
  position?: Position,
): [Graph, Step] {
  const [added, step] = addFree(graph, kind, position);
  if (kind.role !== 'step') return [added, step];
  return [joinAt(added, place, step, world), step];
}

function joinAt(graph: Graph, place: Place, step: Step, world: World): Graph {
  const before = targetOf(graph, place);
  let { nodes } = graph;
  let edges = withEdge(graph.edges, { ...place, target: step.id });
  const ports = world.portsOf(step).filter(
    ([port]) => !edges.some((one) => one.source === step.id && one.port === port),
  );
  const beforeStep = before === undefined ? undefined : stepOf(graph, before);
  const open = ports.slice(before === undefined ? 0 : 1);
  if (before !== undefined && ports[0]) {
    edges = [...edges, { source: step.id, port: ports[0][0], target: before }];
  }
  if (open.length > 0) {
    let end =
      beforeStep && isEnd(beforeStep, world)
        ? beforeStep
        : nodes.find((one) => one.id !== step.id && isEnd(one, world));
    const kind = world.kindOf('end');
    if (!end && kind) {
      const [more, made] = addFree({ nodes, edges }, kind, below(step.position));
      nodes = more.nodes;
      end = made;
    }
    const target = end?.id;
    if (target !== undefined) {
      edges = [...edges, ...open.map(([port]) => ({ source: step.id, port, target }))];
    }
  }
  return { nodes, edges };
}

function below(position: Position | undefined): Position | undefined {
  return position ? [position[0], position[1] + 180] : undefined;
}

/** Take steps away. What led to one leads on to where its first way out led. */
export function remove(graph: Graph, ids: readonly string[], world: World): Graph {
  return ids.reduce((found, id) => {
    const step = stepOf(found, id);
    if (!step) return found;
    const bypassed = detach(found, step, world);
    return {
      nodes: bypassed.nodes.filter((one) => one.id !== id),
      edges: bypassed.edges.filter((one) => one.source !== id && one.target !== id),
    };
  }, graph);
}

/** Lead what comes to a step past it, and let its first way out lead nowhere. */
function detach(graph: Graph, step: Step, world: World): Graph {
  const first = world.portsOf(step)[0]?.[0] ?? 'next';
  const on = targetOf(graph, { source: step.id, port: first });
  const edges = graph.edges
    .filter((one) => !(one.source === step.id && one.port === first))
    .flatMap((one) => {
      if (one.target !== step.id) return [one];
      return on === undefined || on === step.id || on === one.source
        ? []
        : [{ ...one, target: on }];
    });
  return { ...graph, edges };
}

/** Whether a step can be moved along the way: it has one way out at least, and a way in. */
export function canMove(graph: Graph, step: Step, world: World): boolean {
  return (
    canEnter(step, world.kindOf) &&
    world.portsOf(step).length > 0 &&
    graph.edges.some((one) => one.target === step.id)
  );
}

/** Move a step to another way out, with what hangs on its further ways. */
export function moveTo(graph: Graph, id: string, place: Place, world: World): Graph {
  const step = stepOf(graph, id);
  if (!step || place.source === id || !canMove(graph, step, world)) return graph;
  const away = detach(graph, step, world);
  return joinAt(away, place, step, world);
}

/** Move a step one place later: behind the step that follows it. */
export function moveDown(graph: Graph, id: string, world: World): Graph {
  const step = stepOf(graph, id);
  if (!step || !canMove(graph, step, world)) return graph;
  const port = world.portsOf(step)[0]![0];
  const next = stepOf(graph, targetOf(graph, { source: id, port }) ?? '');
  const further = next && next.id !== id ? world.portsOf(next)[0] : undefined;
  if (!next || !further) return graph;
  return moveTo(graph, id, { source: next.id, port: further[0] }, world);
}

/** Move a step one place earlier: before the step that leads to it. */
export function moveUp(graph: Graph, id: string, world: World): Graph {
  const step = stepOf(graph, id);
  if (!step || !canMove(graph, step, world)) return graph;
  const way = graph.edges.find((one) => one.target === id);
  const before = way && stepOf(graph, way.source);
  if (!before || !canMove(graph, before, world)) return graph;
  const into = graph.edges.filter((one) => one.target === before.id && one.source !== id);
  const away = detach(graph, step, world);
  const port = world.portsOf(step)[0]![0];
  const turned = away.edges.map((one) =>
    into.some((way) => way.source === one.source && way.port === one.port)
      ? { ...one, target: id }
      : one,
  );
  return { ...away, edges: withEdge(turned, { source: id, port, target: before.id }) };
}

/** Copy a step and put the copy behind it; what cannot stand there stands by itself. */
export function duplicate(graph: Graph, id: string, world: World): [Graph, string | undefined] {
  const step = stepOf(graph, id);
  if (!step) return [graph, undefined];
  const copy: Step = {
    ...step,
    id: freshId(graph, step.kind),
    ...(step.position ? { position: [step.position[0] + 40, step.position[1] + 140] } : {}),
  };
  const added: Graph = { ...graph, nodes: [...graph.nodes, copy] };
  if (!canMove(graph, step, world)) return [added, copy.id];
  const port = world.portsOf(step)[0]![0];
  const twin: World = {
    ...world,
    portsOf: (one) => world.portsOf(one.id === copy.id ? step : one),
  };
  return [joinAt(added, { source: id, port }, copy, twin), copy.id];
}

/** The part of a graph that these steps make up. */
export function extract(graph: Graph, ids: readonly string[]): Graph {
  const wanted = new Set(ids);
  return {
    nodes: graph.nodes.filter((one) => wanted.has(one.id)),
    edges: graph.edges.filter((one) => wanted.has(one.source) && wanted.has(one.target)),
  };
}

/** Add a copy of another graph's steps, with new ids; returns these too. */
export function paste(graph: Graph, pasted: Graph, isPlaced: boolean): [Graph, string[]] {
  const names = new Map<string, string>();
  let found = graph;
  for (const { position, ...one } of pasted.nodes) {
    const id = freshId(found, one.kind);
    names.set(one.id, id);
    const place = isPlaced ? { position: [(position?.[0] ?? 0) + 40, (position?.[1] ?? 0) + 40] as const } : {};
    found = { ...found, nodes: [...found.nodes, { ...one, id, ...place }] };
  }
  const edges = pasted.edges.map((one) => ({
    ...one,
    source: names.get(one.source)!,
    target: names.get(one.target)!,
  }));
  return [{ ...found, edges: [...found.edges, ...edges] }, [...names.values()]];
}

/** Give a step other settings, and its edges the new names of its ways out.
 *
 * Ways that are no longer there lose their edges; one that was renamed keeps it. */
export function configure(
  graph: Graph,
  id: string,
  settings: Settings,
  before: readonly Port[],
  after: readonly Port[] | null,
): Graph {
  const nodes = graph.nodes.map((one) => (one.id === id ? { ...one, settings } : one));
  if (after === null) return { ...graph, nodes };
  const old = before.map(([name]) => name);
  const now = after.map(([name]) => name);
  const renamed = new Map<string, string>();
  if (old.length === now.length) {
    old.forEach((name, n) => {
      const new_ = now[n]!;
      if (!now.includes(name) && !old.includes(new_)) renamed.set(name, new_);
    });
  }
  const edges = graph.edges.flatMap((one) => {
    if (one.source !== id || now.includes(one.port)) return [one];
    const port = renamed.get(one.port);
    return port === undefined ? [] : [{ ...one, port }];
  });
  return { nodes, edges };
}

/** Whether anybody has placed steps by hand; if not, they are laid out by themselves. */
export function isPlaced(graph: Graph): boolean {
  return graph.nodes.some((one) => one.position !== undefined);
}

/** Forget where steps were put. */
export function unplace(graph: Graph): Graph {
  return {
    ...graph,
    nodes: graph.nodes.map((one) => {
      const bare: Step = { id: one.id, kind: one.kind, settings: one.settings };
      return bare;
    }),
  };
}

/** Put every step where it is seen now. */
export function place(graph: Graph, positions: ReadonlyMap<string, Position>): Graph {
  return {
    ...graph,
    nodes: graph.nodes.map((one) => {
      const at = positions.get(one.id) ?? one.position;
      return at ? { ...one, position: [Math.round(at[0]), Math.round(at[1])] } : one;
    }),
  };
}
